"""Clips on their way out of the loudspeaker: when each began, how far it came, and what sounded at a moment.

Times are seconds of the monotonic clock. Not thread-safe by itself: a sink calls it under its own lock.
"""

from collections import deque
from dataclasses import dataclass

import numpy as np

from runtime.contracts.audio import SAMPLE_RATE_HZ, Samples

MEMORY_S = 2.0
"""What ended longer ago is forgotten"""


@dataclass(slots=True, eq=False)
class Clip:
    """One sound that was given to a sink."""

    samples: Samples
    """16 kHz"""
    start_s: float | None = None
    """When its first sample sounded or will; None while that is not known"""
    cut_s: float | None = None
    """When it was silenced, for good or for a while; None where it was not"""
    rest: "Clip | None" = None
    """What of it sounds, or was to sound, after it was silenced for a while"""

    @property
    def length_s(self) -> float:
        return len(self.samples) / SAMPLE_RATE_HZ

    @property
    def last_cut_s(self) -> float | None:
        """When it was silenced for good; None where it was not."""
        return self.rest.last_cut_s if self.rest and self.rest.start_s is not None else self.cut_s

    @property
    def pauses(self) -> int:
        """How often it was silenced for a while and went on."""
        return 1 + self.rest.pauses if self.rest and self.rest.start_s is not None else 0

    def played_s(self, now_s: float) -> float:
        """How much of it has sounded, its rest included."""
        return self.in_one_go_s(now_s) + (self.rest.played_s(now_s) if self.rest else 0.0)

    def in_one_go_s(self, now_s: float) -> float:
        """How much of it has sounded until it was first silenced."""
        if self.start_s is None:
            return 0.0
        until_s = now_s if self.cut_s is None else min(now_s, self.cut_s)
        return min(self.length_s, max(0.0, until_s - self.start_s))

    def ends_s(self) -> float:
        """When its last sample sounds or sounded, its rest not counted; only where its start is known."""
        start_s = self.start_s or 0.0
        return start_s + (self.length_s if self.cut_s is None else self.in_one_go_s(self.cut_s))

    def is_over(self, at_s: float) -> bool:
        """It had ended by then, its rest not counted, or was forgotten before it began."""
        return self.cut_s is not None if self.start_s is None else self.ends_s() <= at_s

    def break_off(self, at_s: float) -> "Clip":
        """Silence it; the rest comes back as a clip of its own, which may go on later."""
        self.cut_s = at_s
        self.rest = Clip(self.samples[round(self.in_one_go_s(at_s) * SAMPLE_RATE_HZ) :])
        return self.rest


class Recent:
    """The clips that sounded of late: what the microphone may still hear of the pet itself."""

    def __init__(self) -> None:
        self._clips: deque[Clip] = deque()

    def add(self, clip: Clip) -> None:
        """Remember a clip, which may still begin, end or be cut."""
        self._clips.append(clip)

    def sounding(self, from_s: float, count: int) -> Samples:
        """`count` samples that left the loudspeaker from `from_s` on; silence where there was none."""
        while self._clips and self._clips[0].is_over(from_s - MEMORY_S):
            self._clips.popleft()
        out = np.zeros(count, np.int16)
        for clip in self._clips:
            if clip.start_s is not None:
                _lay(out, clip, round((clip.start_s - from_s) * SAMPLE_RATE_HZ))
        return out


def _lay(out: Samples, clip: Clip, offset: int) -> None:
    """Put what sounded of `clip` into `out`; its first sample belongs at `offset`, which may be negative."""
    sounded = len(clip.samples)
    if clip.cut_s is not None:
        sounded = min(sounded, round(clip.in_one_go_s(clip.cut_s) * SAMPLE_RATE_HZ))
    first, last = max(0, offset), min(len(out), offset + sounded)
    if first < last:
        out[first:last] = clip.samples[first - offset : last - offset]
