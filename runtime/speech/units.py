"""The recogniser's units: a blank, a space, the apostrophe and 26 letters; text to numbers and back."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

BLANK = 0
UNITS = ("", " ", "'", *"abcdefghijklmnopqrstuvwxyz")
SPACE = UNITS.index(" ")
_NUMBER = {unit: number for number, unit in enumerate(UNITS)}

LogProbs = npt.NDArray[np.float32]
"""Shape (steps, units): natural logarithms of CTC probabilities"""


def foreign(text: str) -> str:
    """The first character of `text` that is no unit, or ""."""
    return next((c for c in text if c not in _NUMBER), "")


def encode(text: str) -> list[int]:
    """Normalised text -> unit numbers; KeyError on a foreign character."""
    return [_NUMBER[c] for c in text]


def decode(units: Iterable[int]) -> str:
    return "".join(UNITS[unit] for unit in units)


def greedy(log_probs: LogProbs) -> str:
    """The best unit of every step, repeats and blanks removed."""
    best = log_probs.argmax(axis=1)
    fresh = np.concatenate([[True], best[1:] != best[:-1]]) if len(best) else np.zeros(0, bool)
    return decode(int(unit) for unit in best[fresh & (best != BLANK)])
