"""A second witness to a name half heard: the recogniser's own ears, over the last two seconds.

A head that hears everybody also fires on much that only sounds like the name. So where it is not sure, it is
asked of the sounds themselves how much they doubt that the name is among them (`runtime.speech.spotter`).
The witness can only say yes to what the head leaves open: what the head is sure of needs none.
"""

from collections.abc import Callable

import numpy as np

from runtime.audio.heads import LOOSE
from runtime.contracts.audio import SAMPLE_RATE_HZ, AudioBlock, Samples
from runtime.speech.spotter import Spotter

MOST_DOUBT = 2.5
"""Nats a sound of the name: half a nat under the most at which nobody of the people kept aside for choosing
(`training/data/wake_split.tsv`) was taken for "hey buddy" """
_WINDOW = 2 * SAMPLE_RATE_HZ
_REST = SAMPLE_RATE_HZ * 16 // 100
"""From one question to the next"""

Witnesses = Callable[[str], Spotter | None]
"""Name -> who looks for it; None where nobody told how it is said"""


class Witness:
    """One name's. `hear` every block, then `says` at the end of a head's step."""

    def __init__(self, spotter: Spotter | None) -> None:
        self._spotter = spotter
        self._recent: Samples = np.zeros(0, np.int16)
        self._end, self._asked = 0, -_REST

    def hear(self, block: AudioBlock) -> None:
        if self._spotter is not None:
            self._recent = np.concatenate([self._recent, block.samples])[-_WINDOW:]
            self._end = block.start_sample + len(block.samples)

    def says(self, end: int, score: float) -> bool:
        """True where the name is among the sounds up to sample `end`."""
        if self._spotter is None or score < LOOSE or end - self._asked < _REST:
            return False
        self._asked = end
        late = max(0, self._end - end)
        return self._spotter.doubt_a_sound(self._recent[: len(self._recent) - late]) <= MOST_DOUBT

    def reset(self) -> None:
        """Forget the stream."""
        self._recent = np.zeros(0, np.int16)
        self._end, self._asked = 0, -_REST
