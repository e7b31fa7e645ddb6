"""Every command in the README and its pages exists; the cheap ones are run as they stand there."""

import re
import shlex
import tomllib
from pathlib import Path

import pytest

from runtime.cli import COMMANDS, main
from runtime.contracts.config import RobotConfig

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
PAGES = {page.name: page.read_text() for page in sorted((ROOT / "docs").glob("*.md"))}
ALL = "\n".join([README, *PAGES.values()])


def test_every_command_named_exists() -> None:
    named = set(re.findall(r"(?:`|^)everpaw ([a-z]+)", ALL, re.MULTILINE))
    assert named - set(COMMANDS) == set()
    assert set(re.findall(r"^\| `everpaw ([a-z]+)", README, re.MULTILINE)) == set(COMMANDS)


def test_every_page_is_reached_from_the_readme_and_every_link_leads_somewhere() -> None:
    assert {name for name in PAGES if f"](docs/{name})" not in README} == set()
    for folder, text in [(ROOT, README), *((ROOT / "docs", page) for page in PAGES.values())]:
        for link in re.findall(r"\]\(([^)#:]+)\)", text):
            assert (folder / link).exists(), link


def test_every_make_target_named_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:^|`)make ([a-z]+)", ALL, re.MULTILINE)) <= targets


def test_the_settings_shown_are_settings() -> None:
    [text] = re.findall(r"```toml\n(.*?)```", PAGES["settings.md"], re.DOTALL)
    config = RobotConfig.model_validate(tomllib.loads(text))
    assert config.model_copy(update={"pack": RobotConfig().pack}) == RobotConfig()


@pytest.mark.parametrize("line", sorted(set(re.findall(r'`everpaw (say "[^`]*?"|doctor)`', ALL))))
def test_the_cheap_commands_run(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(shlex.split(line)) == 0
    assert capsys.readouterr().out


def test_the_folders_of_the_house_exist() -> None:
    [tree] = re.findall(r"## The house\n\n```\n(.*?)```", README, re.DOTALL)
    folder = ROOT
    for line in tree.splitlines():
        names = [word for word in line.split("  ")[0 if not line.startswith(" ") else 1].split() if word]
        for name in names:
            base = ROOT if not line.startswith(" ") else folder
            assert (base / name).exists(), name
        if not line.startswith(" "):
            folder = ROOT / names[0]
