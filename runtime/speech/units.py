"""The recogniser's units: a blank and the 39 sounds of American English; names to numbers and back.

Sounds, not letters: how a word is spelled need not be learned, so a command list of any words is understood
without training. The names are ARPAbet's, as the CMU pronouncing dictionary writes them.
"""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

BLANK = 0
PHONES = (
    *("AA", "AE", "AH", "AO", "AW", "AY", "B", "CH", "D", "DH", "EH", "ER", "EY", "F", "G", "HH", "IH", "IY"),
    *("JH", "K", "L", "M", "N", "NG", "OW", "OY", "P", "R", "S", "SH", "T", "TH", "UH", "UW", "V", "W", "Y"),
    *("Z", "ZH"),
)
UNITS = ("", *PHONES)
_NUMBER = {unit: number for number, unit in enumerate(UNITS)}

LogProbs = npt.NDArray[np.float32]
"""Shape (steps, units): natural logarithms of CTC probabilities"""


def is_phone(name: str) -> bool:
    return bool(name) and name in _NUMBER


def encode(phones: Iterable[str]) -> list[int]:
    """Names of phones -> unit numbers; KeyError on a foreign one."""
    return [_NUMBER[phone] for phone in phones]


def decode(units: Iterable[int]) -> list[str]:
    return [UNITS[unit] for unit in units]


def greedy(log_probs: LogProbs) -> list[str]:
    """The best unit of every step, repeats and blanks removed."""
    best = log_probs.argmax(axis=1)
    fresh = np.concatenate([[True], best[1:] != best[:-1]]) if len(best) else np.zeros(0, bool)
    return decode(int(unit) for unit in best[fresh & (best != BLANK)])


def less_blank(log_probs: LogProbs, nats: float) -> LogProbs:
    """The same with blanks less likely by so much."""
    shifted = log_probs.copy()
    shifted[:, BLANK] -= nats
    return shifted - np.logaddexp.reduce(shifted, axis=1, keepdims=True)
