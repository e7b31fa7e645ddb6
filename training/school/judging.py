"""Figures of a classifier on sentences it never saw: its own, of the linear peer, with words misheard."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from runtime.intervals import wilson
from training.asr.error_rates import edits
from training.data.wordings import Confuser
from training.school import confidence, examples
from training.school.batches import one_hot
from training.school.confidence import Array
from training.school.examples import OUT_OF_SCOPE, Example
from training.school.linear import Linear

Figures = dict[str, Any]
TOUCHED = 0.36
"""Share of the words that `Confuser` touches at level 1"""


@dataclass(frozen=True)
class Judge:
    """Sentences with the columns of their labels."""

    reported: Sequence[Example]
    labels: list[str]
    several: bool

    @property
    def texts(self) -> list[str]:
        return [example.text for example in self.reported]

    @property
    def targets(self) -> torch.Tensor:
        return one_hot(examples.targets_of(self.reported, self.labels), len(self.labels), self.several)

    @property
    def outside(self) -> int | None:
        """Column of out of scope."""
        return 0 if self.labels[0] == OUT_OF_SCOPE else None

    def single(self, shares: Array, threshold: float) -> Figures:
        """Of probabilities (N, labels): in scope, out of scope, how well calibrated."""
        targets = self.targets.numpy()
        best = shares.argmax(1)
        sure = confidence.accepted(shares, self.outside is not None)
        taken = confidence.taken(shares, threshold, self.outside is not None)
        figures: Figures = confidence.score(taken, targets, self.outside).figures()
        figures["calibration_error"] = round(confidence.calibration_error(shares.max(1), best == targets), 4)
        known = targets != self.outside
        if known.any() and not known.all():
            figures["separation"] = round(auroc(sure[known], sure[~known]), 4)
        return figures

    def multiple(self, shares: Array, thresholds: Sequence[float]) -> Figures:
        """Of probabilities (N, labels): macro-F1 with its interval, each label's F1."""
        targets = self.targets.numpy() > 0.5
        predicted = shares >= np.asarray(thresholds)
        macro, each = confidence.macro_f1(predicted, targets)
        low, high = confidence.interval_f1(predicted, targets)
        f1 = dict(zip(self.labels, (round(f, 4) for f in each), strict=True))
        return {
            "macro_f1": round(macro, 4),
            "low": round(low, 4),
            "high": round(high, 4),
            "n": len(targets),
            "f1": f1,
        }


def auroc(inside: Array, outside: Array) -> float:
    """How often a known sentence is surer than one out of scope; a half is chance."""
    both = np.concatenate([inside, outside])
    _, places, counts = np.unique(both, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[places]
    return float(
        (ranks[: len(inside)].sum() - len(inside) * (len(inside) + 1) / 2) / (len(inside) * len(outside))
    )


def misheard(
    sentences: Sequence[Example], rate: float, vocabulary: Sequence[Example], seed: int = 7
) -> tuple[list[str], float]:
    """The sentences with about so many words wrong, and the word error rate that came of it."""
    confuser = Confuser(sorted({word for e in vocabulary for word in e.text.split()}))
    rng = np.random.default_rng(seed)
    heard = [confuser.confuse(e.text, rng, rate / TOUCHED) for e in sentences]
    wrong = sum(edits(e.text.split(), text.split()) for e, text in zip(sentences, heard, strict=True))
    return heard, wrong / max(1, sum(len(e.text.split()) for e in sentences))


@dataclass(frozen=True, slots=True)
class Voice:
    """What one model makes of the sentences: probabilities (N, labels)."""

    held_back: Array
    reported: Array


def linear(learned: Sequence[Example], held_back: Sequence[Example], judge: Judge) -> Voice:
    """The linear model's, from the same sentences; its temperature from the same held-back part."""
    model = Linear([e.text for e in learned], _targets(learned, judge))
    known, found = model.scores([e.text for e in held_back]), model.scores(judge.texts)
    if judge.several:
        return Voice(known, found)
    by = confidence.temperature(torch.from_numpy(known), _targets(held_back, judge))
    return Voice(confidence.softmax(known / by), confidence.softmax(found / by))


def vote(held_back: Sequence[Example], judge: Judge, *voices: Voice) -> Figures:
    """Figures of the mean of the voices, its thresholds found on the held-back part."""
    known = np.mean([voice.held_back for voice in voices], axis=0)
    found = np.mean([voice.reported for voice in voices], axis=0)
    targets = _targets(held_back, judge).numpy()
    if judge.several:
        return judge.multiple(found, confidence.label_thresholds(known, targets > 0.5))
    return judge.single(found, threshold_of(known, targets, judge.outside))


def _targets(some: Sequence[Example], judge: Judge) -> torch.Tensor:
    return one_hot(examples.targets_of(some, judge.labels), len(judge.labels), judge.several)


def threshold_of(shares: Array, targets: Any, outside: int | None) -> float:
    """Of held-back probabilities (N, labels)."""
    if outside is None:
        return 0.0
    sure, known = confidence.accepted(shares, True), targets != outside
    right = shares[:, 1:].argmax(1) + 1 == targets
    return confidence.threshold(sure[known], right[known], sure[~known])


def cell(figures: Mapping[str, Any], name: str) -> str:
    """A figure as it stands in a table."""
    value = figures.get(name)
    if isinstance(value, Mapping):
        low, high = wilson(value["right"], value["n"])
        return f"{100 * value['share']:.1f} % ({100 * low:.1f}-{100 * high:.1f}, n {value['n']})"
    return "-" if value is None else f"{value:.3f}"


def row_of(figures: Figures, several: bool) -> dict[str, str]:
    """The columns of a report's table."""
    if several:
        interval = f"{figures['macro_f1']:.3f} ({figures['low']:.3f}-{figures['high']:.3f}, n {figures['n']})"
        return {"macro-F1": interval} | {label: f"{f:.2f}" for label, f in figures["f1"].items()}
    names = {"in_scope_accuracy": "right, in scope", "out_of_scope_recall": "out of scope refused",
             "separation": "told apart (AUROC)", "calibration_error": "calibration error"}  # fmt: skip
    return {told: cell(figures, name) for name, told in names.items() if name in figures}
