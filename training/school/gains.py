"""What a checkpoint gained on the new and forgot of the old, beside a full retrain; and the report of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from training.school import judging, report
from training.school.checkpoint import Card, Loaded
from training.school.confidence import Array
from training.school.examples import Example
from training.school.judging import Figures, Judge


@dataclass(frozen=True)
class Judged:
    metrics: dict[str, Any]
    """who -> {"old": figures, "new": figures}; `gain`, `gain_of_retrain`, `forgotten` as shares"""
    rows: list[report.Row]


def judge(rows: Mapping[str, Loaded], old: Sequence[Example], new: Sequence[Example], card: Card) -> Judged:
    """Each of `rows` on both parts; the first is before, the last but for a retrain is after."""
    parts = {"old": old, "new": new}
    metrics: dict[str, Any] = {
        who: {part: figures(one, some, card) for part, some in parts.items() if some}
        for who, one in rows.items()
    }
    shown = [(who, _row(found, card.several)) for who, found in metrics.items()]
    return Judged(metrics | changes(metrics, card.several), shown)


def figures(one: Loaded, some: Sequence[Example], card: Card) -> Figures:
    """At the model's own threshold; a label that it lacks it never gives."""
    judge = Judge(some, card.labels, card.several)
    shares = aligned(one.shares(judge.texts), one.card.labels, card.labels)
    if not card.several:
        return judge.single(shares, one.card.threshold)
    thresholds = dict(zip(one.card.labels, one.card.thresholds, strict=True))
    return judge.multiple(shares, [thresholds.get(label, 0.5) for label in card.labels])


def aligned(shares: Array, have: Sequence[str], want: Sequence[str]) -> Array:
    """(N, want) of (N, have); 0 for what it lacks."""
    found = np.zeros((len(shares), len(want)))
    for column, label in enumerate(want):
        if label in have:
            found[:, column] = shares[:, list(have).index(label)]
    return found


def changes(metrics: Mapping[str, Any], several: bool) -> dict[str, float]:
    """Gain on the new, its share of a retrain's, and what was lost of the old."""

    def score(who: str, part: str) -> float | None:
        found = metrics.get(who, {}).get(part, {})
        value = found.get("macro_f1") if several else found.get("in_scope_accuracy", {}).get("share")
        return None if value is None else float(value)

    told: dict[str, float] = {}
    before, after, again = (score(who, "new") for who in ("before", "this model", "a full retrain"))
    if before is not None and after is not None:
        told["gain"] = round(after - before, 4)
        if again is not None and again > before:
            told["gain_of_retrain"] = round((after - before) / (again - before), 4)
    had, has = score("before", "old"), score("this model", "old")
    if had is not None and has is not None:
        told["forgotten"] = round(had - has, 4)
    return told


def _row(found: Mapping[str, Figures], several: bool) -> dict[str, str]:
    return {
        f"{part}: {name}": cell
        for part, some in found.items()
        for name, cell in judging.row_of(some, several).items()
        if name not in some.get("f1", {})
    }


def tell(out: Path, card: Card, judged: Judged) -> None:
    """`report.html` and `report.json` in the checkpoint's folder."""
    words = {"gain": "gained on the new", "gain_of_retrain": "of what a full retrain gains",
             "forgotten": "lost of the old"}  # fmt: skip
    changed = {name: judged.metrics[name] for name in words if name in judged.metrics}
    said = "; ".join(f"{words[name]}: {100 * share:.1f} %" for name, share in changed.items())
    notes = [said or "Too few sentences with a known meaning to measure a gain on; give --test."]
    facts = card.model_dump(exclude={"metrics"}) | changed
    report.write(
        report.Report(f"{card.task}, continued: {card.start}", judged.rows, {}, facts, (), notes), out
    )
