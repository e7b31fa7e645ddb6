"""Purring, panting, growling for as long as wished, out of a short recording, without a seam.

The recording's steady middle is varied again and again; each pass is laid into the one before where both are
most alike, and cross-faded there, so that neither beat nor breath stumbles.
"""

from collections.abc import Callable

import numpy as np

from runtime.contracts.audio import SAMPLE_RATE_HZ
from runtime.speech.pitch import Signal

_FADE = int(0.08 * SAMPLE_RATE_HZ)
_SEEK = int(0.12 * SAMPLE_RATE_HZ)
"""How far a pass is moved to fit: at least a stroke of a purr, a breath of a pant"""
_ENDS = int(0.15 * SAMPLE_RATE_HZ)
MOST_S = 20.0


def sustained(again: Callable[[], Signal], seconds: float) -> Signal:
    """`again` gives another variation of the recording at each call; `seconds` up to MOST_S."""
    size = int(min(seconds, MOST_S) * SAMPLE_RATE_HZ)
    out = _middle(again())
    while len(out) < size:
        longer = _joined(out, _middle(again()))
        if len(longer) <= len(out):
            break
        out = longer
    out = out[:size].copy()
    ends = min(_ENDS, len(out) // 3)
    ramp = 0.5 - 0.5 * np.cos(np.pi * np.arange(ends) / max(ends, 1))
    out[:ends] *= ramp
    out[len(out) - ends :] *= ramp[::-1]
    return out.astype(np.float32)


def _middle(samples: Signal) -> Signal:
    """Without the attack and the dying away."""
    edge = len(samples) // 8
    return samples[edge : len(samples) - edge]


def _joined(one: Signal, other: Signal) -> Signal:
    """`other` after `one`, overlapping where they are most alike."""
    fade = min(_FADE, len(one) // 2, len(other) // 2)
    tail = one[len(one) - fade :]
    starts = range(0, max(min(_SEEK, len(other) - fade), 1), 4)
    start = max(starts, key=lambda at: _alike(tail, other[at : at + fade]))
    head, angle = other[start : start + fade], np.pi / 2 * np.arange(fade) / max(fade, 1)
    alike = max(_alike(tail, head), 0.0)
    fall, rise = np.cos(angle), np.sin(angle)
    # two sounds that are alike add up, two that are not do so in power: the level stays in either case
    level = np.sqrt(fall**2 + rise**2 + 2 * alike * fall * rise)
    crossed = (tail * fall + head * rise) / level
    return np.concatenate([one[: len(one) - fade], crossed, other[start + fade :]])


def _alike(one: Signal, other: Signal) -> float:
    energy = float(np.sqrt(np.dot(one, one) * np.dot(other, other)))
    return float(np.dot(one, other)) / energy if energy > 1e-9 else 0.0
