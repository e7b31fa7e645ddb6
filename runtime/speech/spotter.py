"""A word spotted in running sound by the recogniser's own ears: no grammar, no endpoint.

The recogniser's network tells the sounds of the last `WINDOW_S`. The word's doubt is what it costs to insist
that it is among them: the nats by which the best reading that holds the word's sounds, one after the other,
lies under the best reading of all; 0 where the word is the best reading. The search is exact (Viterbi over
the word's sounds with blanks between, free before and after).
"""

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import numpy.typing as npt

from runtime.contracts.audio import Samples
from runtime.speech import units
from runtime.speech.units import BLANK, LogProbs, encode

WINDOW_S = 0.8
NEVER = 99.0
"""The doubt where there is no word to look for, or no sound to look in"""
_FAR = np.float32(1e6)

Floats = npt.NDArray[np.float32]


class Spotter:
    """`sounds` is a recogniser's `log_probs`; `ways` says how the words sound, each a row of phones."""

    def __init__(self, sounds: Callable[[Samples], LogProbs], ways: Iterable[Sequence[str]]) -> None:
        self._sounds = sounds
        self._rows = [_with_blanks(encode(way)) for way in ways]

    def doubt(self, samples: Samples, less_blank: float = 0.0) -> float:
        """In nats, of the likeliest of the words anywhere in `samples`; no sound is so much less likely."""
        return min(self._doubts(samples, less_blank), default=NEVER)

    def doubt_a_sound(self, samples: Samples) -> float:
        """The same in nats for each of the word's sounds, so that long and short words compare."""
        sounds = ((len(row) + 1) // 2 for row in self._rows)
        return min(
            (doubt / n for doubt, n in zip(self._doubts(samples), sounds, strict=False)), default=NEVER
        )

    def _doubts(self, samples: Samples, less_blank: float = 0.0) -> list[float]:
        """Of each way the word is said; none where there is no sound."""
        log_probs = self._sounds(samples)
        if len(log_probs) == 0:
            return []
        if less_blank:
            log_probs = units.less_blank(log_probs, less_blank)
        cost = log_probs.max(axis=1, keepdims=True) - log_probs
        return [_cheapest(cost[:, row]) for row in self._rows]


def _with_blanks(units: list[int]) -> list[int]:
    return [unit for pair in zip(units, [BLANK] * len(units), strict=True) for unit in pair][:-1]


def _cheapest(cost: Floats) -> float:
    """Least cost of passing all states in order, begun and ended anywhere; every second state is a blank."""
    states = cost.shape[1]
    score = np.full(states + 2, _FAR, np.float32)  # two more in front: the free reading before the word
    score[1] = 0.0
    skips = np.arange(states) % 2 == 0  # a blank may be left out
    best = NEVER
    for row in cost:
        over = np.where(skips, score[:-2], _FAR)
        over[0] = 0.0
        score[2:] = np.minimum(np.minimum(score[2:], score[1:-1]), over) + row
        best = min(best, float(score[-1]))
    return best
