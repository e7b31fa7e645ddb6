"""Errors in what was heard, in percent of what was said, with a bootstrap interval over the clips."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_DRAWS = 1000


@dataclass(frozen=True, slots=True)
class Rate:
    """Errors in percent of what was said, the middle 95 % of the bootstrap, clips."""

    percent: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{self.percent:.1f} % ({self.low:.1f}-{self.high:.1f}, n {self.n})"


def edits(said: Sequence[str], heard: Sequence[str]) -> int:
    """Levenshtein distance."""
    row = list(range(len(heard) + 1))
    for i, a in enumerate(said, 1):
        before, row[0] = row[0], i
        for j, b in enumerate(heard, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (a != b))
    return row[-1]


def rate(pairs: Sequence[tuple[Sequence[str], Sequence[str]]]) -> Rate:
    """Of (said, heard), clips drawn with replacement a thousand times."""
    wrong = np.array([edits(said, heard) for said, heard in pairs])
    total = np.array([len(said) for said, _ in pairs])
    draws = np.random.default_rng(0).integers(len(pairs), size=(_DRAWS, len(pairs)))
    low, high = np.percentile(100 * wrong[draws].sum(1) / np.maximum(1, total[draws].sum(1)), [2.5, 97.5])
    return Rate(100 * float(wrong.sum() / max(1, total.sum())), float(low), float(high), len(pairs))
