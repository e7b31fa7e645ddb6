"""The threshold of a head, from voices and recordings it was not trained on, and the curve it lies on."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from runtime.contracts.errors import MissingExtraError
from training.wake.clips import Clip
from training.wake.head import Head, Windows, score
from training.wake.plan import Plan

Floats = npt.NDArray[np.float32]
_LOWEST, _HIGHEST = 0.5, 0.995
_BEFORE_S, _AFTER_S = 0.3, 0.9
"""A hit counts for a name this long before and after its end"""
_GRID = np.concatenate([np.linspace(0.05, 0.9, 35), np.linspace(0.905, 0.999, 48)]).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Curve:
    """Misses against false accepts over all thresholds, on held-out clips."""

    thresholds: Floats
    missed_clean: Floats
    missed_noisy: Floats
    fires_an_hour: Floats
    hours: float

    def described(self) -> dict[str, object]:
        fields = ("thresholds", "missed_clean", "missed_noisy", "fires_an_hour")
        rows = {f: [round(float(x), 4) for x in getattr(self, f)] for f in fields}
        return {**rows, "hours": round(self.hours, 3)}


def peaks(head: Head, clips: Sequence[Clip], plan: Plan, patience: int) -> Floats:
    """Per clip the highest threshold at which it fires: names only around their end, others anywhere."""
    scores, at, found = score(head, Windows(clips, plan)), 0, []
    for clip in clips:
        steps = len(clip.embeddings)
        mine = scores[at : at + steps]
        at += steps
        if steps < patience:
            found.append(0.0)
            continue
        runs = np.lib.stride_tricks.sliding_window_view(mine, patience).min(axis=1)
        after_s = (np.arange(len(runs)) + patience) * 0.08 - clip.end_s
        if np.isfinite(clip.end_s):
            runs = runs[(after_s > -_BEFORE_S) & (after_s < _AFTER_S)]
        found.append(float(runs.max(initial=0.0)))
    return np.array(found, np.float32)


def choose(head: Head, clips: Sequence[Clip], plan: Plan) -> tuple[float, dict[str, float], Curve]:
    """(threshold, shares of clips missed and fired at it, curve).

    The lowest threshold at which no more sentences, real recordings and animals fire than the plan allows.
    Clips that only sound like the name are reported, not weighed: firing on some of them is the price of
    hearing everybody.
    """
    best = peaks(head, clips, plan, plan.patience)
    kinds = np.array([clip.kind for clip in clips])
    names = best[kinds == "name"]  # the first half clean, the second in noise
    strangers = best[(kinds == "real") | (kinds == "animal")]
    sentences = best[(kinds == "talk") | (kinds == "order")]
    floors = [float(np.quantile(sentences, 1 - plan.sentence_fires))]
    floors += [float(np.quantile(strangers, 1 - plan.real_fires, method="higher"))]
    threshold = round(float(np.clip(max(floors) + 1e-3, _LOWEST, _HIGHEST)), 4)
    half = len(names) // 2
    shares = {
        "missed_clean": _share(names[:half] < threshold),
        "missed_10db": _share(names[half:] < threshold),
    }
    if (kinds == "owner").any():
        shares["missed_owner"] = _share(best[kinds == "owner"] < threshold)
    for kind in sorted(set(kinds) - {"name", "owner"}):
        shares[f"fired_{kind}"] = _share(best[kinds == kind] >= threshold)
    others = np.isin(kinds, ["talk", "order", "real", "animal"])
    hours = sum(len(c.embeddings) for c, other in zip(clips, others, strict=True) if other) * 0.08 / 3600
    fires = np.array([(best[others] >= t).sum() / hours for t in _GRID], np.float32)
    curve = Curve(_GRID, _missed(names[:half]), _missed(names[half:]), fires, hours)
    return threshold, shares, curve


def _share(which: npt.NDArray[np.bool_]) -> float:
    return float(which.mean()) if len(which) else 0.0


def _missed(names: Floats) -> Floats:
    return np.array([_share(names < t) for t in _GRID], np.float32)


def draw(curve: Curve, threshold: float, name: str, path: Path) -> None:
    """The curve as a picture. MissingExtraError without matplotlib."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("matplotlib", "training") from error
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.add_subplot()
    floor = 0.5 / curve.hours  # a logarithmic axis has no place for none
    x = np.maximum(curve.fires_an_hour, floor)
    here = int(np.searchsorted(curve.thresholds, threshold).clip(0, len(x) - 1))
    for missed, said, colour in (
        (curve.missed_noisy, "kitchen noise at 10 dB", "#c05030"),
        (curve.missed_clean, "clean", "#3060a0"),
    ):
        axes.plot(x, 100 * missed, color=colour, label=said)
        axes.plot(x[here], 100 * missed[here], "o", color=colour)
    axes.set_xscale("log")
    axes.set_xlabel(f"false accepts an hour, of {curve.hours:.2f} h (left edge: none)")
    axes.set_ylabel("names missed, %")
    axes.set_ylim(bottom=0)
    axes.set_title(f'"{name}", held-out voices; dots: threshold {threshold:.3f}', fontsize=10)
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=90, metadata={"Software": None})
