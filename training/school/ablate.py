"""`everpaw train ablate TASK`: the same lesson with each switch alone, beside the plain one, a line each.

Every line is another run with the same data and seeds; the figure is that of the reported part. A line that
was measured stands in `ablation.json` and is not run again.
"""

import argparse
import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

from runtime.contracts.config import load_config
from runtime.contracts.errors import TrainingError
from runtime.pace import Pace
from training.school import course, judging, pictures, recipe
from training.school.settings import Lesson, Switches

SWITCHES: dict[str, dict[str, float]] = {
    "plain": {},
    "dropout": {"dropout": 0.2},
    "label smoothing": {"label_smoothing": 0.1},
    "class balance": {"class_balance": 0.5},
    "adversarial steps (FGM)": {"fgm": 0.3},
    "R-Drop": {"r_drop": 1.0},
    "running average": {"average": 0.99},
    "speech noise": {"speech_noise": 0.3},
    "pull to the start (L2-SP)": {"start_pull": 0.01},
    "synonyms": {"synonyms": 0.2},
}
"""Line -> what is switched on; synonyms only where switches.synonym_file names some"""


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="everpaw train ablate", description="Does each switch help?")
    parser.add_argument("task", choices=("behaviour", "mood"))
    parser.add_argument("--config", type=Path)
    parser.add_argument("--set", action="append", default=[], metavar="PART.KEY=VALUE")
    parser.add_argument("--only", nargs="+", choices=tuple(SWITCHES), metavar="LINE")
    parser.add_argument("--out", type=Path, required=True, help="folder for ablation.json, .md and .png")
    args = parser.parse_args(argv)
    lesson = load_config(Lesson, args.config, args.set)
    if lesson.switches != Switches(synonym_file=lesson.switches.synonym_file):
        raise TrainingError("an ablation begins with all switches off; take them out of the settings")
    lines = args.only or lines_of(lesson)
    args.out.mkdir(parents=True, exist_ok=True)
    parts, pace = course.parts_of(lesson), Pace(len(lines))
    found = _found(args.out / "ablation.json", lesson, parts.digests)
    for done, name in enumerate(lines, start=1):
        if name not in found["lines"]:
            found["lines"][name] = run(args.task, lesson, SWITCHES[name], parts, args.out / "work")
            _put(args.out / "ablation.json", json.dumps(found, indent=1) + "\n")
        print(f"{name}: {found['lines'][name]}  {pace.left(done)}", file=sys.stderr, flush=True)
    page = table(found["lines"])
    _put(args.out / "ablation.md", page)
    [(figure, _), *_] = next(iter(found["lines"].values())).items()
    spans = {name: _span(row[figure]) for name, row in found["lines"].items()}
    pictures.spans(spans, figure, args.out / "ablation.png")
    print(page, end="")
    return 0


def lines_of(lesson: Lesson) -> list[str]:
    """Every line that this lesson can have."""
    return [name for name in SWITCHES if name != "synonyms" or lesson.switches.synonym_file]


def run(
    task: str, lesson: Lesson, switches: dict[str, float], parts: course.Parts, work: Path
) -> dict[str, str]:
    """A line of the table."""
    changed = Switches.model_validate({**lesson.switches.model_dump(), **switches})
    one = lesson.model_copy(update={"switches": changed})
    learned = course.learn(one, parts, work)
    judge = judging.Judge(parts.reported, parts.labels, parts.several)
    figures, _ = recipe.after(learned, recipe.card_of(task, one, parts, learned, ""), judge)
    shutil.rmtree(work)
    row = judging.row_of(figures, parts.several)
    return {name: row[name] for name in row if name not in parts.labels}


def table(lines: dict[str, dict[str, str]]) -> str:
    """Markdown."""
    names = list(next(iter(lines.values())))
    rows = [f"| {line} | " + " | ".join(row[name] for name in names) + " |" for line, row in lines.items()]
    return "\n".join(["| | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|", *rows]) + "\n"


def _span(cell: str) -> tuple[float, float, float]:
    """(value, least, most) of a cell such as "88.3 % (87.1-89.4, n 2999)"."""
    value, least, most = re.findall(r"[\d.]+", cell)[:3]
    return float(value), float(least), float(most)


def _found(path: Path, lesson: Lesson, digests: dict[str, str]) -> dict[str, Any]:
    fresh: dict[str, Any] = {"settings": lesson.digest, "data": digests, "lines": {}}
    if not path.is_file():
        return fresh
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if {**found, "lines": {}} != fresh:
        raise TrainingError(f"{path} is of other settings or data; remove it, or give another --out")
    return found


def _put(path: Path, text: str) -> None:
    draft = path.with_suffix(path.suffix + ".new")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
