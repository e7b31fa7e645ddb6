"""The pitch of a call, 5 ms by 5 ms: McLeod and Wyvill's normalised square difference, in numpy alone.

An animal jumps between registers and barks noise, so each step offers several candidates and one path through
them is taken that jumps as little as it must.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from runtime.contracts.audio import SAMPLE_RATE_HZ

Signal = npt.NDArray[np.float32]
"""(n,), -1..1, 16 kHz"""
Curve = npt.NDArray[np.float32]
STEP = SAMPLE_RATE_HZ // 200
"""Samples from one value of a curve to the next"""
LOWEST_HZ, HIGHEST_HZ = 80.0, 2_000.0
VOICED = 0.5
"""Clarity from which a step counts as a tone"""
_WINDOW = 448
_CANDIDATES = 4
_NEAR_BEST = 0.8
"""A shorter period as good as this share of the best is preferred: the rest are its multiples"""
_OCTAVE_COST = 0.5


@dataclass(frozen=True, slots=True)
class Pitch:
    """`hz` is 0 where there is no tone; `clarity` is 0..1, 1 for a perfect tone. Both (steps,)."""

    hz: Curve
    clarity: Curve

    @property
    def tonality(self) -> float:
        """Share of steps that are a tone."""
        return float(np.mean(self.hz > 0)) if len(self.hz) else 0.0

    @property
    def median_hz(self) -> float:
        """Of the steps that are a tone; 0 where none is."""
        return float(np.median(self.hz[self.hz > 0])) if np.any(self.hz > 0) else 0.0


def pitch_of(samples: Signal) -> Pitch:
    """The pitch around every STEP-th sample."""
    steps = -(-len(samples) // STEP)
    if not steps:
        return Pitch(np.zeros(0, np.float32), np.zeros(0, np.float32))
    alike = _likeness(_frames(samples, steps))
    lags, clarity = _peaks(alike)
    path = _smoothest(lags, clarity)
    at = np.arange(steps)
    chosen, sure = lags[at, path], clarity[at, path]
    hz = np.where(sure >= VOICED, SAMPLE_RATE_HZ / np.maximum(chosen, 1), 0)
    return Pitch(_without_specks(hz).astype(np.float32), np.clip(sure, 0, 1).astype(np.float32))


def _frames(samples: Signal, steps: int) -> Signal:
    """(steps, _WINDOW), each around its step."""
    padded = np.pad(samples.astype(np.float32), (_WINDOW // 2, _WINDOW))
    return np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::STEP][:steps]


def _likeness(frames: Signal) -> Signal:
    """How like itself each frame is after a lag, -1..1: (steps, lags up to that of the lowest pitch)."""
    frames = frames - frames.mean(axis=1, keepdims=True)
    spectrum = np.fft.rfft(frames, 2 * _WINDOW, axis=1)
    product = np.fft.irfft(np.abs(spectrum) ** 2, axis=1)[:, :_WINDOW]
    energy = np.cumsum(np.pad(frames**2, ((0, 0), (1, 0))), axis=1)
    whole = energy[:, -1:]
    lag = np.arange(_WINDOW)
    overlap = (whole - energy[:, lag]) + energy[:, _WINDOW - lag]
    longest = int(SAMPLE_RATE_HZ / LOWEST_HZ) + 2
    alike: Signal = (2 * product / np.maximum(overlap, 1e-6))[:, :longest].astype(np.float32)
    return alike


def _peaks(alike: Signal) -> tuple[Curve, Curve]:
    """The best lags of each step and their clarity, refined by a parabola: (steps, _CANDIDATES) each."""
    inner = alike[:, 1:-1]
    before, after = alike[:, :-2], alike[:, 2:]
    shortest = int(SAMPLE_RATE_HZ / HIGHEST_HZ)
    top = (inner > before) & (inner >= after) & (np.arange(1, alike.shape[1] - 1) >= shortest)
    score = np.where(top, inner, -1.0)
    # a multiple of the true period is as clear as the period itself: the shortest of the good ones leads
    best = score.max(axis=1, keepdims=True)
    bonus = np.where(score >= _NEAR_BEST * best, 1e-3 * np.arange(score.shape[1], 0, -1), 0)
    order = np.argsort(-(score + bonus), axis=1)[:, :_CANDIDATES]
    at = np.arange(len(alike))[:, None]
    left, mid, right = before[at, order], inner[at, order], after[at, order]
    bend = left - 2 * mid + right
    shift = np.where(np.abs(bend) > 1e-9, 0.5 * (left - right) / np.where(bend == 0, 1, bend), 0)
    shift = np.clip(shift, -0.5, 0.5)
    clarity = np.where(score[at, order] > 0, mid - 0.25 * (left - right) * shift, 0)
    return (order + 1 + shift).astype(np.float32), clarity.astype(np.float32)


def _smoothest(lags: Curve, clarity: Curve) -> npt.NDArray[np.intp]:
    """One candidate a step, clear and without needless jumps (Viterbi)."""
    octaves = np.log2(np.maximum(lags, 1))
    rank = 0.08 * np.arange(lags.shape[1])
    cost = 1 - clarity + rank
    back = np.zeros(lags.shape, np.intp)
    total = cost[0]
    for step in range(1, len(lags)):
        jump = np.abs(octaves[step][:, None] - octaves[step - 1][None, :])
        sum_ = total[None, :] + _OCTAVE_COST * np.minimum(jump, 1.5)
        back[step] = sum_.argmin(axis=1)
        total = cost[step] + sum_.min(axis=1)
    path = np.zeros(len(lags), np.intp)
    path[-1] = total.argmin()
    for step in range(len(lags) - 1, 0, -1):
        path[step - 1] = back[step][path[step]]
    return path


def _without_specks(hz: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """A tone of a single step is none."""
    tone = np.pad(hz > 0, 1)
    return np.where(tone[:-2] | tone[2:], hz, 0)
