"""What a pack did where it was built, and a doctor who notices that it does otherwise."""

import json
import shutil
from pathlib import Path

import pytest

from export.pack import write_manifest
from runtime import golden, starter
from runtime.cli import main
from runtime.contracts.errors import PackError
from runtime.contracts.pack import Pack, verify


@pytest.fixture(scope="module")
def found() -> golden.Golden:
    return golden.take(starter.load_pack())[0]


def copy(pack: Pack, to: Path) -> Path:
    for name in [*pack.manifest.files, "manifest.json"]:
        (to / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(pack.folder / name, to / name)
    return to


def rows(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, dict[str, object]]]:
    status = main(["doctor", "--json", "--set", "mqtt.port=1", *words])
    return status, {row["name"]: row for row in map(json.loads, capsys.readouterr().out.splitlines())}


def test_the_starter_does_what_it_did_where_it_was_sealed(found: golden.Golden) -> None:
    wanted = golden.load(starter.load_pack())
    assert golden.differences(wanted, found) == [], "type: python -m export.pack seal-starter"
    assert wanted.clips["hey_buddy_sit_down"].heard == "sit down"
    assert wanted.clips["hey_buddy_sit_down"].scores["hey_buddy"] > 0.8
    assert None not in wanted.meanings.values()


def test_every_difference_is_named(found: golden.Golden) -> None:
    clip = found.clips["stop"]
    other = found.model_copy(
        update={
            "clips": found.clips | {"stop": clip.model_copy(update={"heard": "sit", "scores": {}})},
            "meanings": dict.fromkeys(found.meanings, "nothing like it"),
        }
    )
    lines = golden.differences(found, other)
    assert any("stop: heard 'sit', not 'stop'" in line for line in lines)
    assert any("head hey_buddy says None" in line for line in lines)
    assert len(lines) == 2 + len(found.meanings)
    doubted = found.model_copy(update={"clips": {"stop": clip.model_copy(update={"belief": 0.3})}})
    assert golden.differences(doubted, other) == [lines[1], *lines[2:]], "unsure words are not compared"


def test_a_sealing_that_fails_loses_nothing(tmp_path: Path) -> None:
    pack = copy(starter.load_pack(), tmp_path / "mine")
    before = {path: path.read_bytes() for path in pack.rglob("*") if path.is_file()}
    odd = pack / "reader" / "another.onnx"
    odd.write_bytes(b"no model")
    with pytest.raises(PackError):
        write_manifest(pack, "Mine")
    odd.unlink()
    assert {path: path.read_bytes() for path in pack.rglob("*") if path.is_file()} == before
    verify(pack)


def test_a_doctor_looks_at_a_pack(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, seen = rows(capsys, "--pack", str(starter.FOLDER))
    assert status == 0
    assert all(seen[name]["well"] for name in ("pack", "golden", "latency", "memory", "board"))
    assert float(str(seen["latency"]["figure"])) > 0
    assert float(str(seen["memory"]["figure"])) > 50

    pack = copy(starter.load_pack(), tmp_path / "mine")
    grammar = pack / "grammar.yaml"
    (pack / "persona.toml").write_text((pack / "persona.toml").read_text() + "\n")
    write_manifest(pack, "Mine")
    status, seen = rows(capsys, "--pack", str(pack))
    assert status == 1
    assert "unsigned" in str(seen["pack"]["seen"])
    assert seen["golden"]["well"]

    told = json.loads((pack / "golden.json").read_text())
    told["clips"]["stop"]["heard"] = "sit down"
    (pack / "golden.json").write_text(json.dumps(told))
    _reseal(pack)
    status, seen = rows(capsys, "--pack", str(pack), "--set", "pack.allow_unsigned=true")
    assert status == 1
    assert "stop: heard 'stop', not 'sit down'" in str(seen["golden"]["seen"])

    grammar.write_text("")
    status, seen = rows(capsys, "--pack", str(pack))
    assert status == 1
    assert "grammar.yaml has 0 bytes" in str(seen["pack"]["seen"])


def _reseal(pack: Path) -> None:
    from runtime.contracts.pack import file_sha256

    manifest = json.loads((pack / "manifest.json").read_text())
    path = pack / "golden.json"
    manifest["files"]["golden.json"] = {"sha256": file_sha256(path), "size": path.stat().st_size}
    (pack / "manifest.json").write_text(json.dumps(manifest))
