"""Where in a recording something calls: the raw signal of 250 to 6,000 Hz, band by band, with hysteresis.

Each band is measured against its own noise floor, so that a tone of one band stands out of broad noise as
loud as itself. A call begins where the loudest bands rise well above their floors and ends where they all
but reach them again.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from runtime.contracts.audio import SAMPLE_RATE_HZ
from training.clone.voice.soundtrack import Signal
from training.clone.voice.spectrum import HOP, mel_bands, spectra

LOW_HZ, HIGH_HZ, BANDS = 250.0, 6_000.0, 20
LOUDEST = 3
"""So many bands speak for a frame"""
BEGINS_DB, STAYS_DB = 8.0, 4.0
DIES_DB, NEAR_S = 16.0, 0.3
"""A call has died away where it is so far below its loudest moment near by"""
FLOOR_SHARE = 0.25
"""A recording is taken to be silent for this share of the time at least"""
FLOOR_REACH_S = 20.0
"""The noise floor may change so slowly"""
LEAST_S, MOST_S = 0.05, 4.8
BRIDGED_S = 0.07
"""Shorter gaps belong to the call"""
_CLOUDED_DB = 1.5
_SMOOTH = 3


@dataclass(frozen=True, slots=True)
class Segment:
    """Samples `start` to `end` of a recording."""

    start: int
    end: int
    above_db: float
    """How far its loudest bands stand out of the noise, in the mean"""

    @property
    def seconds(self) -> float:
        return (self.end - self.start) / SAMPLE_RATE_HZ


def segments(samples: Signal) -> list[Segment]:
    """The calls, in order; a louder stretch of over MOST_S is cut at its quietest moments."""
    if not len(samples):
        return []
    rise = prominence(samples)
    found = []
    for first, last in _runs(rise):
        for begin, end in _cut(rise, first, last):
            if (end - begin) * HOP >= LEAST_S * SAMPLE_RATE_HZ:
                start = max(begin * HOP - HOP // 2, 0)
                stop = min(end * HOP + HOP // 2, len(samples))
                found.append(Segment(start, stop, float(rise[begin:end].mean())))
    return found


def prominence(samples: Signal) -> npt.NDArray[np.float32]:
    """dB by which the loudest bands of each frame stand out of their floors: (frames,)."""
    power = np.abs(spectra(samples)) ** 2 @ mel_bands(BANDS, LOW_HZ, HIGH_HZ).T
    level = 10 * np.log10(_smooth(power) + 1e-12)
    above = level - _floor(level)
    return np.sort(above, axis=1)[:, -LOUDEST:].mean(axis=1)


def _smooth(power: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    padded = np.pad(power, ((_SMOOTH // 2, _SMOOTH // 2), (0, 0)), mode="edge")
    return np.lib.stride_tricks.sliding_window_view(padded, _SMOOTH, axis=0).mean(axis=-1)


def _floor(level: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The noise around each frame, band by band: (frames, bands)."""
    reach = int(FLOOR_REACH_S * SAMPLE_RATE_HZ / HOP)
    starts = list(range(0, max(len(level) - reach, 0) + 1, max(reach // 4, 1)))
    floors = np.array([np.quantile(level[at : at + reach], FLOOR_SHARE, axis=0) for at in starts])
    middles = np.array(starts) + min(reach, len(level)) / 2
    at = np.arange(len(level))
    columns = [np.interp(at, middles, floors[:, band]) for band in range(level.shape[1])]
    # the quarter of noise lies below its mean
    return (np.stack(columns, axis=1) + _CLOUDED_DB).astype(np.float32)


def _runs(rise: npt.NDArray[np.float32]) -> list[tuple[int, int]]:
    """(first frame, frame after the last) of what rises above BEGINS_DB and stays above STAYS_DB."""
    stays = rise > np.maximum(STAYS_DB, _loudest_near(rise) - DIES_DB)
    edges = np.flatnonzero(np.diff(np.pad(stays.astype(np.int8), 1)))
    runs = [(int(a), int(b)) for a, b in edges.reshape(-1, 2) if rise[a:b].max() > BEGINS_DB]
    joined: list[tuple[int, int]] = []
    for begin, end in runs:
        if joined and (begin - joined[-1][1]) * HOP < BRIDGED_S * SAMPLE_RATE_HZ:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((begin, end))
    return joined


def _loudest_near(rise: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The highest of all frames at most NEAR_S away: what is far below it is its echo, or a pause."""
    reach = int(NEAR_S * SAMPLE_RATE_HZ / HOP)
    padded = np.pad(rise, reach, mode="edge")
    return np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1).max(axis=1)


def _cut(rise: npt.NDArray[np.float32], begin: int, end: int) -> list[tuple[int, int]]:
    """Pieces of at most MOST_S."""
    most = int(MOST_S * SAMPLE_RATE_HZ / HOP)
    if end - begin <= most:
        return [(begin, end)]
    half = begin + most // 2
    at = half + int(rise[half : begin + most].argmin())
    return [(begin, at), *_cut(rise, at, end)]
