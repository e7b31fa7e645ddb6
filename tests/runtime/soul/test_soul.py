"""A soul moves to another robot and comes back; a farewell leaves nothing but the file taken along."""

import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from runtime import starter
from runtime.cli import main
from runtime.contracts.body import load_body
from runtime.contracts.config import RobotConfig
from runtime.contracts.errors import ConfigError, FactError
from runtime.life import will
from runtime.life.kept import Kept, load, save
from runtime.mind.conversation import Conversation
from runtime.mind.emotion import Feeling
from runtime.mind.memory.facts import Fact
from runtime.mind.memory.knowledge import Knowledge
from runtime.privacy.holdings import Holdings
from runtime.robot import live
from runtime.soul import soul
from runtime.soul.place import moved
from runtime.soul.sealing import seal, unseal

WORD = "a long passphrase"
FACT = Fact(subject="my sister", relation="name", value="Anna", text="my sister is called Anna")
PERSONA = (starter.FOLDER / "persona.toml").read_text().replace(
    '"I love my red ball."', '"I love my squeaky hedgehog."'
)  # fmt: skip


def robot(name: str) -> Holdings:
    return Holdings.of(RobotConfig(robot_id=name))


def lived(held: Holdings, seed: int = 41) -> Kept:
    """A life of some days, a fact, a persona of its own."""
    state = replace(will.State(seed), age_s=400_000.0, bids=3)
    kept = Kept(state, Feeling(0.4, -0.2))
    save(kept, held.life)
    with closing(Knowledge(held.memory)) as knowledge:
        knowledge.add([FACT])
    (held.folder / "persona.toml").write_text(PERSONA)
    return kept


@pytest.fixture
def word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    (tmp_path / "word").write_text(WORD + "\n")
    return tmp_path / "word"


def say(*words: object) -> int:
    return main(["soul", *map(str, words)])


def test_it_moves_to_another_robot_and_comes_back(
    word: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here, there = robot("here"), robot("there")
    kept, file = lived(here), tmp_path / "buddy.soul"
    ask = ("--passphrase-file", word)
    assert say("export", file, *ask, "--set", "robot_id=here") == 0
    assert say("import", file, *ask, "--set", "robot_id=there") == 0
    assert load(there.life, 41) == replace(kept, state=replace(kept.state, doing="", posture="stand"))
    assert [fact.text for fact in there.facts()] == [FACT.text]
    pet = Conversation(starter.load_pack(), persona=moved(there.folder))
    assert pet.read("tell me about your hedgehog").reply.text == "I love my squeaky hedgehog."
    capsys.readouterr()
    assert say("import", file, *ask, "--set", "robot_id=here") == 1
    assert "a life is lived here already" in capsys.readouterr().err
    assert say("import", file, *ask, "--replace", "--set", "robot_id=here") == 0
    assert load(here.life, 41) is not None
    assert say("show", file, *ask, "--json") == 0
    shown = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (shown["name"], shown["facts"], shown["days"]) == ("Buddy", 1, 4.6)


def test_a_soul_that_cannot_come_in_whole_leaves_the_life_that_is_lived(
    word: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there, file = robot("here"), robot("there"), tmp_path / "buddy.soul"
    lived(here)
    soul.take_along(here, "here", here.folder / "persona.toml", file, WORD)
    kept = lived(there, seed=7)
    for key in there.memory.glob("key-*"):
        key.unlink()
    with pytest.raises(FactError, match="key"):
        soul.bring_in(there, file, WORD, replace=True)
    assert load(there.life, 7) == replace(kept, state=replace(kept.state, doing="", posture="stand"))


def test_nothing_of_a_body_is_in_it_and_nothing_can_be_read(word: Path, tmp_path: Path) -> None:
    here = robot("here")
    lived(here)
    file = tmp_path / "buddy.soul"
    soul.take_along(here, "here", here.folder / "persona.toml", file, WORD)
    data = file.read_bytes()
    assert all(text not in data for text in (b"Anna", b"hedgehog", b"Buddy"))
    with soul.opened(file, WORD) as folder:
        text = "".join(path.read_text() for path in folder.iterdir())
    assert not any(joint in text for joint in load_body().names if "_" in joint)


@pytest.mark.parametrize("at", [0, 20, 60, -1])
def test_a_changed_byte_or_another_passphrase_opens_nothing(at: int, tmp_path: Path) -> None:
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    out.mkdir()
    (source / "a.txt").write_text("secret")
    seal(source, tmp_path / "a.soul", WORD)
    data = bytearray((tmp_path / "a.soul").read_bytes())
    data[at] ^= 1
    (tmp_path / "b.soul").write_bytes(data)
    for name, passphrase in (("a.soul", "another passphrase"), ("b.soul", WORD)):
        with pytest.raises(FactError):
            unseal(tmp_path / name, out, passphrase)
    assert list(out.iterdir()) == []
    unseal(tmp_path / "a.soul", out, WORD)
    assert (out / "a.txt").read_text() == "secret"


def test_a_short_passphrase_and_a_file_that_is_there_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FactError, match="soon guessed"):
        seal(tmp_path, tmp_path / "a.soul", "short")
    (tmp_path / "a.soul").touch()
    with pytest.raises(FactError, match="exists already"):
        seal(tmp_path, tmp_path / "a.soul", WORD)


def test_a_farewell_erases_with_proof_and_the_file_still_opens(
    word: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here, file = robot("here"), tmp_path / "buddy.soul"
    lived(here)
    ask = ("--passphrase-file", word, "--set", "robot_id=here", "--json")
    assert say("farewell", file, *ask, "--yes") == 0
    row = json.loads(capsys.readouterr().out)
    assert (row["erased"], row["hits"]) == (True, 0)
    assert row["searched_for"] > 0
    left = [path for path in here.folder.rglob("*") if path.is_file()]
    for text in (b"Anna", b"hedgehog"):
        assert all(text not in path.read_bytes() for path in left)
    assert not here.life.exists()
    with soul.opened(file, WORD) as folder:
        assert FACT.text in (folder / "facts.json").read_text()


def test_what_rests_does_not_start_until_it_is_woken(word: Path) -> None:
    config = RobotConfig(robot_id="here", audio={"source": "silence", "sink": "silence"})
    assert say("rest", "--set", "robot_id=here") == 0
    with pytest.raises(ConfigError, match="everpaw soul wake"):
        live(config, lambda bus, pack: pytest.fail("it started"))
    assert say("wake", "--set", "robot_id=here") == 0
    assert not (robot("here").folder / "at-rest").exists()
