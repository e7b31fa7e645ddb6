"""What the reader learns from: sentences with what is known of them, danger and feeling apart.

Words of danger and their look-alikes are ours (`training/data/danger`; its held-out files are never read
here). GoEmotions gives feelings; CLINC-150, the pet's own sentences and GoEmotions give everyday talk, which
is no danger.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from runtime.contracts.errors import TrainingError
from runtime.mind import rules
from runtime.mind.grammar import normalise
from runtime.mind.reader import FEELINGS
from training.data import corpora
from training.data.phrases import is_held_out
from training.data.wordings import Confuser, dress, paraphrases
from training.reader.report import sentences

VALIDATION_ONE_IN = 5
THRESHOLD_ONE_IN = 20
"""One in so many of GoEmotions' train part is not learned from: it sets the threshold"""
DANGER_SHARE, ALIKE_SHARE, REMARKS_SHARE = 0.25, 0.3, 0.25
"""Of a batch; what is left of it is everyday talk"""
DRESSED, CONFUSED, JOINED = 0.3, 0.25, 0.15
"""How often a sentence gets a polite frame, a recogniser's mistakes, a look-alike beside it"""


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
    """GoEmotions: "train", "threshold" (kept aside of it) or "dev"."""
    rows = corpora.goemotions(_folder() / corpora.GOEMOTIONS / ("dev.tsv" if part == "dev" else "train.tsv"))
    heard = [(normalise(text), numbers) for text, numbers in rows]
    return tuple(
        Example(text, _harmless(text), numbers)
        for text, numbers in heard
        if text and (part == "dev" or is_held_out(text, THRESHOLD_ONE_IN) == (part == "threshold"))
    )


@cache
def everyday(part: str) -> tuple[Example, ...]:
    """Questions to an assistant and what is said to a pet; "train" or "val"."""
    rows = corpora.clinc(_folder() / corpora.CLINC)
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
    return Path(data)


def _harmless(text: str) -> float:
    """Not known where a rule of danger applies. Other remarks of strangers are none: of 642 with an alarming
    word and an "I", read one by one, nineteen may be."""
    return float("nan") if rules.first(rules.DANGER, text) else 0.0


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
        """Words of danger, look-alikes, remarks with a feeling and everyday talk, by their shares."""
        rng = np.random.default_rng((self._seed, step))
        danger, alike, remarks = (round(size * s) for s in (DANGER_SHARE, ALIKE_SHARE, REMARKS_SHARE))
        own = [self._one(self._danger, rng) for _ in range(danger)]
        own += [self._one(self._alike, rng) for _ in range(alike)]
        drawn = [self._beside(example, rng) for example in own]
        groups = rng.choice(len(FEELINGS), size=remarks, p=self._shares)
        drawn += [self._one(self._by_feeling[int(k)], rng) for k in groups]
        drawn += [self._one(self._everyday, rng) for _ in range(size - len(drawn))]
        return drawn

    def _one(self, group: Sequence[Example], rng: np.random.Generator) -> Example:
        example = group[int(rng.integers(len(group)))]
        text = dress(example.text, rng) if rng.random() < DRESSED else example.text
        if rng.random() < CONFUSED:
            text = self._confuser.confuse(text, rng, 0.5)
        return replace(example, text=text)

    def _beside(self, example: Example, rng: np.random.Generator) -> Example:
        """Sometimes with a harmless sentence before or after it: danger stays danger."""
        if rng.random() >= JOINED:
            return example
        other = self._alike[int(rng.integers(len(self._alike)))].text
        pair = (example.text, other) if rng.random() < 0.5 else (other, example.text)
        return replace(example, text=" ".join(pair))
