"""How far a sound stands over the noise under it: a call in a quiet place far, anything in noise little."""

import numpy as np
import pytest

from runtime.audio.capture import read_audio
from runtime.audio.hiss import over_noise_db
from runtime.contracts.audio import SAMPLE_RATE_HZ, Samples
from runtime.demo.script import CLIPS

WINDOW = round(0.8 * SAMPLE_RATE_HZ)


def noisy(sound: Samples, level: float) -> Samples:
    hiss = np.random.default_rng(4).normal(0, level, len(sound))
    return np.clip(sound + hiss, -32_768, 32_767).astype(np.int16)


def call(length: int = WINDOW) -> Samples:
    """A long one that glides, with all its harmonics: 0.8 s without a pause."""
    at = np.arange(length) / SAMPLE_RATE_HZ
    phase = 2 * np.pi * (500 * at + 60 * np.sin(2 * at))
    return (4_000 * sum(np.sin(k * phase) / k for k in range(1, 9))).astype(np.int16)


def stop() -> Samples:
    return read_audio(CLIPS / "stop.flac")[:WINDOW]


@pytest.mark.parametrize("level", [30, 300, 3_000])
def test_noise_stands_little_over_itself(level: int) -> None:
    assert over_noise_db(noisy(np.zeros(WINDOW, np.int16), level)) < 10


@pytest.mark.parametrize("sound", [call(), stop()], ids=["a call", "a word"])
def test_what_is_loud_in_a_quiet_place_stands_far_over_its_noise(sound: Samples) -> None:
    level = float(np.sqrt(np.mean(sound.astype(float) ** 2)))
    assert over_noise_db(noisy(sound, level / 100)) > 35
    assert over_noise_db(noisy(sound, level / 3)) < 25


def test_silence_and_too_little_sound_stand_over_nothing() -> None:
    assert over_noise_db(np.zeros(WINDOW, np.int16)) == pytest.approx(0.0)
    assert over_noise_db(call(500)) == over_noise_db(call(0)) == 0.0
