"""The picture of `everpaw bench latency --plot FILE`: how the times are spread, and where they go."""

from pathlib import Path
from typing import Any

import numpy as np

from runtime.bench import Figures
from runtime.latency import STAGES, stages_of
from runtime.picture_file import picture

GOALS_MS = {("setpoint", "commands"): 250, ("setpoint", "questions"): 250, ("words", "commands"): 400,
            ("words", "questions"): 800}  # fmt: skip
"""Median to reach"""
_TITLES = {"setpoint": "first setpoint at the microcontroller", "words": "first sample of the reply's words"}
_COLOURS = {"commands": "#1f6f8b", "questions": "#d1495b"}
_STAGE_COLOURS = ("#1f6f8b", "#edae49", "#66a182", "#8d96a3", "#9a6fb0", "#d1495b", "#2e4057")
_PEER_DASHES = ((4, 2), (1, 1.5))


def draw(latency: Figures, path: Path) -> None:
    """Into an image file, see `picture`."""
    with picture(path, 15, 4.8) as figure:
        axes = figure.subplots(1, 3, width_ratios=(3, 3, 2.4))
        for axis, moment in zip(axes, _TITLES, strict=False):
            _spread(axis, moment, latency)
        _stages(axes[2], latency["raw_ms"])


def _spread(axis: Any, moment: str, latency: Figures) -> None:
    """Share of the lines answered within so many milliseconds."""
    for kind, colour in _COLOURS.items():
        _steps(axis, latency["raw_ms"], moment, kind, {"color": colour, "lw": 2, "label": kind})
        for (name, rows), dashes in zip(latency["raw_peers_ms"].items(), _PEER_DASHES, strict=False):
            style = {"color": colour, "lw": 1.2, "dashes": dashes, "label": f"{kind}, {name}"}
            _steps(axis, rows, moment, kind, style)
    for goal_ms in sorted({ms for (which, _), ms in GOALS_MS.items() if which == moment}):
        axis.axvline(goal_ms, color="#555555", lw=0.8, ls=":")
        axis.text(goal_ms, 1.01, f"goal {goal_ms}", ha="center", va="bottom", fontsize=8, color="#555555")
    axis.axhline(0.5, color="#dddddd", lw=0.8, zorder=0)
    axis.set(ylim=(0, 1), xlabel="ms from the acoustic end of the last word", ylabel="share of the lines")
    axis.set_title(_TITLES[moment], pad=18, fontsize=11)
    axis.legend(fontsize=8, ncols=2, loc="upper center", bbox_to_anchor=(0.5, -0.16), frameon=False)


def _steps(axis: Any, rows: list[Figures], moment: str, kind: str, style: dict[str, Any]) -> None:
    values = np.sort([row[moment] for row in rows if row["kind"] == kind and row.get(moment) is not None])
    if len(values):
        shares = np.arange(1, len(values) + 1) / len(values)
        axis.step(np.r_[values[0], values], np.r_[0, shares], where="post", **style)


def _stages(axis: Any, rows: list[Figures]) -> None:
    """Where the time to the first word goes, on average."""
    kinds = [kind for kind in _COLOURS if any(row["kind"] == kind for row in rows)]
    left = np.zeros(len(kinds))
    for stage, colour in zip(STAGES, _STAGE_COLOURS, strict=True):
        means = np.array([_mean(rows, kind, stage) for kind in kinds])
        axis.barh(kinds, means, left=left, color=colour, label=stage, height=0.5)
        left = left + means
    axis.invert_yaxis()
    axis.set(xlabel="ms, mean")
    axis.set_title("the way to the first word", pad=18, fontsize=11)
    axis.legend(fontsize=8, ncols=4, loc="upper center", bbox_to_anchor=(0.5, -0.16), frameon=False)


def _mean(rows: list[Figures], kind: str, stage: str) -> float:
    found = [stages[stage] for row in rows if row["kind"] == kind and (stages := stages_of(row))]
    return float(np.mean(found)) if found else 0.0
