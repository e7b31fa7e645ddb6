"""A verifier learned from few recordings: it knows that voice from others that say the same name."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

pytest.importorskip("torch", reason="pip install 'everpaw[training]'")
pytest.importorskip("onnx", reason="pip install 'everpaw[training]'")

from runtime.audio.verifier import Verifier
from runtime.contracts.errors import TrainingError
from runtime.starter import FOLDER
from training.data import voices
from training.wake import mislabelled, owner, recipe

needs_voices = pytest.mark.skipif(len(voices.all_voices()) < 100, reason="pip install 'everpaw[voice]'")


def test_fisher_weighs_what_differs_within_a_voice_little() -> None:
    rng = np.random.default_rng(1)
    spread = np.array([1.0, 30.0], np.float32)  # the second number says nothing of who speaks
    others = (rng.normal(size=(2000, 2)) * spread).astype(np.float32)
    mine = (rng.normal(size=(30, 2)) * spread + np.array([5.0, 0.0])).astype(np.float32)
    found = owner.fisher(mine, others)
    assert (found(mine) > 0).mean() > 0.9
    assert (found(others) > 0).mean() < 0.1


def recorded(voice: voices.Voice, folder: Path, n: int) -> Path:
    folder.mkdir()
    rng = np.random.default_rng(5)
    for number in range(n):
        sound = voices.render(voices.Utterance("hey buddy", voice, float(rng.uniform(0.9, 1.1)), 1.0))
        soundfile.write(folder / f"{number}.wav", sound, 16_000)
    return folder


@needs_voices
def test_the_owner_is_known_from_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVERPAW_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(owner, "_OTHERS", 48)
    monkeypatch.setattr(owner, "_HELD_OUT", 32)
    monkeypatch.setattr(owner, "_COPIES", 4)
    head = tmp_path / "hey_buddy.onnx"
    shutil.copyfile(FOLDER / "wake" / "hey_buddy.onnx", head)
    mine = next(v for v in voices.voices(held_out=True) if v.engine == "espeak")
    path = owner.train_verifier(head, recorded(mine, tmp_path / "mine", 4), workers=0)
    verifier = Verifier.load(path)
    assert len(verifier.report) == 3
    again = owner.windows_of(owner.in_rooms(_say(mine), 77), 16)
    strangers = [
        v for v in voices.voices(held_out=True) if v.name.partition("+")[2] != mine.name.partition("+")[2]
    ]
    foreign = np.concatenate([owner.windows_of(owner.in_rooms(_say(v), 78), 16) for v in strangers[::100]])
    mean = [verifier.predict_proba(rows.reshape(-1, 16, 96))[:, 1].mean() for rows in (again, foreign)]
    assert mean[0] > mean[1] + 0.3


def _say(voice: voices.Voice) -> np.ndarray:
    return voices.render(voices.Utterance("hey buddy", voice, 1.0, 1.0))


def test_too_few_recordings_are_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "one.wav", 0.5 * np.sin(np.arange(12_000) / 9), 16_000)
    with pytest.raises(TrainingError, match="holds 1 recordings; say the name 3 times or more"):
        owner.train_verifier(FOLDER / "wake" / "hey_buddy.onnx", tmp_path)


def test_only_the_owner_needs_recordings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        recipe.main(["--name", "rex", "--out", str(tmp_path), "--only-owner"])
    assert "--only-owner needs --recordings" in capsys.readouterr().err


@needs_voices
def test_a_recording_of_something_else_is_pointed_out(tmp_path: Path) -> None:
    voice = next(v for v in voices.voices(held_out=True) if v.name.startswith("en-us"))
    for name, text in (
        ("right", "hey buddy"),
        ("wrong", "smart mirror"),
        ("other", "jarvis"),
    ):
        soundfile.write(tmp_path / f"{name}.wav", _speech(text, voice), 22_050)
    lines = mislabelled.doubtful("hey buddy", tmp_path)
    assert [Path(line.split(" hardly")[0]).name for line in lines] == ["other.wav", "wrong.wav"]
    assert mislabelled.doubtful("小白", tmp_path) == []


def _speech(text: str, voice: voices.Voice) -> np.ndarray:
    return soxr.resample(voices.render(voices.Utterance(text, voice, 1.0, 1.0)), 16_000, 22_050)
