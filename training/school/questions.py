"""Questions to the owner: the sentences whose meaning would teach most, in a file to be filled in.

A table of tabs: answer (empty), guess, how sure (percent), text. Active learning by uncertainty (Settles,
"Active learning literature survey", 2009): most uncertain first, and nothing that is nearly asked already.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from runtime import whole
from runtime.contracts.errors import TrainingError
from training.school.confidence import Array

HEAD = "answer\tguess\tsure\ttext"
NO = "-"
"""An answer: neither learn from it nor ask again"""
_HOW = (
    "# Write what is meant before the first tab: a label (several with commas), oos for nothing it can do,\n"
    "# - never to be asked again. Then: everpaw train continue ... --answers THIS_FILE\n"
)
_ALIKE = 0.6
"""Share of words that two sentences have in common, above which one of them is enough"""


def uncertainty(shares: Array, several: bool) -> Array:
    """(N,): entropy in nats, of the labels (N, labels) or summed over a yes and no each."""
    p = np.clip(shares, 1e-9, 1 - 1e-9)
    if several:
        return np.asarray(-(p * np.log(p) + (1 - p) * np.log(1 - p)).sum(1))
    return np.asarray(-(p * np.log(p)).sum(1))


def choose(texts: Sequence[str], uncertain: Array, most: int) -> list[int]:
    """Places of at most `most` texts, the most uncertain first, none much like one before."""
    chosen: list[int] = []
    bags: list[set[str]] = []
    for i in np.argsort(-uncertain, kind="stable"):
        bag = set(texts[int(i)].lower().split())
        if len(chosen) < most and all(len(bag & b) / max(1, len(bag | b)) < _ALIKE for b in bags):
            chosen.append(int(i))
            bags.append(bag)
    return chosen


def write(path: Path, texts: Sequence[str], guesses: Sequence[str], sure: Sequence[float]) -> None:
    """Whole or not at all."""
    rows = (
        f"\t{guess}\t{100 * share:.0f}\t{' '.join(text.split())}"
        for text, guess, share in zip(texts, guesses, sure, strict=True)
    )
    whole.put(path, (_HOW + "\n".join([HEAD, *rows]) + "\n").encode())


def read(paths: Iterable[Path]) -> dict[str, str]:
    """Text -> answer, of all that were given; TrainingError names file, line and cure."""
    found: dict[str, str] = {}
    for path in paths:
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise TrainingError(f"{path} cannot be read ({error}); give a file of questions") from error
        for number, line in enumerate(lines, start=1):
            if not line.strip() or line.startswith("#") or line == HEAD:
                continue
            cells = line.split("\t")
            if len(cells) != 4 or not cells[3].strip():
                raise TrainingError(
                    f"{path}, line {number} has not four parts with tabs between; answer before the first"
                )
            if answer := cells[0].strip():
                found[cells[3]] = ",".join(sorted(part.strip() for part in answer.split(",")))
    return found
