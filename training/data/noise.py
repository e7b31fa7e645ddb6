"""Noises to live with: hiss, hum, motors, dishes, water, music, people talking, a real kitchen where at hand.

Each kind is made once a process, half a minute long, and random stretches are cut from it. Of the kitchen's
recording the first part may be trained on; the rest is kept aside, so that a report can use a noise of that
kind which no model has heard.
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
_SPEED = 0.35
"""Logarithm of the fastest; the slowest is as far on the other side"""
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


def _dishes() -> Floats:
    """Plates, pans and cutlery: blows that ring at a few frequencies each, over a little hiss."""
    rng = np.random.default_rng(5)
    total = 0.003 * rng.standard_normal(_LENGTH)
    time = np.arange(RATE_HZ // 2) / RATE_HZ
    for _ in range(150):
        tones = rng.uniform(300, 7000, int(rng.integers(3, 9)))
        decay_s = rng.uniform(0.01, 0.15, len(tones))
        ring = sum(
            np.sin(2 * np.pi * hz * time) * np.exp(-time / s) for hz, s in zip(tones, decay_s, strict=True)
        )
        blow = rng.standard_normal(len(time)) * np.exp(-time / 0.004)
        start = int(rng.integers(_LENGTH - len(time)))
        total[start : start + len(time)] += rng.lognormal(-1.0, 1.0) * (ring + 2.0 * blow)
    return _level(total)


def _water() -> Floats:
    """A tap, a kettle, frying: coloured hiss whose level and brightness wander."""
    rng = np.random.default_rng(6)
    bright = rng.standard_normal(_LENGTH)
    dull = np.convolve(bright, np.ones(12) / 12, mode="same") * 3.0
    knots = _LENGTH // 3000
    steps = np.linspace(0, knots - 1, _LENGTH)
    mixture = np.interp(steps, np.arange(knots), rng.random(knots))
    level = np.exp(np.interp(steps, np.arange(knots), rng.normal(0, 0.5, knots)))
    return _level(level * (mixture * bright + (1 - mixture) * dull))


def _music() -> Floats:
    """Chords and a tune of plucked tones over a beat."""
    rng = np.random.default_rng(7)
    total = np.zeros(_LENGTH)
    for start in range(0, _LENGTH - RATE_HZ, RATE_HZ // 4):
        time = np.arange(RATE_HZ) / RATE_HZ
        for semitone in rng.choice([0, 3, 4, 7, 9, 12, 16, 19], int(rng.integers(1, 4)), replace=False):
            hz = 130.8 * 2 ** (semitone / 12)
            tone = sum(np.sin(2 * np.pi * hz * k * time) / k for k in range(1, 9))
            total[start : start + RATE_HZ] += tone * np.exp(-4 * time) * rng.uniform(0.3, 1.0)
        beat = rng.standard_normal(RATE_HZ) * np.exp(-60 * time)
        total[start : start + RATE_HZ] += beat * rng.uniform(0.0, 1.5)
    return _level(total)


def _people() -> Floats:
    """Three real readers at once (EVERPAW_DATA), synthetic babble where there are none."""
    files = sorted((_data() / "negatives" / "librispeech").glob("*.flac")) if _data() else []
    if not files:
        return _babble()
    rng, total = np.random.default_rng(8), np.zeros(_LENGTH, np.float32)
    for _ in range(3):
        talk = [_level(soundfile.read(files[i], dtype="float32")[0]) for i in rng.permutation(len(files))[:5]]
        total += np.resize(np.concatenate(talk), _LENGTH)
    return _level(total)


KITCHEN_TRAINED_S = 80
"""Of the kitchen's recording: what training may use; the rest is for reports"""


def _kitchen() -> Floats:
    """The first part of the recording under EVERPAW_DATA; pink noise where there is none."""
    path = _data() / "noise" / "kitchen.flac" if _data() else None
    if path is None or not path.is_file():
        return _coloured(-0.5)
    samples, _ = soundfile.read(path, dtype="float32", stop=KITCHEN_TRAINED_S * RATE_HZ)
    return _level(samples)


def _data() -> Path | None:
    return Path(os.environ["EVERPAW_DATA"]) if os.environ.get("EVERPAW_DATA") else None


def _level(sound: npt.NDArray[np.floating]) -> Floats:
    return (0.1 * sound / (np.sqrt((sound**2).mean()) + 1e-9)).astype(np.float32)


KINDS: dict[str, tuple[float, Callable[[], Floats]]] = {
    "white": (1.0, lambda: _coloured(0.0)),
    "pink": (2.0, lambda: _coloured(-0.5)),
    "brown": (1.0, lambda: _coloured(-1.0)),
    "hum": (0.5, _hum),
    "motors": (1.5, _motors),
    "dishes": (1.5, _dishes),
    "water": (1.0, _water),
    "music": (1.0, _music),
    "babble": (1.5, _babble),
    "people": (1.0, _people),
    "kitchen": (3.0, _kitchen),
}
"""Name -> how often it is drawn, and how it is made (RMS 0.1)"""


@cache
def bank(kind: str) -> Floats:
    """The whole sound of one kind, at least half a minute."""
    return KINDS[kind][1]()


def stretch(n: int, rng: np.random.Generator, kind: str | None = None) -> Floats:
    """`n` samples from anywhere in a random (or the named) kind of noise, half the time at another speed."""
    if kind is None:
        weights = np.array([weight for weight, _ in KINDS.values()])
        kind = list(KINDS)[int(rng.choice(len(weights), p=weights / weights.sum()))]
    sound = bank(kind)
    start = int(rng.integers(len(sound)))
    speed = 1.0 if rng.random() < 0.5 else float(np.exp(rng.uniform(-_SPEED, _SPEED)))
    at = (start + speed * np.arange(n)) % len(sound)
    return np.interp(at, np.arange(len(sound)), sound, period=len(sound)).astype(np.float32)
