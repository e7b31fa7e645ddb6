"""The pet's own sounds: recordings or synthesis in the pack, picked by kind and mood, never quite the same.

`sounds.toml` lists [[sound]] file, kind, valence, arousal. `pick` takes the one nearest to the mood among
those not played of late, then shifts pitch and tempo together by up to two semitones. Seeded.
"""

import random
from collections import deque
from pathlib import Path
from typing import Annotated

import numpy as np
import soundfile
import soxr
from pydantic import BaseModel, ConfigDict, Field

from runtime.contracts.audio import SAMPLE_RATE_HZ, Samples
from runtime.contracts.errors import PackError
from runtime.mind.acts import read_toml, validated

MAX_SECONDS = 5.0
SEMITONES = 2.0
_RECENT = 4
_RECENCY_COST = 0.7
MOOD_POINTS = {
    "calm": (0.1, -0.1),
    "happy": (0.6, 0.2),
    "excited": (0.6, 0.7),
    "sad": (-0.6, -0.2),
    "sleepy": (0.1, -0.7),
    "curious": (0.2, 0.3),
    "startled": (-0.3, 0.8),
}
"""Mood -> (valence, arousal)"""
_Unit = Annotated[float, Field(ge=-1, le=1)]


class Sound(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    file: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
    kind: Annotated[str, Field(pattern=r"^[a-z_]{1,32}$")]
    valence: _Unit
    arousal: _Unit


class _List(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    sound: list[Sound]


class SoundBank:
    """All sounds of one pack, decoded once. PackError where a file is missing or not sound."""

    def __init__(self, folder: Path, seed: int = 0) -> None:
        path = folder / "sounds.toml"
        self._sounds = validated(_List, read_toml(path), path).sound
        self._samples = {sound.file: _load(folder / sound.file) for sound in self._sounds}
        self._chance = random.Random(seed)
        self._recent: deque[str] = deque(maxlen=_RECENT)

    @property
    def kinds(self) -> list[str]:
        return sorted({sound.kind for sound in self._sounds})

    def pick(self, kind: str, mood: str) -> Samples:
        """A sound of `kind`, 16 kHz; empty where the pack has none of that kind."""
        options = [sound for sound in self._sounds if sound.kind == kind]
        if not options:
            return np.zeros(0, np.int16)
        valence, arousal = MOOD_POINTS.get(mood, MOOD_POINTS["calm"])
        costs = [self._cost(sound, valence, arousal) for sound in options]
        chosen = options[costs.index(min(costs))]
        self._recent.append(chosen.file)
        return self._vary(self._samples[chosen.file])

    def _cost(self, sound: Sound, valence: float, arousal: float) -> float:
        distance = abs(sound.valence - valence) + abs(sound.arousal - arousal)
        recency = 0.0
        for age, file in enumerate(reversed(self._recent)):
            recency = max(recency, _RECENCY_COST * (1 - age / _RECENT)) if file == sound.file else recency
        return distance + recency + self._chance.uniform(0, 0.3)

    def _vary(self, samples: Samples) -> Samples:
        ratio = 2 ** (self._chance.uniform(-SEMITONES, SEMITONES) / 12)
        varied = soxr.resample(samples, SAMPLE_RATE_HZ * ratio, SAMPLE_RATE_HZ)
        return np.asarray(varied, np.int16)


def _load(path: Path) -> Samples:
    try:
        samples, rate_hz = soundfile.read(path, dtype="int16", always_2d=True)
    except (OSError, soundfile.SoundFileError) as error:
        raise PackError(f"{path} is not a sound file ({error}); mend the pack") from error
    if len(samples) > MAX_SECONDS * rate_hz:
        raise PackError(
            f"{path} lasts {len(samples) / rate_hz:.1f} s; a pet sound has at most {MAX_SECONDS:.0f} s"
        )
    mono = samples[:, 0]
    return np.asarray(soxr.resample(mono, rate_hz, SAMPLE_RATE_HZ) if rate_hz != SAMPLE_RATE_HZ else mono)
