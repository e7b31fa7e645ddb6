"""The voice as a step of a clone: what is told, what goes into the pack, what the page shows."""

from pathlib import Path

import pytest

from runtime.speech.sounds import SoundBank
from tests.training.clone.voice.recordings import recording
from training.clone.profile import Profile
from training.clone.report import write
from training.clone.steps import Pet, build
from training.clone.voice.step import STEP


@pytest.fixture
def pet(tmp_path: Path) -> Pet:
    (tmp_path / "rex/recordings/barking").mkdir(parents=True)
    return Pet(tmp_path / "rex", Profile(name="Rex", species="dog", consent="Ann, his <owner>"))


def test_recordings_become_the_sounds_of_the_pack(pet: Pet, tmp_path: Path) -> None:
    recording(pet.folder / "recordings/barking/a.wav", *["bark"] * 7)
    assert [finding.mark for finding in STEP.check(pet)] == ["good"]
    assert [outcome.how for outcome in build(pet, [STEP], lambda line: None)] == ["made"]
    made = pet.folder / ".clone/voice"
    assert SoundBank(made / "pack/sounds").kinds[0] == "bark"
    assert "Ann, his <owner>" in (made / "pack/cards/sounds.md").read_text()
    write(pet, [STEP], tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    assert page.count("<audio") == page.count("<svg") == 7
    assert "Ann, his &lt;owner&gt;" in page
    assert "barking/a.wav" in page
    assert [outcome.how for outcome in build(pet, [STEP], lambda line: None)] == ["kept"]


def test_nothing_to_hear_is_told_and_the_starters_voice_stays(pet: Pet) -> None:
    (pet.folder / "recordings/list.xls").write_text("x")
    (pet.folder / "recordings/silent.wav").touch()
    told = {finding.about: finding for finding in STEP.check(pet)}
    assert told["list.xls"].mark == "poor"
    assert told["silent.wav"].mark == "bad"
    assert [outcome.how for outcome in build(pet, [STEP], lambda line: None)] == ["made"]
    assert not (pet.folder / ".clone/voice/pack").exists()
    assert "made-up voice" in STEP.page(pet, pet.folder / ".clone/voice")


def test_without_consent_it_asks_for_it(pet: Pet) -> None:
    recording(pet.folder / "recordings/a.wav", "bark", "bark")
    nobody = Pet(pet.folder, pet.profile.model_copy(update={"consent": ""}))
    assert {finding.about for finding in STEP.check(nobody)} == {"a.wav", "consent", "recordings"}
