"""Calls made by rule, of known pitch."""

import numpy as np
import numpy.typing as npt

Signal = npt.NDArray[np.float32]


def call(begin_hz: float, end_hz: float, seconds: float = 0.5, formant_hz: float = 1_200.0) -> Signal:
    """Harmonics below one resonance, gliding from one pitch to another, soft at both ends."""
    n = int(seconds * 16_000)
    hz = np.geomspace(begin_hz, end_hz, n)
    phase = 2 * np.pi * np.cumsum(hz) / 16_000
    out = np.zeros(n)
    for harmonic in range(1, int(7_000 / max(begin_hz, end_hz)) + 1):
        loud = 1 / (1 + ((harmonic * hz - formant_hz) / 400) ** 2) + 0.05 / harmonic
        out += loud * np.sin(harmonic * phase)
    out *= np.sin(np.pi * np.arange(n) / n)
    return (0.6 * out / np.abs(out).max()).astype(np.float32)


def cents(one: npt.ArrayLike, other: npt.ArrayLike) -> npt.NDArray[np.float64]:
    return np.asarray(1_200 * np.log2(np.asarray(one, np.float64) / np.asarray(other, np.float64)))
