"""Tokens a second beside the plain `Trainer`: `python -m training.school.speed --config X.toml --out DIR`.

Both learn one epoch of the same sentences with the same model, batch and precision, in turn, several times;
the best of each counts. Tokens are those of the sentences, padding not counted; time is the processor's own,
so that other work on the machine hardly matters.
"""

import argparse
import json
import shutil
import sys
import time
from pathlib import Path
from typing import Any

from torch.utils.data import Dataset
from transformers import (
    DataCollatorWithPadding,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
    set_seed,
)

from runtime.cli import status_of
from runtime.contracts.config import load_config
from training.school import course, examples, pupil
from training.school import model as school_model
from training.school.batches import one_hot
from training.school.course import Parts
from training.school.settings import Lesson


class Clock(TrainerCallback):
    """Processor seconds from the first step to the end of the last, looks at held-back sentences not."""

    def __init__(self) -> None:
        self._began = self.seconds = 0.0

    def on_train_begin(self, *_: Any, **__: Any) -> None:
        self._began = time.process_time()

    def on_step_end(self, _a: TrainingArguments, _s: TrainerState, _c: TrainerControl, **_: Any) -> None:
        self.seconds = time.process_time() - self._began


class Rows(Dataset[dict[str, Any]]):
    """Tokens and targets, as the plain Trainer takes them."""

    def __init__(self, parts: Parts, tokenizer: Any, most: int) -> None:
        columns = examples.targets_of(parts.learned, parts.labels)
        self._targets = one_hot(columns, len(parts.labels), parts.several)
        self._texts, self._tokenizer, self._most = [e.text for e in parts.learned], tokenizer, most

    def __len__(self) -> int:
        return len(self._texts)

    def __getitem__(self, index: int) -> dict[str, Any]:
        tokens = self._tokenizer(self._texts[index], truncation=True, max_length=self._most)
        return {**tokens, "labels": self._targets[index].tolist()}


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="training.school.speed", description="Tokens a second.")
    parser.add_argument("--config", type=Path)
    parser.add_argument("--set", action="append", default=[], metavar="PART.KEY=VALUE")
    parser.add_argument("--times", type=int, default=2, help="of each; the best counts")
    parser.add_argument("--out", type=Path, required=True, help="a folder of its own, removed in the end")
    args = parser.parse_args(argv)
    lesson = load_config(Lesson, args.config, [*args.set, "length.epochs=1", "machine.tracker=none"])
    parts = course.parts_of(lesson)
    tokens = tokens_of(lesson, parts)
    found: dict[str, list[float]] = {"school": [], "plain": []}
    for _ in range(args.times):
        for who, run in (("school", school), ("plain", plain)):
            found[who].append(tokens / run(lesson, parts, args.out))
            shutil.rmtree(args.out)
    best = {who: round(max(speeds)) for who, speeds in found.items()}
    print(json.dumps({"tokens": tokens, "processes": pupil.processes(), **best}))
    return 0


def tokens_of(lesson: Lesson, parts: Parts) -> int:
    """Of all sentences that are learned, as they are read."""
    tokenizer, most = school_model.tokenizer_of(lesson.start), lesson.length.max_tokens
    texts = [e.text for e in parts.learned]
    return sum(len(row) for row in tokenizer(texts, truncation=True, max_length=most)["input_ids"])


def school(lesson: Lesson, parts: Parts, out: Path) -> float:
    """Seconds of an epoch."""
    clock = Clock()
    course.learn(lesson, parts, out, [clock])
    return clock.seconds


def plain(lesson: Lesson, parts: Parts, out: Path) -> float:
    """Seconds of an epoch with transformers' own order, loss and optimiser."""
    set_seed(lesson.seed)
    tokenizer = school_model.tokenizer_of(lesson.start)
    model = school_model.classifier(lesson, parts.labels, parts.several, int(tokenizer.pad_token_id))
    clock = Clock()
    whole = pupil.arguments(lesson, out, len(parts.learned), course.METRIC).to_dict()
    wanted = (
        "output_dir", "seed", "use_cpu", "ddp_backend", "num_train_epochs", "max_steps", "bf16", "fp16",
        "per_device_train_batch_size", "gradient_accumulation_steps", "max_grad_norm", "learning_rate",
        "report_to", "disable_tqdm", "remove_unused_columns", "dataloader_pin_memory",
    )  # fmt: skip
    trainer = Trainer(
        model=model, args=TrainingArguments(**{name: whole[name] for name in wanted}, save_strategy="no"),
        train_dataset=Rows(parts, tokenizer, lesson.length.max_tokens),
        data_collator=DataCollatorWithPadding(tokenizer), processing_class=tokenizer, callbacks=[clock],
    )  # fmt: skip
    trainer.remove_callback(PrinterCallback)
    trainer.train()
    out.mkdir(parents=True, exist_ok=True)
    return clock.seconds


if __name__ == "__main__":
    sys.exit(status_of(lambda: main(sys.argv[1:])))
