"""The pet's own sounds: recordings or synthesis in the pack, picked by kind and mood, never quite the same.

`sounds.toml` lists [[sound]] file, kind, valence, arousal. `pick` takes the one nearest to the mood among
those not played of late and varies its pitch and pace in the manner of the mood, its throat unchanged. A
sound that is a `single` call becomes a bout. `sustain` goes on for as long as asked. Seeded.
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
from runtime.speech.level import as_samples
from runtime.speech.manner import manner_of, varied
from runtime.speech.pitch import STEP, Signal, pitch_of
from runtime.speech.psola import Grains
from runtime.speech.sustain import sustained

MAX_SECONDS = 5.0
_RECENT = 4
_RECENCY_COST = 0.7
LASTING = frozenset({"purr", "pant"})
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
    single: bool = False
    """One call, of which a bout is made as the mood asks"""
    pitch_hz: tuple[Annotated[int, Field(ge=0, le=4_000)], ...] = ()
    """Every 5 ms, 0 where there is no tone; measured when first played where it is not given"""


class _List(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    sound: list[Sound]
    stand_ins: dict[str, str] = {}
    """Kind that this animal was never heard to make -> the one it makes in its place"""


class SoundBank:
    """All sounds of one pack, decoded once. PackError where a file is missing or not sound."""

    def __init__(self, folder: Path, seed: int = 0) -> None:
        path = folder / "sounds.toml"
        listed = validated(_List, read_toml(path), path)
        self._sounds, self._stand_ins = listed.sound, listed.stand_ins
        self._samples = {sound.file: _load(folder / sound.file) for sound in self._sounds}
        self._grains: dict[str, Grains] = {}
        self._seed = seed
        self.begin_anew()

    def begin_anew(self) -> None:
        """As if nothing had been played yet."""
        self._chance = random.Random(self._seed)
        self._recent: deque[str] = deque(maxlen=_RECENT)

    @property
    def kinds(self) -> list[str]:
        own = {sound.kind for sound in self._sounds}
        return sorted(own | {kind for kind, other in self._stand_ins.items() if other in own})

    def pick(self, kind: str, mood: str) -> Samples:
        """A sound of `kind`, 16 kHz; empty where the pack has none of that kind."""
        sound = self._chosen(kind, mood)
        if sound is None:
            return np.zeros(0, np.int16)
        manner = manner_of(mood)
        bout = [self._vary(sound, mood)]
        for _ in range(self._chance.randint(*manner.calls) - 1 if sound.single else 0):
            gap_s = self._chance.uniform(*manner.gap_s)
            bout += [np.zeros(int(gap_s * SAMPLE_RATE_HZ), np.float32), self._vary(sound, mood)]
        return as_samples(np.concatenate(bout))

    def sustain(self, kind: str, mood: str, seconds: float) -> Samples:
        """`kind` for so long, without a seam; empty where the pack has none of that kind."""

        def again() -> Signal:
            sound = self._chosen(kind, mood)
            return self._vary(sound, mood) if sound else np.zeros(0, np.float32)

        return as_samples(sustained(again, seconds)) if kind in self.kinds else np.zeros(0, np.int16)

    def of_own_will(self, kinds: tuple[str, ...], mood: str) -> Samples:
        """The first of `kinds` that the pack has; what is breathed rather than called goes on for a while."""
        kind = next((kind for kind in kinds if kind in self.kinds), "")
        if kind in LASTING:
            return self.sustain(kind, mood, self._chance.uniform(2.0, 4.0))
        return self.pick(kind, mood)

    def prepare(self) -> bool:
        """Measure one sound that nobody asked for yet; False where all are ready to be played at once."""
        waiting = next((sound for sound in self._sounds if sound.file not in self._grains), None)
        if waiting is not None:
            self._cut(waiting)
        return waiting is not None

    def _chosen(self, kind: str, mood: str) -> Sound | None:
        meant = self._stand_ins.get(kind, kind)
        options = [sound for sound in self._sounds if sound.kind == meant]
        if not options:
            return None
        valence, arousal = MOOD_POINTS.get(mood, MOOD_POINTS["calm"])
        costs = [self._cost(sound, valence, arousal) for sound in options]
        chosen = options[costs.index(min(costs))]
        self._recent.append(chosen.file)
        return chosen

    def _cost(self, sound: Sound, valence: float, arousal: float) -> float:
        distance = abs(sound.valence - valence) + abs(sound.arousal - arousal)
        recency = 0.0
        for age, file in enumerate(reversed(self._recent)):
            recency = max(recency, _RECENCY_COST * (1 - age / _RECENT)) if file == sound.file else recency
        return distance + recency + self._chance.uniform(0, 0.3)

    def _vary(self, sound: Sound, mood: str) -> Signal:
        variation = varied(manner_of(mood), self._chance)
        grains = self._cut(sound)
        begin, end = variation.semitones
        steps = len(grains.samples) // STEP + 1
        ratio = 2 ** (np.linspace(begin, end, steps, dtype=np.float32) / 12)
        gain = np.float32(10 ** (variation.gain_db / 20))
        return grains.shifted(ratio, variation.pace) * gain

    def _cut(self, sound: Sound) -> Grains:
        """Measured and cut when it is first wanted."""
        if sound.file not in self._grains:
            samples = self._samples[sound.file].astype(np.float32) / np.float32(32_768)
            hz = np.array(sound.pitch_hz, np.float32) if sound.pitch_hz else pitch_of(samples).hz
            self._grains[sound.file] = Grains.of(samples, hz)
        return self._grains[sound.file]


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
