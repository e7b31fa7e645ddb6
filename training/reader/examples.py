"""What the reader learns from: sentences with what is known of them, danger and feeling apart.

Words of danger and their look-alikes are ours (`training/data/danger`; its held-out files are never read
here). GoEmotions gives feelings; CLINC-150, the pet's own sentences and GoEmotions give everyday talk, which
is no danger.
"""

import csv
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from runtime.contracts.errors import TrainingError
from runtime.mind import rules
from runtime.mind.grammar import normalise
from runtime.mind.reader import FEELINGS
from training.data.phrases import is_held_out
from training.data.wordings import Confuser, dress, paraphrases
from training.reader.report import sentences

VALIDATION_ONE_IN = 5
THRESHOLD_REMARKS = 1_000
"""So many of GoEmotions' dev part set the threshold; the rest of that part is measured on"""


@dataclass(frozen=True, slots=True)
class Example:
    text: str
    danger: float = 0.0
    """1 or 0; NaN: not known"""
    feelings: tuple[int, ...] = ()
    """Indices into FEELINGS, more than one where the raters disagreed; none: not known"""


def own(part: str) -> list[Example]:
    """Danger and look-alikes: "train" (four fifths) or "validation"."""
    found = [
        Example(normalise(text), danger)
        for name, danger in (("danger", 1.0), ("harmless", 0.0))
        for text in sentences(name)
    ]
    return [e for e in found if is_held_out(e.text, VALIDATION_ONE_IN) == (part == "validation")]


@cache
def feelings(part: str) -> tuple[Example, ...]:
    """GoEmotions, "train" or "dev". A remark with an alarming word may be danger or not: not known."""
    path = _folder() / "goemotions" / f"{part}.tsv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = [
            (normalise(text), labels)
            for text, labels, _ in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        ]
    return tuple(
        Example(text, _harmless(text), tuple(int(label) for label in labels.split(",")))
        for text, labels in rows
        if text
    )


@cache
def everyday(part: str) -> tuple[Example, ...]:
    """Questions to an assistant and what is said to a pet; "train" or "val"."""
    rows = json.loads((_folder() / "clinc" / "train_val.json").read_text(encoding="utf-8"))
    texts = [text for name in (part, f"oos_{part}") for text, _ in rows[name]]
    if part == "train":
        texts += [text for text, _ in paraphrases("train")]
    return tuple(Example(text, _harmless(text)) for text in map(normalise, texts) if text)


def _folder() -> Path:
    data = os.environ.get("EVERPAW_DATA")
    if not data:
        raise TrainingError(
            "the reader learns from GoEmotions and CLINC-150; set EVERPAW_DATA to their folder"
        )
    return Path(data) / "text"


def _harmless(text: str) -> float:
    doubtful = rules.first(rules.DANGER, text) or rules.ALARMING.intersection(text.split())
    return float("nan") if doubtful else 0.0


class Drawing:
    """Batches of the training part; seed and step decide what is in one."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._danger = [e for e in own("train") if e.danger]
        self._alike = [e for e in own("train") if not e.danger]
        self._by_feeling = [[e for e in feelings("train") if k in e.feelings] for k in range(len(FEELINGS))]
        sizes = np.sqrt([len(group) for group in self._by_feeling])
        self._shares = sizes / sizes.sum()
        self._everyday = everyday("train")
        words = {word for e in (*self._danger, *self._alike) for word in e.text.split()}
        self._confuser = Confuser(sorted(words))

    def batch(self, step: int, size: int) -> list[Example]:
        """A quarter danger and look-alikes, half remarks with a feeling, a quarter everyday talk."""
        rng = np.random.default_rng((self._seed, step))
        quarter = size // 4
        drawn = [self._one(group, rng) for group in (self._danger, self._alike) for _ in range(quarter // 2)]
        groups = rng.choice(len(FEELINGS), size=2 * quarter, p=self._shares)
        drawn += [self._one(self._by_feeling[int(k)], rng) for k in groups]
        drawn += [self._one(self._everyday, rng) for _ in range(size - len(drawn))]
        return drawn

    def _one(self, group: Sequence[Example], rng: np.random.Generator) -> Example:
        example = group[int(rng.integers(len(group)))]
        text = dress(example.text, rng) if rng.random() < 0.3 else example.text
        if rng.random() < 0.3:
            text = self._confuser.confuse(text, rng, 0.5)
        return Example(text, example.danger, example.feelings)
