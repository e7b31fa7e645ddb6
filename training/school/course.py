"""One run from a lesson to a model that learned: data in parts that share nothing, training, the best of it.

`work` keeps checkpoints; a run that was killed goes on from the last whole one and ends as it would have.
"""

import errno
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from transformers import (
    DataCollatorWithPadding,
    EarlyStoppingCallback,
    EvalPrediction,
    PrinterCallback,
    TrainerCallback,
    set_seed,
)
from transformers.utils import logging as transformers_logging

from runtime.contracts.errors import ConfigError, TrainingError
from training.school import confidence, examples, keeping, losses, splits, watching
from training.school import model as school_model
from training.school.batches import Sentences, one_hot
from training.school.examples import Example
from training.school.pupil import MarkWhole, Pupil, arguments, first_process, last_whole, processes
from training.school.settings import Lesson

LESSON = "lesson.json"
METRIC = "held_back"


@dataclass(frozen=True, slots=True)
class Parts:
    """`learned` from, `held_back` for thresholds, `reported` on; none shares a text or source."""

    learned: list[Example]
    held_back: list[Example]
    reported: list[Example]
    counts: dict[str, int]
    digests: dict[str, str]
    known: tuple[str, ...] = ()
    """Labels that the start has learned before, where they are to stay"""
    multiple: bool = False
    """Whether the start has learned several labels a text"""

    @property
    def labels(self) -> list[str]:
        seen = examples.labels_of([*self.learned, *self.held_back])
        return examples.in_order({*seen, *self.known})

    @property
    def several(self) -> bool:
        """Whether any text has more than one label."""
        return self.multiple or any(len(e.labels) > 1 for e in (*self.learned, *self.held_back))


@dataclass
class Learned:
    model: nn.Module
    tokenizer: Any
    labels: list[str]
    several: bool
    history: list[dict[str, float]] = field(default_factory=list)
    steps: int = 0
    seconds: float = 0.0
    kept: str = "the best look"
    """Which weights these are"""


def parts_of(lesson: Lesson) -> Parts:
    """Read, cleaned, scrubbed and split. TrainingError where sources stand on both sides."""
    data = lesson.data
    if data.train is None:
        raise ConfigError("data.train is not set; give a file of texts and labels, or a corpus")
    tidied = examples.tidy(examples.read(data.train, "train"), data.clean, data.scrub, data.language)
    learned, counts = tidied.examples, dict(tidied.counts)
    if data.validation or examples.has_parts(data.train):
        path = data.validation or data.train
        reported = examples.tidy(
            examples.read(path, "validation"), data.clean, data.scrub, data.language
        ).examples
        learned, counts["also_reported"] = splits.without_leaks(learned, reported)
    else:
        learned, reported = splits.split(learned, 0.2, lesson.seed)
    if data.limit and data.limit < len(learned):
        learned = splits.split(learned, data.limit / len(learned), lesson.seed + 1)[1]
    learned, held_back = _held_back(learned, data.held_back, lesson.seed)
    left = (
        splits.leaks(learned, reported) + splits.leaks(held_back, reported) + splits.leaks(learned, held_back)
    )
    if left:
        raise TrainingError(f"texts on both sides of the split: {left[:5]}; mend data.train")
    sides = {"learned": learned, "held_back": held_back, "reported": reported}
    counts |= {name: len(side) for name, side in sides.items()}
    return Parts(
        **sides, counts=counts, digests={name: examples.digest(side) for name, side in sides.items()}
    )


def _held_back(some: list[Example], share: float, seed: int) -> tuple[list[Example], list[Example]]:
    """Of what is out of scope a half: a threshold needs more of it than a tenth."""
    outside = [e for e in some if examples.OUT_OF_SCOPE in e.labels]
    learned, held_back = splits.split([e for e in some if examples.OUT_OF_SCOPE not in e.labels], share, seed)
    if outside:
        rest, half = splits.split(outside, 0.5, seed)
        return learned + rest, held_back + half
    return learned, held_back


