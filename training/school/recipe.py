"""The recipe of every classifier of sentences: data, learning, thresholds, figures beside a peer, report.

`everpaw train behaviour|mood --config X.toml --set part.key=value --out DIR`. What comes out is a folder of
transformers with `school.json`, `report.html` and `report.json`. A killed run goes on where it was.
"""

import argparse
import importlib.metadata
import json
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from runtime.contracts.config import load_config
from runtime.contracts.errors import ConfigError
from training import provenance
from training.school import checkpoint, confidence, course, judging, pictures, report
from training.school import model as school_model
from training.school.checkpoint import Card
from training.school.course import Learned, Parts
from training.school.judging import Figures, Judge
from training.school.pupil import first_process, part
from training.school.settings import Lesson

WORD_ERRORS = 0.1
_VERSIONS = ("torch", "transformers", "peft", "accelerate", "scikit-learn")


def main(task: str, argv: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog=f"everpaw train {task}", description="Fine-tune a classifier of sentences."
    )
    parser.add_argument("--config", type=Path, help="TOML of settings (docs/school.md)")
    parser.add_argument(
        "--set", action="append", default=[], metavar="PART.KEY=VALUE", help="one setting; repeatable"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for the checkpoint and its report")
    parser.add_argument(
        "--work", type=Path, help="folder for what a killed run goes on from; default: OUT.work"
    )
    args = parser.parse_args(argv)
    lesson = load_config(Lesson, args.config, args.set)
    if not lesson.start:
        raise ConfigError("start is not set; give a folder with a checkpoint: --set start=FOLDER")

    work = args.work or args.out.with_name(f"{args.out.name}.work")
    parts = course.parts_of(lesson)
    _say(f"{task}: {parts.counts}")
    judge = Judge(parts.reported, parts.labels, parts.several)
    learned = course.learn(lesson, parts, work)
    part()
    if not first_process():
        return 0
    card = card_of(task, lesson, parts, learned, " ".join(["everpaw train", task, *argv]))
    linear = judging.linear(parts.learned, parts.held_back, judge)
    rows = {
        "start": before(lesson, judge),
        "linear, same sentences": judging.vote(parts.held_back, judge, linear),
    }
    rows["this model"], shares = after(learned, card, judge)
    own = judging.Voice(shares_of(learned, card, [e.text for e in parts.held_back]), shares)
    rows["this model and the linear one"] = judging.vote(parts.held_back, judge, own, linear)
    if not judge.several:
        rows |= heard_badly(learned, card, judge, parts)
    card = card.model_copy(update={"metrics": rows})
    checkpoint.save(learned, card, args.out)
    provenance.write_in(args.out, sources(card.settings["data"]), card.command)
    tell(args.out, card, learned, judge, shares)
    shutil.rmtree(work, ignore_errors=True)
    print(json.dumps(rows))
    return 0


def card_of(task: str, lesson: Lesson, parts: Parts, learned: Learned, command: str) -> Card:
    """Temperature and thresholds come from the held-back part."""
    logits = _logits(learned, [e.text for e in parts.held_back], lesson)
    held = Judge(parts.held_back, learned.labels, learned.several)
    by, threshold, thresholds = 1.0, 0.0, []
    if learned.several:
        thresholds = confidence.label_thresholds(
            torch.sigmoid(logits).numpy().astype(np.float64), held.targets.numpy() > 0.5
        )
    else:
        by = confidence.temperature(logits, held.targets)
        shares = torch.softmax(logits / by, dim=1).numpy().astype(np.float64)
        threshold = judging.threshold_of(shares, held.targets.numpy(), held.outside)
    return Card(
        task=task, start=lesson.start, labels=learned.labels, several=learned.several,
        max_tokens=lesson.length.max_tokens, temperature=by, threshold=threshold, thresholds=thresholds,
        settings=lesson.model_dump(mode="json"), digests={"settings": lesson.digest, **parts.digests},
        counts=parts.counts, command=command,
        versions={name: importlib.metadata.version(name) for name in _VERSIONS},
    )  # fmt: skip


def before(lesson: Lesson, judge: Judge) -> Figures:
    """The start as it came: chance, unless it had learned these labels before."""
    torch.manual_seed(lesson.seed)
    tokenizer = school_model.tokenizer_of(lesson.start)
    plain = lesson.model_copy(update={"lora": type(lesson.lora)()})
    model = school_model.classifier(plain, judge.labels, judge.several, int(tokenizer.pad_token_id))
    return _figures(
        school_model.logits_of(model, tokenizer, judge.texts, lesson.length.max_tokens), judge, 0.0, None
    )[0]


def after(learned: Learned, card: Card, judge: Judge) -> tuple[Figures, confidence.Array]:
    logits = school_model.logits_of(learned.model, learned.tokenizer, judge.texts, card.max_tokens)
    return _figures(logits / card.temperature, judge, card.threshold, card.thresholds)


def heard_badly(learned: Learned, card: Card, judge: Judge, parts: Parts) -> dict[str, Figures]:
    texts, rate = judging.misheard(judge.reported, WORD_ERRORS, parts.learned)
    logits = school_model.logits_of(learned.model, learned.tokenizer, texts, card.max_tokens)
    return {
        f"this model, {100 * rate:.0f} % of words misheard": _figures(
            logits / card.temperature, judge, card.threshold, None
        )[0]
    }


def shares_of(learned: Learned, card: Card, texts: list[str]) -> confidence.Array:
    """(N, labels): probabilities at the temperature of the card."""
    return checkpoint.Loaded(card, learned.model, learned.tokenizer).shares(texts)


def _figures(
    logits: torch.Tensor, judge: Judge, threshold: float, thresholds: list[float] | None
) -> tuple[Figures, confidence.Array]:
    if judge.several:
        shares = torch.sigmoid(logits).numpy().astype(np.float64)
        return judge.multiple(shares, thresholds or [0.5] * len(judge.labels)), shares
    shares = torch.softmax(logits, dim=1).numpy().astype(np.float64)
    return judge.single(shares, threshold), shares


def _logits(learned: Learned, texts: list[str], lesson: Lesson) -> torch.Tensor:
    return school_model.logits_of(learned.model, learned.tokenizer, texts, lesson.length.max_tokens)


def sources(data: Mapping[str, Any]) -> dict[str, Path]:
    """The files and folders that were learned from, by name."""
    paths = [Path(data[part]) for part in ("train", "validation") if data.get(part)]
    return {path.name: path for path in paths}


def tell(out: Path, card: Card, learned: Learned, judge: Judge, shares: confidence.Array) -> None:
    """Report and picture into the checkpoint's folder."""
    shown = []
    if not judge.several:
        taken = confidence.taken(shares, card.threshold, judge.outside is not None)
        pictures.confusion(judge.targets.numpy(), taken, judge.labels, out / "confusion.png")
        shown = ["confusion.png"]
    facts = card.model_dump(exclude={"metrics"}) | {
        "million_parameters": round(school_model.million(learned.model), 2), "steps": learned.steps,
        "seconds": round(learned.seconds), "weights": learned.kept,
    }  # fmt: skip
    rows = [(who, judging.row_of(figures, judge.several)) for who, figures in card.metrics.items()]
    notes = [
        f"Reported on {len(judge.reported)} sentences neither learned from nor used for a threshold; "
        "95 % intervals in brackets. The start has a fresh head unless it had learned these labels before."
    ]
    curves = report.curves_of(learned.history)
    report.write(report.Report(f"{card.task}: {card.start}", rows, curves, facts, shown, notes), out)


def _say(text: str) -> None:
    if first_process():
        print(text, file=sys.stderr, flush=True)
