"""`report.json` and `report.html` of a run: before and after, curves, what was learned from, the pictures."""

import html
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}"
    "table{border-collapse:collapse;margin:1rem 0}"
    "td,th{border:1px solid #ccc;padding:.3rem .7rem;text-align:left}"
    "svg{width:100%;height:auto;background:#fafafa}img{max-width:100%}"
    "pre{background:#f4f4f4;padding:1rem;overflow:auto}"
)
_WIDTH, _HEIGHT, _EDGE = 640, 240, 44
Row = tuple[str, Mapping[str, str]]
"""(who, what -> figure)"""


@dataclass(frozen=True)
class Report:
    title: str
    rows: Sequence[Row]
    """Before, after, peers; the same columns each"""
    curves: Mapping[str, Sequence[tuple[float, float]]]
    """Name -> (step, value)"""
    facts: Mapping[str, Any]
    """Settings, digests, counts, whatever a reader may ask for"""
    pictures: Sequence[str] = ()
    """Names of files beside the report"""
    notes: Sequence[str] = field(default=())


def write(report: Report, folder: Path) -> None:
    """Both files; the page needs nothing but itself and the pictures beside it."""
    told = {
        "title": report.title, "table": [{"who": who, **row} for who, row in report.rows],
        "curves": {name: list(points) for name, points in report.curves.items()},
        "facts": report.facts, "notes": list(report.notes),
    }  # fmt: skip
    _put(folder / "report.json", json.dumps(told, indent=1, ensure_ascii=False) + "\n")
    _put(folder / "report.html", page(report))


def page(report: Report) -> str:
    notes = "".join(f"<p>{html.escape(note)}</p>" for note in report.notes)
    pictures = "".join(
        f'<p><img src="{html.escape(name)}" alt="{html.escape(name)}"></p>' for name in report.pictures
    )
    curves = "".join(
        f"<h2>{html.escape(name)}</h2>{curve(points)}"
        for name, points in report.curves.items()
        if len(points) > 1
    )
    facts = html.escape(json.dumps(report.facts, indent=1, ensure_ascii=False))
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{html.escape(report.title)}</title>'
        f"<style>{_STYLE}</style><h1>{html.escape(report.title)}</h1>{notes}{table(report.rows)}{pictures}{curves}"
        f"<h2>What it was made of</h2><pre>{facts}</pre></html>\n"
    )


def table(rows: Sequence[Row]) -> str:
    """HTML; a cell that a row lacks is a dash."""
    names = list(dict.fromkeys(name for _, row in rows for name in row))
    head = "".join(f"<th>{html.escape(name)}</th>" for name in ("", *names))
    body = "".join(
        f"<tr><td>{html.escape(who)}</td>"
        + "".join(f"<td>{html.escape(row.get(name, '-'))}</td>" for name in names)
        + "</tr>"
        for who, row in rows
    )
    return f"<table><tr>{head}</tr>{body}</table>"


def curve(points: Sequence[tuple[float, float]]) -> str:
    """A line as SVG, with its least and greatest values at the axes."""
    xs, ys = [x for x, _ in points], [y for _, y in points]
    x0, x1, y0, y1 = min(xs), max(xs), min(ys), max(ys)
    wide, high = max(x1 - x0, 1e-12), max(y1 - y0, 1e-12)
    at = " ".join(
        f"{_EDGE + (_WIDTH - 2 * _EDGE) * (x - x0) / wide:.1f},"
        f"{_HEIGHT - _EDGE / 2 - (_HEIGHT - _EDGE) * (y - y0) / high:.1f}"
        for x, y in points
    )
    foot = _HEIGHT - 4
    words = (
        f'<text x="2" y="18">{y1:.3g}</text><text x="2" y="{foot - 16}">{y0:.3g}</text>'
        f'<text x="{_EDGE}" y="{foot}">step {x0:.0f}</text>'
        f'<text x="{_WIDTH - _EDGE}" y="{foot}" text-anchor="end">{x1:.0f}</text>'
    )
    line = f'<polyline fill="none" stroke="#2a6f97" stroke-width="2" points="{at}"/>'
    return f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" font-size="11">{line}{words}</svg>'


def curves_of(history: Sequence[Mapping[str, float]]) -> dict[str, list[tuple[float, float]]]:
    """From the Trainer's log: loss while learning, loss and metric of the held-back part, learning rate."""
    names = {
        "loss": "loss while learning",
        "eval_loss": "loss, held back",
        "eval_held_back": "right, held back",
        "learning_rate": "learning rate",
    }
    return {told: [(row["step"], row[key]) for row in history if key in row] for key, told in names.items()}


def _put(path: Path, text: str) -> None:
    draft = path.with_suffix(path.suffix + ".new")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
