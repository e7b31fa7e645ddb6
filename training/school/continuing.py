"""`everpaw train continue behaviour|mood CHECKPOINT --lessons lessons.jsonl`: what its own life taught.

The owner's corrections and answers weigh most, praise less, guesses it is sure of least; what the checkpoint
is not sure of becomes a question (`OUT.questions.tsv`). Old examples are learned again beside the new, the
weights are held to what they were (training/school/keeping.py). The report says what was gained on the new,
beside a full retrain where `--retrain` asks for one, and what was forgotten of the old. A killed run goes on.
"""

import argparse
import json
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from runtime import starter
from runtime.contracts.config import load_config
from runtime.contracts.errors import TrainingError
from runtime.mind.grammar import Grammar
from training import provenance
from training.school import (
    checkpoint,
    course,
    examples,
    gains,
    interactions,
    keeping,
    questions,
    recipe,
    splits,
)
from training.school.checkpoint import Card, Loaded
from training.school.course import Parts
from training.school.examples import OUT_OF_SCOPE, Example
from training.school.interactions import Told
from training.school.settings import Continuing
from training.school.settings import Keeping as Plan

GRAMMAR = starter.FOLDER / "grammar.yaml"
_LEAST_REPORTED = 10
"""Of what the owner told a fifth is reported on, where it is at least so much"""


@dataclass(frozen=True)
class New:
    """What the lessons tell: `taught` by the owner, `unknown` what nobody named, `reported` for the gain."""

    taught: list[Example]
    unknown: list[Told]
    reported: list[Example]
    counts: dict[str, int]


def main(argv: list[str]) -> int:
    args = _arguments(argv)
    teacher = checkpoint.load(args.checkpoint, args.task)
    lesson = load_config(
        Continuing, args.config, args.set, {**teacher.card.settings, "start": str(args.checkpoint)}
    )
    old = course.parts_of(lesson)
    _is_the_old(teacher.card, old)
    new = gather(args, lesson.keep, teacher.card, old)
    print(f"{args.task}: {new.counts}", file=sys.stderr, flush=True)
    work = args.work or args.out.with_name(f"{args.out.name}.work")
    asked = args.out.with_name(f"{args.out.name}.questions.tsv")
    if not new.taught and not any(one.labels for one in guesses(teacher, new, lesson.keep)):
        _ask(asked, teacher, new, lesson.keep)
        raise TrainingError(
            f"nothing is known and nothing is sure; answer {asked} and give it with --answers"
        )
    command = " ".join(["everpaw train continue", *argv])
    before, parts = teacher, None
    for number in range(1, lesson.keep.rounds + 1):
        parts = mixed(old, new, guesses(teacher, new, lesson.keep), teacher.card, lesson)
        teacher = learn(args.task, lesson, parts, old, before.card, work / f"round-{number}", command)
    assert parts is not None
    rows = {"before": before, "this model": teacher}
    if args.retrain:
        rows["a full retrain"] = retrain(args.task, before.card, parts, old, work / "retrain")
    judged = gains.judge(rows, old.reported, new.reported, teacher.card)
    card = teacher.card.model_copy(update={"metrics": judged.metrics})
    _keep(args, card, teacher, judged, new)
    _ask(asked, teacher, new, lesson.keep)
    shutil.rmtree(work, ignore_errors=True)
    print(json.dumps(judged.metrics))
    return 0


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="everpaw train continue", description="A checkpoint learns from what its pet was told."
    )
    parser.add_argument("task", choices=("behaviour", "mood"))
    parser.add_argument("checkpoint", type=Path, help="folder of `everpaw train behaviour|mood` or of this")
    parser.add_argument(
        "--lessons", type=Path, nargs="+", default=[], help="lessons.jsonl of `everpaw privacy export`"
    )
    parser.add_argument("--answers", type=Path, nargs="+", default=[], help="questions.tsv, answered")
    parser.add_argument("--test", type=Path, help="texts and labels that the gain is measured on")
    parser.add_argument(
        "--retrain", action="store_true", help="measure a full retrain on old and new beside it"
    )
    parser.add_argument(
        "--grammar", type=Path, default=GRAMMAR, help="of the pet: sentences that need no learning"
    )
    parser.add_argument("--config", type=Path, help="TOML of settings; the rest as the checkpoint learned")
    parser.add_argument("--set", action="append", default=[], metavar="PART.KEY=VALUE")
    parser.add_argument(
        "--out", type=Path, required=True, help="folder for the new checkpoint and its report"
    )
    parser.add_argument("--work", type=Path, help="what a killed run goes on from; default: OUT.work")
    args = parser.parse_args(argv)
    if not args.lessons and not args.answers:
        parser.error("give --lessons, --answers or both")
    return args


