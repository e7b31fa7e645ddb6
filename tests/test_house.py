"""The house rules: what the robot side may load, and that every command of the table exists."""

import importlib
import pkgutil
import re
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest

from runtime.cli import COMMANDS, main

ROOT = Path(__file__).parents[1]
HEAVY = ("torch", "transformers", "peft", "datasets", "sklearn", "scipy")
_ALL_ROBOT_MODULES = """
import importlib, pkgutil, sys
for package in ("runtime", "firmware_bridge"):
    module = importlib.import_module(package)
    for info in pkgutil.walk_packages(module.__path__, package + "."):
        if "espeak_worker" not in info.name and ".mcu." not in info.name:
            importlib.import_module(info.name)
print(" ".join(m for m in sys.modules if m.split(".")[0] in set(sys.argv[1:])))
"""


def test_the_robot_side_loads_nothing_heavy() -> None:
    command = [sys.executable, "-c", _ALL_ROBOT_MODULES, *HEAVY]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == ""


def test_the_help_is_there_without_loading_anything(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["--help"])
    assert exit_.value.code == 0
    out = capsys.readouterr().out
    assert all(name in out for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_of_the_table_exists(name: str) -> None:
    module, _, function = COMMANDS[name].target.partition(":")
    assert callable(getattr(importlib.import_module(module), function))


@pytest.mark.parametrize("name", [n for n in COMMANDS if n not in {"train"}])
def test_every_command_has_a_help_of_its_own(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main([name, "--help"])
    assert exit_.value.code == 0
    assert "usage: everpaw" in capsys.readouterr().out


def test_a_missing_extra_names_the_line_to_type(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    for name in [n for n in sys.modules if n.split(".")[0] == "training"]:
        monkeypatch.delitem(sys.modules, name)
    assert main(["train", "asr", "--out", "nowhere"]) == 1
    assert "pip install 'everpaw[training]'" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["schemas", "--out", "/proc/x"], ["sim", "--link", "/nowhere/mcu"]])
def test_a_path_that_cannot_be_written_is_one_line(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 1
    error = capsys.readouterr().err
    assert error.startswith("everpaw: /")
    assert "Traceback" not in error


def test_each_dependency_gives_its_reason() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    wanted = tomllib.loads(text)["project"]["dependencies"]
    for requirement in wanted:
        assert re.search(rf'^\s*"{re.escape(requirement)}",\s+# \w', text, re.MULTILINE), requirement


def test_only_their_owners_import_outside_engines() -> None:
    # The robots' topics, and a broker's own control topic, which is none of theirs.
    paho = {"runtime/bus.py", "runtime/security/control.py"}
    owners = {"onnxruntime": {"runtime/engines/session.py"}, "paho": paho}
    for package, allowed in owners.items():
        pattern = re.compile(rf"^\s*(from|import) {package}\b", re.MULTILINE)
        folders = [ROOT / "runtime", ROOT / "firmware_bridge"]
        found = {
            path.relative_to(ROOT).as_posix()
            for folder in folders
            for path in folder.rglob("*.py")
            if pattern.search(path.read_text())
        }
        assert found == allowed


def test_every_package_says_what_it_is_for() -> None:
    for package in ("runtime", "training", "export", "firmware_bridge"):
        module = importlib.import_module(package)
        names = [package, *(i.name for i in pkgutil.walk_packages(module.__path__, f"{package}."))]
        for name in names:
            spec = find_spec(name)
            assert spec is not None
            assert spec.origin is not None
            assert Path(spec.origin).read_text().lstrip().startswith(('"""', "#")), name
