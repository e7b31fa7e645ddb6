"""Noises to live with: hiss, hum, servo motors, people talking, animals, a real kitchen where it is at hand.

Each kind is made once a process, half a minute long, and random stretches are cut from it.
"""

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from training.data import voices

Floats = npt.NDArray[np.float32]
RATE_HZ = 16_000
_LENGTH = 30 * RATE_HZ
_BABBLE = (
    "well I told them the other day that it would never work like this",
    "can you pass me the water please and the bread over there",
    "the weather is supposed to change on thursday afternoon",
    "no no that is not what she said at all",
    "twenty three people came and nobody had brought a chair",
    "we were going to paint the kitchen but then the phone rang",
)


def _coloured(slope: float) -> Floats:
    """White at 0, pink at -0.5, brown at -1: amplitude goes with frequency to the power of `slope`."""
    spectrum = np.fft.rfft(np.random.default_rng(1).standard_normal(_LENGTH))
    hz = np.maximum(np.fft.rfftfreq(_LENGTH, 1 / RATE_HZ), 20.0)
    return _level(np.fft.irfft(spectrum * hz**slope, _LENGTH))


def _hum() -> Floats:
    time = np.arange(_LENGTH) / RATE_HZ
    tones = sum(np.sin(2 * np.pi * 50 * k * time + k) / k for k in range(1, 9))
    return _level(tones + 0.1 * np.random.default_rng(2).standard_normal(_LENGTH))


def _motors() -> Floats:
    """Gear whine that rises and falls as joints move and rest."""
    rng = np.random.default_rng(3)
    knots = _LENGTH // 4000
    steps = np.arange(_LENGTH) / 4000
    speed = np.interp(steps, np.arange(knots), np.abs(rng.normal(0, 1, knots)))
    phase = 2 * np.pi * np.cumsum(150 + 700 * speed) / RATE_HZ
    whine = sum(np.sin(k * phase) / k for k in (1, 2, 3, 5, 8))
    return _level(speed * (whine + 0.5 * rng.standard_normal(_LENGTH)))


def _babble() -> Floats:
    """Six synthetic people at once, on a loop."""
    rng = np.random.default_rng(4)
    among = voices.voices()
    total = np.zeros(_LENGTH, np.float32)
    for _ in range(6):
        talk = [voices.synthesize(s, voices.choose(among, rng), rng) for s in rng.permutation(_BABBLE)[:4]]
        total += np.roll(np.resize(np.concatenate(talk), _LENGTH), int(rng.integers(_LENGTH)))
    return _level(total)


def _kitchen() -> Floats:
    """The recording under EVERPAW_DATA; pink noise where there is none."""
    path = Path(os.environ.get("EVERPAW_DATA", "")) / "noise" / "kitchen.flac"
    if not os.environ.get("EVERPAW_DATA") or not path.is_file():
        return _coloured(-0.5)
    samples, _ = soundfile.read(path, dtype="float32")
    return _level(samples)


def _level(sound: npt.NDArray[np.floating]) -> Floats:
    return (0.1 * sound / (np.sqrt((sound**2).mean()) + 1e-9)).astype(np.float32)


KINDS: dict[str, tuple[float, Callable[[], Floats]]] = {
    "white": (1.0, lambda: _coloured(0.0)),
    "pink": (2.0, lambda: _coloured(-0.5)),
    "brown": (1.0, lambda: _coloured(-1.0)),
    "hum": (0.5, _hum),
    "motors": (1.5, _motors),
    "babble": (2.0, _babble),
    "kitchen": (3.0, _kitchen),
}
"""Name -> how often it is drawn, and how it is made (RMS 0.1)"""


@cache
def bank(kind: str) -> Floats:
    """The whole sound of one kind, at least half a minute."""
    return KINDS[kind][1]()


def stretch(n: int, rng: np.random.Generator, kind: str | None = None) -> Floats:
    """`n` samples from anywhere in a random (or the named) kind of noise."""
    if kind is None:
        weights = np.array([weight for weight, _ in KINDS.values()])
        kind = list(KINDS)[int(rng.choice(len(weights), p=weights / weights.sum()))]
    sound = bank(kind)
    start = int(rng.integers(len(sound)))
    return np.take(sound, np.arange(start, start + n), mode="wrap")
