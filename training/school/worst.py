"""How a classifier stands the worst of small changes: words misheard, words dropped, synonyms.

Each sentence is changed in many ways of a kind; it stands where every one of them is still taken for what was
meant. That is an attack by trial, so a lower bound of what a cleverer one would do.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from runtime.intervals import wilson
from training.data.wordings import Confuser
from training.school import report
from training.school.attributions import Model
from training.school.batches import synonyms
from training.school.examples import Example

SYNONYMS = Path(__file__).parents[1] / "data" / "synonyms.txt"
SHOWN = 40
Ways = Callable[[str, np.random.Generator], list[str]]


@dataclass(frozen=True)
class Flip:
    """A sentence that was understood, and the change of it that was not."""

    kind: str
    text: str
    changed: str
    meant: str
    became: str


@dataclass(frozen=True)
class Stand:
    """Of one kind of change."""

    kind: str
    right: int
    """Sentences understood as they are"""
    changed_right: float
    """Share of all changed sentences that are understood"""
    stood: int
    """Sentences understood as they are and in every change"""
    n: int
    flips: list[Flip]


def ways(vocabulary: Sequence[Example], tries: int, synonym_file: Path = SYNONYMS) -> dict[str, Ways]:
    """Kind of change -> all changed sentences of a text, at most `tries` by chance."""
    confuser = Confuser(sorted({word for e in vocabulary for word in e.text.split()}))
    table = synonyms(synonym_file)

    def misheard(text: str, rng: np.random.Generator) -> list[str]:
        return [confuser.confuse(text, rng, 0.4) for _ in range(tries)]

    def dropped(text: str, _: np.random.Generator) -> list[str]:
        words = text.split()
        return [" ".join([*words[:i], *words[i + 1 :]]) for i in range(len(words))] if len(words) > 1 else []

    def swapped(text: str, _: np.random.Generator) -> list[str]:
        words = text.split()
        return [
            " ".join([*words[:i], other, *words[i + 1 :]])
            for i, word in enumerate(words)
            for other in table.get(word.lower(), ())
        ]

    return {
        "words misheard": misheard,
        "a word dropped": dropped,
        "a word for another of its meaning": swapped,
    }


def stand(model: Model, sentences: Sequence[Example], kind: str, way: Ways, seed: int = 7) -> Stand:
    """`way` on every sentence. Several labels a text: one of those meant is enough."""
    rng = np.random.default_rng(seed)
    changed = [sorted(set(way(e.text, rng)) - {e.text}) for e in sentences]
    plain = model.decisions(model.shares([e.text for e in sentences]))
    every = [text for some in changed for text in some]
    taken = iter(model.decisions(model.shares(every)) if every else [])
    right = stood = fine = 0
    flips: list[Flip] = []
    for example, some, before in zip(sentences, changed, plain, strict=True):
        meant, after = frozenset(example.labels), [next(taken) for _ in some]
        bad = [(text, got) for text, got in zip(some, after, strict=True) if not got & meant]
        right += bool(before & meant)
        stood += bool(before & meant) and not bad
        fine += len(some) - len(bad)
        if before & meant and bad:
            text, got = bad[0]
            flips.append(Flip(kind, example.text, text, ",".join(sorted(meant)), ",".join(sorted(got))))
    return Stand(kind, right, fine / max(1, len(every)), stood, len(sentences), flips)


def tell(found: Sequence[Stand], title: str, facts: dict[str, Any], out: Path) -> None:
    """`report.html` and `report.json` with the sentences that flip."""
    rows = [(one.kind, row_of(one)) for one in found]
    flips = [vars(flip) for one in found for flip in one.flips[:SHOWN]]
    notes = [
        "A sentence stands where every change of it that was tried is still taken for what was meant; 95 % "
        f"intervals in brackets. The sentences that flip stand below, at most {SHOWN} a kind."
    ]
    out.mkdir(parents=True, exist_ok=True)
    report.write(report.Report(title, rows, {}, facts | {"flips": flips}, (), notes), out)


def row_of(one: Stand) -> dict[str, str]:
    return {
        "understood": _share(one.right, one.n),
        "of the changed": f"{100 * one.changed_right:.1f} %",
        "in every change": _share(one.stood, one.n),
    }


def _share(right: int, n: int) -> str:
    low, high = wilson(right, n)
    return f"{100 * right / n:.1f} % ({100 * low:.1f}-{100 * high:.1f}, n {n})"
