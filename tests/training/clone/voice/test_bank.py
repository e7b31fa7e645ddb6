"""The bank: labels, consent and provenance of every call, and what the robot makes of it."""

import tomllib
from pathlib import Path, PurePath

import numpy as np
import pytest
import soundfile

from runtime.speech.sounds import SoundBank
from tests.training.clone.voice.recordings import recording
from training.clone.voice import bank, labels
from training.clone.voice.benchmark import matched
from training.clone.voice.intake import look
from training.clone.voice.kinds import KINDS, beliefs
from training.clone.voice.likeness import Recogniser
from training.clone.voice.segments import Segment
from training.clone.voice.synthetic import animals, call


def test_every_call_says_where_it_comes_from(tmp_path: Path) -> None:
    before = recording(tmp_path / "at the door.wav", "bark", "bark").read_bytes()
    found = look(tmp_path / "at the door.wav", "play/at the door.wav", "dog")
    made = bank.write(tmp_path / "bank", "Rex", "dog", [found], "recorded by Ann, his owner")
    assert (tmp_path / "at the door.wav").read_bytes() == before
    assert len(made.units) == 2
    for unit in made.units:
        assert unit.source.consent == "recorded by Ann, his owner"
        assert unit.source.sha256 == found.sha256
        assert 0 < unit.source.start_s < unit.source.end_s
        assert (unit.valence, unit.arousal) == labels.CONTEXTS["door"]
        assert len(unit.suggested) == bank.SUGGESTIONS
        with soundfile.SoundFile(tmp_path / "bank/sounds" / unit.file) as file:
            assert file.copyright == "recorded by Ann, his owner"
            assert "at the door.wav" in file.comment
    assert bank.Bank.model_validate_json((tmp_path / "bank/bank.json").read_bytes()) == made


def test_the_robot_plays_it_and_asks_no_other_animal(tmp_path: Path) -> None:
    found = look(recording(tmp_path / "barks.wav", "bark", "bark", "bark"), "barks.wav", "dog")
    made = bank.write(tmp_path / "bank", "Rex", "dog", [found], "")
    assert made.kinds == {"bark": 3}
    sounds = SoundBank(tmp_path / "bank/sounds", 1)
    assert len(sounds.pick("yip", "happy")) > 1_000
    assert len(sounds.pick("sniff", "happy")) == 0
    listed = tomllib.loads((tmp_path / "bank/sounds/sounds.toml").read_text())
    assert listed["stand_ins"]["yip"] == "bark"
    assert all(row["single"] and row["pitch_hz"] for row in listed["sound"])


def test_the_robot_carries_the_best_of_each_kind(tmp_path: Path) -> None:
    found = look(recording(tmp_path / "b.wav", *["bark"] * 11), "bark/b.wav", "dog")
    made = bank.write(tmp_path / "bank", "Rex", "dog", [found], "")
    assert len(made.units) == 11
    played = [unit for unit in made.units if unit.played]
    assert len(played) == bank.MOST_OF_A_KIND
    left = [unit.quality for unit in made.units if not unit.played]
    assert min(unit.quality for unit in played) >= max(left)


@pytest.mark.parametrize(
    ("path", "kind", "mood"),
    [
        ("whining/alone.wav", "whine", (-0.5, 0.2)),
        ("Play Growl.wav", "growl_play", (0.6, 0.7)),
        ("purring_on_my_lap.m4a", "purr", None),
        ("VID_20240301.mp4", "", None),
    ],
)
def test_the_owners_words_count(path: str, kind: str, mood: tuple[float, float] | None) -> None:
    assert labels.kind_in(PurePath(path)) == kind
    assert labels.mood_in(PurePath(path)) == mood


def test_a_suggestion_is_a_belief_in_kinds_of_the_species(tmp_path: Path) -> None:
    found = look(recording(tmp_path / "a.wav", "meow"), "a.wav", "cat")
    believed = beliefs(found.taken[0].call, "cat")
    assert sum(believed.values()) == pytest.approx(1)
    assert set(believed) == {kind.name for kind in KINDS if kind.species == "cat"}


def test_an_animal_is_told_from_others_by_its_voice() -> None:
    three = animals(3, 4)
    rng = np.random.default_rng(2)
    known = {a.name: [call(a, kind, rng) for kind in ("bark", "howl") for _ in range(6)] for a in three}
    recogniser = Recogniser.of(known)
    assert [recogniser.whose(call(a, "howl", rng)) for a in three] == [a.name for a in three]


def test_a_call_is_found_once() -> None:
    found = [Segment(0, 100, 9.0), Segment(100, 190, 9.0)]
    assert matched(found, ((0, 110),)) == 1
    assert matched(found, ((0, 400),)) == 0
    assert matched(found[:1], ((0, 100), (0, 100))) == 1
