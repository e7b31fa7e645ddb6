"""Animals made by rule, to measure on: each has a throat, a pitch and a hoarseness of its own."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training.animal import Call, Points, voice
from training.clone.voice.soundtrack import Signal

_FORMANTS = ((620.0, 140.0, 1.0), (1_350.0, 220.0, 0.7), (2_700.0, 380.0, 0.35), (4_100.0, 600.0, 0.15))
KINDS = ("bark", "whine", "howl", "growl", "meow")


@dataclass(frozen=True, slots=True)
class Animal:
    """`throat` scales the formants, `pitch` the fundamental; the rest is how it sounds."""

    name: str
    throat: float
    pitch: float
    breath: float
    rough: float
    tilt: float
    weights: tuple[float, ...]
    """Of the formants"""


def animals(count: int, seed: int) -> list[Animal]:
    """So many of them, no two of one size."""
    rng = np.random.default_rng([seed, count])
    sizes = np.linspace(0.72, 1.4, count)
    rng.shuffle(sizes)
    return [
        Animal(
            f"animal {i}",
            throat=float(size),
            pitch=float(size ** rng.uniform(0.5, 1.1) * rng.uniform(0.85, 1.18)),
            breath=float(rng.uniform(0.05, 0.35)),
            rough=float(rng.uniform(0.0, 0.4)),
            tilt=float(rng.uniform(0.8, 0.97)),
            weights=tuple(float(w) for w in rng.uniform(0.5, 1.5, 4)),
        )
        for i, size in enumerate(sizes)
    ]


_Shape = tuple[float, float, float, Points, Points]
_SHAPES: dict[str, _Shape] = {
    "bark": (0.16, 0.24, 430, ((0, 0.75), (0.2, 1.2), (1, 0.6)), ((0, 0), (0.08, 1), (0.5, 0.7), (1, 0))),
    "whine": (0.5, 0.8, 760, ((0, 0.9), (0.3, 1.2), (1, 0.8)), ((0, 0), (0.2, 0.8), (0.6, 1), (1, 0))),
    "howl": (1.1, 1.6, 480, ((0, 0.6), (0.3, 1.05), (1, 0.7)), ((0, 0), (0.2, 0.8), (0.7, 1), (1, 0))),
    "growl": (0.6, 1.0, 120, ((0, 0.85), (0.6, 1.1), (1, 1.3)), ((0, 0), (0.2, 0.8), (0.8, 1), (1, 0))),
    "meow": (0.5, 0.9, 600, ((0, 0.8), (0.4, 1.15), (1, 0.75)), ((0, 0), (0.25, 1), (0.6, 0.8), (1, 0))),
}
"""Kind -> shortest and longest, pitch, its contour, its loudness"""


def call(animal: Animal, kind: str, rng: np.random.Generator) -> Signal:
    """One call, never the same: (n,), peak about 1."""
    low, high, base, contour, loud = _SHAPES[kind]
    f0 = base * animal.pitch * rng.uniform(0.92, 1.08)
    formants = [
        (centre * animal.throat, width * animal.throat, gain * weight)
        for (centre, width, gain), weight in zip(_FORMANTS, animal.weights, strict=True)
    ]
    made = Call(
        rng.uniform(low, high),
        f0_hz=[(at, f0 * step * rng.uniform(0.96, 1.04)) for at, step in contour],
        loud=loud,
        formants_hz=formants,
        jaw=((0, 0.85), (0.4, 1.1), (1, 0.85)),
        breath=min(animal.breath * rng.uniform(0.7, 1.3), 0.8),
        rough=animal.rough + (0.5 if kind == "growl" else 0),
        tilt=animal.tilt,
    )
    return voice(made, rng).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Scene:
    """A recording of which all is known."""

    clean: Signal
    noise: Signal
    calls: tuple[tuple[int, int], ...]
    """(start, end) of each call, in samples"""

    @property
    def heard(self) -> Signal:
        return self.clean + self.noise

    @property
    def active(self) -> npt.NDArray[np.bool_]:
        """True within calls."""
        mask = np.zeros(len(self.clean), bool)
        for start, end in self.calls:
            mask[start:end] = True
        return mask


def scene(
    animal: Animal, snr_db: float, noise: Signal, rng: np.random.Generator, seconds: float = 20
) -> Scene:
    """Calls of all kinds with pauses, in `noise` (at least as long) at `snr_db` over the calls together."""
    clean = np.zeros(int(seconds * 16_000), np.float32)
    calls: list[tuple[int, int]] = []
    at = int(rng.uniform(0.6, 1.5) * 16_000)
    while True:
        one = call(animal, KINDS[int(rng.integers(len(KINDS)))], rng)
        if at + len(one) > len(clean) - 8_000:
            break
        begin, end = _heard(one)
        level = 0.05 * 10 ** (rng.uniform(-3, 3) / 20)
        clean[at : at + len(one)] = one * level / np.sqrt(np.mean(one[begin:end] ** 2))
        calls.append((at + begin, at + end))
        at += len(one) + int(rng.uniform(0.25, 1.6) * 16_000)
    start = int(rng.integers(0, len(noise) - len(clean) + 1))
    part = noise[start : start + len(clean)]
    active = Scene(clean, part, tuple(calls)).active
    wanted = np.mean(clean[active] ** 2) / np.mean(part**2) * 10 ** (-snr_db / 10)
    return Scene(clean, (part * np.sqrt(wanted)).astype(np.float32), tuple(calls))


def _heard(samples: Signal) -> tuple[int, int]:
    """From where to where it is within 20 dB of its loudest moment."""
    level = np.convolve(samples**2, np.ones(320) / 320, "same")
    loud = np.flatnonzero(level > 0.01 * level.max())
    return int(loud[0]), int(loud[-1]) + 1


def coloured(seconds: float, slope: float, rng: np.random.Generator) -> Signal:
    """Noise whose power falls by `slope` times 3 dB an octave: 0 white, 1 pink, 2 brown. RMS 1."""
    n = int(seconds * 16_000)
    spectrum = np.fft.rfft(rng.standard_normal(n))
    spectrum[1:] /= np.arange(1, len(spectrum)) ** (slope / 2)
    spectrum[: int(30 * seconds)] = 0
    noise = np.fft.irfft(spectrum, n)
    return (noise / noise.std()).astype(np.float32)