def learn(
    lesson: Lesson, parts: Parts, work: Path, watchers: Sequence[TrainerCallback] = (),
    keep: keeping.Keep | None = None,
) -> Learned:  # fmt: skip
    """The lesson, whole; `work` is its alone. `keep`: what the start knows and is not to forget."""
    _own(lesson, parts, work)
    transformers_logging.set_verbosity_error()
    if lesson.machine.threads:
        torch.set_num_threads(lesson.machine.threads)
    set_seed(lesson.seed)
    tokenizer = school_model.tokenizer_of(lesson.start)
    labels, several = parts.labels, parts.several
    model = school_model.classifier(lesson, labels, several, int(tokenizer.pad_token_id))

    def sentences(some: list[Example], switches: Any) -> Sentences:
        targets = one_hot(examples.targets_of(some, labels, lesson.data.train), len(labels), several)
        return Sentences(some, targets, tokenizer, lesson.length.max_tokens, switches, lesson.seed)

    taught = sentences(parts.learned, lesson.switches)
    targets = one_hot(examples.targets_of(parts.learned, labels), len(labels), several)
    average = watching.Average(lesson.switches.average) if lesson.switches.average else None
    callbacks: list[TrainerCallback] = [watching.Progress(), watching.SaneLoss(), *watchers]
    callbacks += [average] if average else []
    if lesson.length.patience:
        callbacks.append(EarlyStoppingCallback(lesson.length.patience))
    steps = max(1, len(taught) // (lesson.length.batch * lesson.length.accumulation * processes()))
    pupil = Pupil(
        lesson, losses.class_weights(targets, len(labels), lesson.switches.class_balance),
        model=model, args=arguments(lesson, work, steps, METRIC), train_dataset=taught,
        eval_dataset=sentences(parts.held_back, type(lesson.switches)()), processing_class=tokenizer,
        data_collator=DataCollatorWithPadding(tokenizer), compute_metrics=_metric(several),
        callbacks=callbacks,
    )  # fmt: skip
    pupil.remove_callback(PrinterCallback)
    pupil.add_callback(MarkWhole())
    if lesson.switches.start_pull:
        pupil.start = {
            n: p.detach().clone()
            for n, p in model.base_model.named_parameters(prefix=model.base_model_prefix)
        }
    if keep is not None:
        keeping.imprint(model, tokenizer, keep, labels, lesson.length.max_tokens)
    if keep is not None and keep.strength:
        pupil.held = keeping.hold(model, tokenizer, keep, labels, lesson.length.max_tokens)
    began = time.monotonic()
    resumed = last_whole(work)
    if resumed and average:
        average.resume(resumed)
    done = _train(pupil, resumed, work)
    if not any(f"eval_{METRIC}" in row for row in pupil.state.log_history):
        pupil.evaluate()  # too short a run for a look
    made = Learned(model, tokenizer, labels, several, pupil.state.log_history, done, time.monotonic() - began)
    if average:
        _take_the_better(pupil, average, made)
    return made


def _train(pupil: Pupil, resumed: Path | None, work: Path) -> int:
    try:
        pupil.train(resume_from_checkpoint=str(resumed) if resumed else None)
    except (OSError, RuntimeError) as error:
        full = getattr(error, "errno", None) == errno.ENOSPC or "No space left" in str(error)
        if full or "PytorchStreamWriter" in str(error):
            raise TrainingError(
                f"the disk of {work} is full; make room and start the same command again: it goes on from "
                f"{last_whole(work) or 'the start'}"
            ) from error
        raise
    return pupil.state.global_step


def _take_the_better(pupil: Pupil, average: watching.Average, made: Learned) -> None:
    """The running average in place of the best look, where it is better on the held-back part."""
    before = pupil.evaluate()[f"eval_{METRIC}"]
    named = dict(made.model.named_parameters())
    with torch.no_grad():
        kept = {name: named[name].clone() for name in average.weights}
        for name, weight in average.weights.items():
            named[name].copy_(weight)
        after = pupil.evaluate()[f"eval_{METRIC}"]
        if after > before:
            made.kept = f"the running average ({after:.4f} held back, the best look {before:.4f})"
            return
        for name, weight in kept.items():
            named[name].copy_(weight)


def _metric(several: bool) -> Any:
    """Of the held-back part: accuracy, or the mean F1 of the labels at a probability of one half."""

    def measure(seen: EvalPrediction) -> dict[str, float]:
        logits, targets = np.asarray(seen.predictions), np.asarray(seen.label_ids)
        if several:
            return {METRIC: confidence.macro_f1(logits > 0, targets > 0.5)[0]}
        return {METRIC: float((logits.argmax(1) == targets).mean())}

    return measure


def _own(lesson: Lesson, parts: Parts, work: Path) -> None:
    """A folder with checkpoints of another lesson or of other data is not gone on with."""
    wanted = {"lesson": lesson.digest, **parts.digests}
    path = work / LESSON
    if (
        path.is_file()
        and last_whole(work)
        and json.loads(path.read_text(encoding="utf-8"))["digests"] != wanted
    ):
        raise TrainingError(
            f"{work} holds a run with other settings or data; remove it, or give another --out"
        )
    work.mkdir(parents=True, exist_ok=True)
    if not first_process():
        return
    draft = path.with_suffix(".new")
    draft.write_text(
        json.dumps({"digests": wanted, "settings": lesson.model_dump(mode="json")}, indent=1),
        encoding="utf-8",
    )
    draft.replace(path)
