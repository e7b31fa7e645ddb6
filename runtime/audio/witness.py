"""A second witness to a name half heard: the recogniser's own ears, over the last two seconds.

A head that hears everybody also fires on much that only sounds like the name. So where it is not sure, it is
asked of the sounds themselves how much they doubt that the name is among them (`runtime.speech.spotter`).
The witness can only say yes to what the head leaves open: what the head is sure of needs none.
"""

from collections.abc import Callable

from runtime.audio.heads import LOOSE
from runtime.audio.recent import Recent
from runtime.contracts.audio import SAMPLE_RATE_HZ
from runtime.speech.spotter import Spotter

MOST_DOUBT = 0.1
"""Nats a sound of the name: all but the best reading of the sounds. From a quarter of a nat on, people's
"had a bit" and "she had a great" are taken for "hey buddy" """
_WINDOW = 2 * SAMPLE_RATE_HZ
_REST = SAMPLE_RATE_HZ * 16 // 100
"""From one question to the next"""

Witnesses = Callable[[str], Spotter | None]
"""Name -> who looks for it; None where nobody told how it is said"""


class Witness:
    """One name's; asked at the end of a head's step, when `recent` has heard it."""

    def __init__(self, spotter: Spotter | None, recent: Recent) -> None:
        self._spotter, self._recent = spotter, recent
        self._asked = -_REST

    def says(self, end: int, score: float) -> bool:
        """True where the name is among the sounds up to sample `end`."""
        if self._spotter is None or score < LOOSE or end - self._asked < _REST:
            return False
        self._asked = end
        return self._spotter.doubt_a_sound(self._recent.last(_WINDOW, end)) <= MOST_DOUBT

    def reset(self) -> None:
        """Forget the stream."""
        self._asked = -_REST
