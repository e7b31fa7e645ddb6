"""How sure a classifier may be of itself: temperature, thresholds, out of scope, and the figures of both."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from runtime.intervals import wilson

Array = npt.NDArray[np.float64]
IN_SCOPE_KEPT = 0.97
"""Share of held-back known sentences that a threshold lets through, where nothing is out of scope"""
GIVEN_UP = 0.01
"""Share of held-back known sentences that may be lost to refuse what is out of scope"""
_TEMPERATURES = np.geomspace(0.02, 4.0, 90)
_BINS = 15


def temperature(logits: torch.Tensor, targets: torch.Tensor) -> float:
    """Of the least loss on held-back sentences (Guo et al., 2017)."""
    losses = [float(functional.cross_entropy(logits / t, targets)) for t in _TEMPERATURES]
    return round(float(_TEMPERATURES[int(np.argmin(losses))]), 3)


def softmax(logits: Array) -> Array:
    likely = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(likely / likely.sum(axis=1, keepdims=True))


def accepted(shares: Array, out_of_scope: bool) -> Array:
    """(N,): probability of the likeliest known label; 0 where out of scope (column 0) is likelier."""
    if not out_of_scope:
        return np.asarray(shares.max(axis=1))
    best = shares[:, 1:].max(axis=1)
    return np.where(shares[:, 0] > best, 0.0, best)


def taken(shares: Array, least: float, out_of_scope: bool) -> npt.NDArray[np.int64]:
    """(N,): column that is acted on; with out of scope column 0 for whatever is less sure than `least`."""
    if not out_of_scope:
        return np.asarray(shares.argmax(1))
    return np.where(accepted(shares, True) >= max(least, 1e-12), shares[:, 1:].argmax(1) + 1, 0)


def threshold(inside: Array, right: npt.NDArray[np.bool_], outside: Array) -> float:
    """The highest that gives up at most GIVEN_UP of the in-scope accuracy on held-back sentences.

    A pet that shrugs at what it knows is no use, so refusing the rest has to be cheap. `inside` (how sure)
    and `right` of known sentences, `outside` of out-of-scope ones; without any of these the one that lets
    IN_SCOPE_KEPT through.
    """
    if not len(outside):
        return float(np.quantile(inside, 1 - IN_SCOPE_KEPT))
    tried = np.unique(np.concatenate([[0.0], inside, outside]))
    tried = tried[:: max(1, len(tried) // 500)]
    kept = np.array([float((right & (inside >= t)).mean()) for t in tried])
    return round(float(tried[kept >= kept.max() - GIVEN_UP][-1]), 4)


def calibration_error(shares: Array, right: npt.NDArray[np.bool_]) -> float:
    """Expected calibration error over 15 bins: how far confidence and truth are apart, 0..1."""
    bins = np.minimum((shares * _BINS).astype(int), _BINS - 1)
    gaps = [
        abs(float(shares[bins == b].mean()) - float(right[bins == b].mean())) * float((bins == b).mean())
        for b in range(_BINS) if (bins == b).any()
    ]  # fmt: skip
    return float(sum(gaps))


@dataclass(frozen=True, slots=True)
class Scored:
    """Of single-label sentences, at one threshold."""

    in_scope: int
    n_in_scope: int
    refused: int
    n_outside: int

    def figures(self) -> dict[str, object]:
        """Shares with their 95 % intervals."""
        found: dict[str, object] = {}
        for name, right, n in (
            ("in_scope_accuracy", self.in_scope, self.n_in_scope),
            ("out_of_scope_recall", self.refused, self.n_outside),
        ):
            if n:
                low, high = wilson(right, n)
                found[name] = {
                    "share": round(right / n, 4),
                    "right": right,
                    "n": n,
                    "low": round(low, 4),
                    "high": round(high, 4),
                }
        return found


def score(predicted: npt.NDArray[np.int64], targets: npt.NDArray[np.int64], outside: int | None) -> Scored:
    """Columns predicted against columns meant; `outside`: that of out of scope, None where there is none."""
    known = targets != outside if outside is not None else np.ones(len(targets), bool)
    return Scored(
        int((predicted == targets)[known].sum()),
        int(known.sum()),
        int((predicted == targets)[~known].sum()),
        int((~known).sum()),
    )


def macro_f1(predicted: npt.NDArray[np.bool_], targets: npt.NDArray[np.bool_]) -> tuple[float, list[float]]:
    """(mean, each label's) of yes and no tables (N, labels)."""
    both = (predicted & targets).sum(0)
    each = 2 * both / np.maximum(1, predicted.sum(0) + targets.sum(0))
    return float(each.mean()), [float(f) for f in each]


def label_thresholds(shares: Array, targets: npt.NDArray[np.bool_]) -> list[float]:
    """For each label the threshold of its best F1 on held-back sentences."""
    tried = np.linspace(0.05, 0.9, 86)
    best = []
    for column in range(shares.shape[1]):
        f1 = [macro_f1(shares[:, [column]] >= t, targets[:, [column]])[0] for t in tried]
        best.append(round(float(tried[int(np.argmax(f1))]), 3))
    return best


def interval_f1(
    predicted: npt.NDArray[np.bool_], targets: npt.NDArray[np.bool_], seed: int = 7
) -> tuple[float, float]:
    """95 % interval of the macro-F1, by 300 bootstraps of the sentences."""
    rng = np.random.default_rng(seed)
    drawn = (rng.integers(len(targets), size=len(targets)) for _ in range(300))
    scores = [macro_f1(predicted[rows], targets[rows])[0] for rows in drawn]
    low, high = np.quantile(scores, [0.025, 0.975])
    return float(low), float(high)