def _is_the_old(card: Card, old: Parts) -> None:
    """What the checkpoint learned from has to be what is replayed, or the forgetting would be told wrong."""
    if card.digests.get("old", card.digests.get("learned")) != old.digests["learned"]:
        raise TrainingError(
            "the data are not those the checkpoint learned from; give them with --set data.train=FILE "
            "(and data.validation, where it had one)"
        )


def gather(args: argparse.Namespace, plan: Plan, card: Card, old: Parts) -> New:
    """Read, scrubbed, sorted by who says what; nothing that is reported on is learned."""
    grammar = Grammar.load(args.grammar)
    every = interactions.told(
        interactions.read(args.lessons), questions.read(args.answers), grammar, args.task
    )
    few = interactions.rare(every, card.labels, plan.least)
    if few:
        print(f"too few sentences to learn: {sorted(few)}", file=sys.stderr)
    weights = {"answered": plan.owner_weight, "corrected": plan.owner_weight, "praised": plan.praise_weight}
    taught = [
        Example(one.text, tuple(one.label.split(",")), weight=weights[one.how])
        for one in every
        if one.how and one.label != questions.NO and not few & set(one.label.split(","))
    ]
    reported: list[Example] = []
    if args.test:
        data = card.settings["data"]
        reported = examples.tidy(
            examples.read(args.test, "validation"), data["clean"], data["scrub"], data["language"]
        ).examples
    taught, dropped = splits.without_leaks(taught, [*old.reported, *reported])
    if not args.test and len(taught) >= 5 * _LEAST_REPORTED:
        taught, reported = splits.split(taught, 0.2, 7)
    unknown = [one for one in every if not one.how]
    counts = {
        "taught": len(taught),
        "unknown": len(unknown),
        "new_reported": len(reported),
        "also_reported": dropped,
    }
    return New(taught, unknown, reported, counts)


def guesses(teacher: Loaded, new: New, plan: Plan) -> list[Example]:
    """One for each unknown sentence; without labels where it is not sure. Out of scope is never guessed: a
    meaning that is new would be learned as none. Who lacks a label that was taught guesses nothing, for it
    would take what is meant by it for something old, and be sure."""
    unknown, labels = new.unknown, teacher.card.labels
    if not unknown:
        return []
    if not plan.guess_weight or {label for one in new.taught for label in one.labels} - set(labels):
        return [Example(one.text, (), weight=plan.guess_weight) for one in unknown]
    shares = teacher.shares([one.text for one in unknown])
    found = []
    for one, row in zip(unknown, shares, strict=True):
        if teacher.card.several:
            clear = bool((np.maximum(row, 1 - row) >= plan.sure).all())
            chosen = tuple(sorted(labels[i] for i in np.flatnonzero(row >= 0.5))) if clear else ()
        else:
            best = int(row.argmax())
            chosen = (labels[best],) if row[best] >= plan.sure else ()
        fit = not {OUT_OF_SCOPE, *one.never} & set(chosen)
        found.append(Example(one.text, chosen if fit else (), weight=plan.guess_weight))
    return found


