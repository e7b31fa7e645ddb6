"""Another pitch and pace for a call, the same throat: TD-PSOLA (Moulines and Charpentier 1990), in numpy.

The call is cut into grains of two periods around its pitch marks; these are laid down again, nearer or wider
for the pitch, more or fewer for the pace. Formants stay, so it is the same animal. Where there is no tone,
grains of a fixed length change the pace alone.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from runtime.contracts.audio import SAMPLE_RATE_HZ
from runtime.speech.pitch import STEP, Curve, Signal

Marks = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.intp]
BREATH_S = 0.006
"""From grain to grain where there is no tone"""
_SEEK = 0.25
"""A mark may lie so many periods beside where it is expected"""


def marks_of(samples: Signal, hz: Curve) -> tuple[Marks, Marks]:
    """(where the grains lie, their periods), both in samples; periods are below 0 where there is no tone."""
    where, periods = [], []
    at, n = 0.0, len(samples)
    tone = False
    while at < n:
        pitch = float(hz[min(int(at / STEP + 0.5), len(hz) - 1)]) if len(hz) else 0.0
        if pitch <= 0:
            where.append(at)
            periods.append(-BREATH_S * SAMPLE_RATE_HZ)
            at, tone = at + BREATH_S * SAMPLE_RATE_HZ, False
            continue
        period = SAMPLE_RATE_HZ / pitch
        at = _peak(samples, at, period * (_SEEK if tone else 1.0))
        if where and at - where[-1] < 0.5 * period:
            at = where[-1] + period
        where.append(at)
        periods.append(period)
        at, tone = at + period, True
    return np.array(where), np.array(periods)


def _peak(samples: Signal, near: float, reach: float) -> float:
    """The highest sample at most `reach` away, between samples by a parabola."""
    low, high = max(int(near - reach), 1), min(int(near + reach) + 2, len(samples) - 1)
    if high - low < 2:
        return near
    top = low + int(np.argmax(samples[low:high]))
    left, mid, right = (float(v) for v in samples[top - 1 : top + 2])
    bend = left - 2 * mid + right
    return top + (0.5 * (left - right) / bend if bend < 0 else 0.0)


@dataclass(frozen=True, slots=True)
class Grains:
    """A call cut up, ready for any number of variations."""

    samples: Signal
    where: Marks
    """Middles, in samples"""
    periods: Marks
    """In samples; below 0 where there is no tone"""

    @classmethod
    def of(cls, samples: Signal, hz: Curve) -> "Grains":
        """`hz` as `pitch.pitch_of` gives it."""
        return cls(samples.astype(np.float32), *marks_of(samples, hz))

    def shifted(self, ratio: float | Curve | Marks, pace: float) -> Signal:
        """The pitch times `ratio` (a number, or a curve of one value a STEP), `pace` times as long."""
        if len(self.where) < 2:
            return self.samples
        ratios = np.atleast_1d(np.asarray(ratio, np.float64))
        steps = np.minimum((self.where / STEP + 0.5).astype(int), len(ratios) - 1)
        apart = np.where(self.periods > 0, self.periods / ratios[steps], -self.periods)
        at, chosen = self._plan(apart, pace)
        return self._laid(at, chosen, int(len(self.samples) * pace))

    def _plan(self, apart: Marks, pace: float) -> tuple[Marks, Numbers]:
        """(where grains are laid down, which ones)."""
        middles = (self.where[1:] + self.where[:-1]) / 2
        at, last = float(self.where[0] * pace), len(self.samples) * pace
        laid = []
        chosen = []
        for_all = apart.tolist()
        until = [*(middles * pace).tolist(), last]
        grain = 0
        while at < last:
            while at > until[grain]:
                grain += 1
            laid.append(at)
            chosen.append(grain)
            at += for_all[grain]
        return np.array(laid), np.array(chosen, np.intp)

    def _laid(self, at: Marks, chosen: Numbers, size: int) -> Signal:
        """The grains under Hann windows, added; what the windows add up to is taken out again."""
        half = np.abs(self.periods)[chosen][:, None]
        reach = int(half.max()) + 2
        source = np.pad(self.samples, (reach, reach + 2))
        first = np.ceil(at[:, None] - half)
        out, weight = np.zeros(size + 2 * reach + 2), np.zeros(size + 2 * reach + 2)
        # grains of one length together: a growl's long ones must not widen the table of a whistle's
        for rows in _alike(half[:, 0]):
            span = first[rows] + np.arange(int(2 * half[rows].max()) + 2)  # (grains, samples)
            beside = span - at[rows, None]
            window = np.where(np.abs(beside) < half[rows], 0.5 + 0.5 * np.cos(np.pi * beside / half[rows]), 0)
            from_ = np.clip(self.where[chosen[rows], None] + beside + reach, 0, len(source) - 2)
            left = from_.astype(np.intp)
            grain = source[left] + (source[left + 1] - source[left]) * (from_ - left)
            to = (span + reach).astype(np.intp).clip(0, len(out) - 1).ravel()
            out += np.bincount(to, (window * grain).ravel(), len(out))
            weight += np.bincount(to, window.ravel(), len(out))
        return (out / np.maximum(weight, 0.3))[reach : reach + size].astype(np.float32)


def _alike(halves: Marks) -> list[Numbers]:
    """Numbers of the grains, those of about one length together."""
    octave = np.log2(halves).astype(int)
    return [np.flatnonzero(octave == which) for which in np.unique(octave)]
