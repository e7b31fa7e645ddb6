"""The training itself, by transformers' Trainer: resumed where it stopped, the best on clips aside kept."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from transformers import PreTrainedModel, Trainer, TrainerCallback, TrainingArguments
from transformers.trainer_callback import PrinterCallback
from transformers.trainer_utils import get_last_checkpoint

from runtime.contracts.errors import TrainingError
from runtime.pace import Pace
from training.ctc.alphabet import Alphabet
from training.ctc.model import levelled, steps_of
from training.ctc.speech import Spoken

_IGNORED = -100
_LOOKS = 0.05
"""Share of the run between two looks at the clips aside, and two checkpoints"""


@dataclass(frozen=True, slots=True)
class Length:
    """How long and how fast."""

    epochs: float = 20.0
    steps: int = 0
    """In place of epochs where more than 0"""
    batch: int = 8
    rate: float = 3e-4
    warm_up: float = 0.1
    seed: int = 7
    bf16: bool = False


def fit(
    model: nn.Module, base: PreTrainedModel, alphabet: Alphabet, takes: Sequence[Spoken],
    aside: Sequence[Spoken], length: Length, work: Path,
) -> None:  # fmt: skip
    """Teach `model` (which may wear adapters on `base`) what is said in `takes`; goes on in `work`."""
    rows = _rows(base, alphabet, takes)
    arguments = TrainingArguments(
        output_dir=str(work), num_train_epochs=length.epochs, max_steps=length.steps or -1,
        per_device_train_batch_size=length.batch, per_device_eval_batch_size=length.batch,
        learning_rate=length.rate, warmup_ratio=length.warm_up, lr_scheduler_type="cosine", seed=length.seed,
        bf16=length.bf16, eval_strategy="steps" if aside else "no", eval_steps=_LOOKS,
        save_strategy="steps", save_steps=_LOOKS,
        save_total_limit=2, load_best_model_at_end=bool(aside), metric_for_best_model="loss",
        report_to=[], disable_tqdm=True, remove_unused_columns=False, label_names=["labels"],
        use_cpu=not torch.cuda.is_available(), dataloader_pin_memory=False, logging_strategy="no",
    )  # fmt: skip
    trainer = Trainer(
        model=model, args=arguments, train_dataset=rows, eval_dataset=_rows(base, alphabet, aside) or None,
        data_collator=_collate, callbacks=[_Progress()],
    )  # fmt: skip
    trainer.remove_callback(PrinterCallback)
    trainer.train(resume_from_checkpoint=get_last_checkpoint(str(work)) if work.is_dir() else None)


def _rows(base: PreTrainedModel, alphabet: Alphabet, takes: Sequence[Spoken]) -> list[dict[str, np.ndarray]]:
    """Sound and columns of each; a text of more labels than the sound has answers is an error."""
    rows = []
    for take in takes:
        columns = alphabet.encode(take.text)
        steps = steps_of(base, len(take.samples))
        needed = len(columns) + sum(a == b for a, b in pairwise(columns))
        if needed > steps:
            raise TrainingError(
                f"{take.source}: {len(take.samples) / 16_000:.1f} s of sound give {steps} answers, "
                f"{take.text[:60]!r} needs {needed}; is it the right transcript?"
            )
        rows.append({"samples": take.samples, "columns": np.array(columns)})
    return rows


def _collate(rows: Sequence[dict[str, Any]]) -> dict[str, torch.Tensor]:
    """Padded: each clip levelled by itself before, as it is heard alone later."""
    longest, most = max(len(r["samples"]) for r in rows), max(len(r["columns"]) for r in rows)
    sound, mask = torch.zeros(len(rows), longest), torch.zeros(len(rows), longest, dtype=torch.long)
    labels = torch.full((len(rows), most), _IGNORED, dtype=torch.long)
    for i, row in enumerate(rows):
        n, m = len(row["samples"]), len(row["columns"])
        sound[i, :n], mask[i, :n] = levelled(torch.from_numpy(row["samples"])), 1
        labels[i, :m] = torch.from_numpy(row["columns"])
    return {"input_values": sound, "attention_mask": mask, "labels": labels}


class _Progress(TrainerCallback):
    """One line a look."""

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._pace, self._begun = Pace(max(1, state.max_steps - state.global_step)), state.global_step
        if state.global_step:
            print(f"asr: going on at step {state.global_step} of {state.max_steps}", file=sys.stderr)

    def on_evaluate(self, args: Any, state: Any, control: Any, metrics: Any = None, **_: Any) -> None:
        done = max(1, state.global_step - self._begun)
        loss = (metrics or {}).get("eval_loss", float("nan"))
        print(
            f"asr: step {state.global_step} of {state.max_steps}, loss aside {loss:.3f}, "
            f"{self._pace.left(done)}", file=sys.stderr, flush=True,
        )  # fmt: skip
