"""An owner's recordings: what is taken, what is left out, and what the owner is told."""

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.training.clone.voice.recordings import REX, recording
from training.clone.voice import intake
from training.clone.voice.denoise import denoised
from training.clone.voice.intake import look
from training.clone.voice.segments import segments
from training.clone.voice.soundtrack import read
from training.clone.voice.synthetic import Scene, call, coloured, scene

RNG = np.random.default_rng(5)


def test_calls_are_found_and_measured(tmp_path: Path) -> None:
    found = look(recording(tmp_path / "a.wav", "bark", "howl", "whine", rate_hz=48_000), "a.wav", "dog")
    assert len(found.taken) == 3
    bark, howl, _ = (t.call for t in found.taken)
    assert bark.seconds < 0.35 < 0.9 < howl.seconds
    assert howl.tonality > 0.8
    assert howl.f0_hz == pytest.approx(480 * REX.pitch, rel=0.2)
    assert found.says == ()


@pytest.mark.parametrize("slope", [0, 1])
def test_calls_in_noise_are_found_and_get_less_noisy(slope: int) -> None:
    made = scene(REX, 5, coloured(12, slope, RNG), np.random.default_rng(3), seconds=12)
    found = segments(made.heard)
    assert len(found) == len(made.calls)
    for segment, (start, end) in zip(found, made.calls, strict=True):
        assert min(segment.end, end) - max(segment.start, start) > 0.5 * (end - start)
    clean = denoised(made.heard, [(s.start, s.end) for s in found])
    assert clean.changed
    assert noise_db(clean.samples, made) < noise_db(made.heard, made) - 4


def noise_db(samples: np.ndarray, made: Scene) -> float:
    return 10 * float(np.log10(np.sum((samples - made.clean)[made.active] ** 2)))


def test_a_clean_recording_is_left_alone_and_one_without_quiet_too() -> None:
    made = scene(REX, 35, coloured(8, 0, RNG), np.random.default_rng(3), seconds=8)
    assert not denoised(made.heard, list(made.calls)).changed
    assert not denoised(made.heard, [(0, len(made.heard))]).changed


def test_nothing_is_a_call_in_noise_alone() -> None:
    assert segments(coloured(20, 1, np.random.default_rng(8)) * 0.05) == []
    assert segments(np.zeros(0, np.float32)) == []


def test_what_cannot_be_used_is_told_kindly_and_nothing_is_raised(tmp_path: Path) -> None:
    (tmp_path / "empty.wav").touch()
    (tmp_path / "broken.flac").write_bytes(b"fLaC" + b"\0" * 100)
    soundfile.write(tmp_path / "short.wav", np.ones(800, np.float32) * 0.1, 16_000)
    soundfile.write(tmp_path / "silent.wav", np.zeros(32_000, np.float32), 16_000)
    soundfile.write(tmp_path / "hum.wav", 0.01 * coloured(3, 2, RNG), 16_000)
    soundfile.write(tmp_path / "nan.wav", np.full(32_000, np.nan, np.float32), 16_000, subtype="FLOAT")
    expected = {
        "empty.wav": "is empty; copy it again",
        "broken.flac": "WAV",
        "short.wav": "lasts 0.05 s; a call needs",
        "silent.wav": "is silent",
        "hum.wav": "no call stands out",
        "nan.wav": "is damaged",
        "gone.wav": "No such file",
    }
    for name, words in expected.items():
        found = look(tmp_path / name, name, "dog")
        assert not found.good
        assert words in found.says[0]


def test_clipping_is_told(tmp_path: Path) -> None:
    found = look(recording(tmp_path / "loud.wav", "howl", "bark", level=3.0), "loud.wav", "dog")
    assert any("cut off at full scale" in line for line in found.says)


def test_the_wrong_animal_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "species_of", lambda calls: ("cat", 0.93))
    found = look(recording(tmp_path / "a.wav", "meow", "meow"), "a.wav", "dog")
    assert "sounds like a cat, not like a dog" in found.says[0]


@pytest.mark.data
def test_people_are_left_out(tmp_path: Path) -> None:
    folder = Path(os.environ.get("EVERPAW_DATA", "/nowhere")) / "speech"
    if not folder.is_dir():
        pytest.skip("EVERPAW_DATA names no speech")
    speech = read(sorted(folder.glob("*.flac"))[0]).samples
    dog = np.pad(0.3 * call(REX, "howl", np.random.default_rng(1)), 12_000)
    soundfile.write(tmp_path / "both.wav", np.concatenate([speech, dog]), 16_000)
    found = look(tmp_path / "both.wav", "both.wav", "dog")
    assert found.people_s > 2
    assert [t.segment.start > len(speech) for t in found.taken] == [True]
    assert any("people's voices" in line for line in found.says)


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
def test_the_sound_of_a_film_is_read(tmp_path: Path) -> None:
    recording(tmp_path / "a.wav", "howl")
    film = tmp_path / "a.mp4"
    black = ["-f", "lavfi", "-i", "color=black:s=32x32:d=2"]
    command = ["ffmpeg", "-v", "error", *black, "-i", str(tmp_path / "a.wav"), "-shortest", str(film)]
    subprocess.run(command, check=True)
    assert look(film, "a.mp4", "dog").good


def test_without_ffmpeg_a_film_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    (tmp_path / "a.mp4").write_bytes(b"\0\0\0\x18ftypmp42" + b"\0" * 200)
    assert "install ffmpeg" in look(tmp_path / "a.mp4", "a.mp4", "dog").says[0]