def mixed(old: Parts, new: New, guessed: Sequence[Example], card: Card, lesson: Continuing) -> Parts:
    """The new beside some of the old. Of the new a share is held back; where there is too little for that,
    what is learned is looked at too, or the best look would be that at which nothing new was learned."""
    fresh = [*new.taught, *(one for one in guessed if one.labels)]
    fresh, dropped = splits.without_leaks(fresh, [*old.reported, *new.reported])
    kept = fresh
    if len(fresh) >= 5 * _LEAST_REPORTED:
        fresh, kept = splits.split(fresh, lesson.data.held_back, lesson.seed)
    free, _ = splits.without_leaks(old.learned, [*fresh, *kept])  # the owner's word replaces an old label
    held, _ = splits.without_leaks(old.held_back, [*fresh, *kept])
    again = keeping.replay(free, int(lesson.keep.replay * len(fresh)), lesson.keep.replay_least, lesson.seed)
    sides = {"learned": [*again, *fresh], "held_back": [*held, *kept], "reported": old.reported}
    counts = {"replayed": len(again), "new": len(fresh), "new_held_back": len(kept), "repeated": dropped}
    digests = {name: examples.digest(side) for name, side in sides.items()}
    digests |= {"old": old.digests["learned"], "start": _digest_of(lesson.start)}
    known = tuple(card.labels)
    return Parts(**sides, counts=counts, digests=digests, known=known, multiple=card.several)


def _digest_of(start: str) -> str:
    return provenance.sha256_of(Path(start) / checkpoint.SCHOOL)


def learn(
    task: str, lesson: Continuing, parts: Parts, old: Parts, known: Card, work: Path, command: str
) -> Loaded:
    """One round, from the checkpoint; a round that came to its end before is read again."""
    done = work.with_name(f"{work.name}.done")
    wanted = {"settings": lesson.digest, **parts.digests}
    if (done / checkpoint.SCHOOL).is_file() and checkpoint.read_card(done).digests == wanted:
        return checkpoint.load(done, task)
    fisher = keeping.replay(old.learned, lesson.keep.fisher, 1, lesson.seed)[: lesson.keep.fisher]
    keep = keeping.Keep(fisher, known.labels, lesson.keep.ewc, parts.learned[parts.counts["replayed"] :])
    learned = course.learn(lesson, parts, work, keep=keep)
    card = recipe.card_of(task, lesson, parts, learned, command)
    checkpoint.save(learned, card, done)
    return Loaded(card, learned.model.eval(), learned.tokenizer)


def retrain(task: str, known: Card, parts: Parts, old: Parts, work: Path) -> Loaded:
    """From the start that the checkpoint came from, on all of the old and the same new, each counted once."""
    lesson = Continuing.model_validate(known.settings)
    fresh = parts.learned[parts.counts["replayed"] :]
    free, _ = splits.without_leaks(old.learned, [*fresh, *parts.held_back])  # as in `mixed`
    learned = [*free, *(replace(one, weight=1.0) for one in fresh)]
    digests = parts.digests | {"learned": examples.digest(learned)}
    whole = replace(parts, learned=learned, digests=digests)
    made = course.learn(lesson, whole, work)
    return Loaded(recipe.card_of(task, lesson, whole, made, ""), made.model.eval(), made.tokenizer)


def _keep(args: argparse.Namespace, card: Card, made: Loaded, judged: Any, new: New) -> None:
    model: Any = made.model
    learned = course.Learned(model, made.tokenizer, card.labels, card.several)
    card = card.model_copy(update={"counts": card.counts | new.counts})
    checkpoint.save(learned, card, args.out)
    sets = {path.name: path for path in (*args.lessons, *args.answers)}
    provenance.write_in(args.out, sets | recipe.sources(card.settings["data"]), card.command)
    gains.tell(args.out, card, judged)


def _ask(path: Path, made: Loaded, new: New, plan: Plan) -> None:
    """What is still not sure, as questions."""
    open_ = [
        one for one, known in zip(new.unknown, guesses(made, new, plan), strict=True) if not known.labels
    ]
    texts = [one.text for one in open_]
    if not texts or not plan.ask:
        return
    shares = made.shares(texts)
    asked = questions.choose(texts, questions.uncertainty(shares, made.card.several), plan.ask)
    best = [int(shares[i].argmax()) for i in asked]
    guessed, sure = (
        [made.card.labels[b] for b in best],
        [float(shares[i][b]) for i, b in zip(asked, best, strict=True)],
    )
    questions.write(path, [texts[i] for i in asked], guessed, sure)
    print(f"{len(asked)} questions in {path}", file=sys.stderr)
