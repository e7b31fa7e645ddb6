"""transformers' Trainer with our losses and order of examples; checkpoints are whole or not there."""

import os
from pathlib import Path
from typing import Any

import torch
from torch import distributed, nn
from transformers import Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.optimization import Adafactor

from runtime.contracts.errors import ConfigError
from training.school import keeping, losses, model
from training.school.batches import Sentences, Shuffled
from training.school.settings import Lesson

WHOLE = "whole"
"""A file that is written last into a checkpoint's folder"""


class Pupil(Trainer):
    """Learns sentences; `start` holds the weights it is pulled back to, by name, and `held` those it is held
    to, with how much each matters and how strongly."""

    def __init__(self, lesson: Lesson, weights: torch.Tensor, **rest: Any) -> None:
        super().__init__(**rest)
        self.lesson, self.weights = lesson, weights
        self.model_accepts_loss_kwargs = False
        self.start: dict[str, torch.Tensor] = {}
        self.held: keeping.Held | None = None

    def _get_train_sampler(self, train_dataset: Any = None) -> Shuffled:
        dataset = train_dataset if train_dataset is not None else self.train_dataset
        assert isinstance(dataset, Sentences)
        return Shuffled(dataset.lengths(), self.lesson.length.batch * processes(), self.lesson.seed)

    def create_optimizer(self) -> torch.optim.Optimizer:
        if self.optimizer is None:
            self.optimizer = optimiser_of(self.model, self.lesson)
        return self.optimizer

    def compute_loss(
        self,
        model: nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Any = None,
    ) -> Any:
        """Of one batch; the switches beside smoothing and class weights count while learning only."""
        inputs = dict(inputs)
        targets, counts = inputs.pop("labels"), inputs.pop("weight", None)
        switches = self.lesson.switches
        outputs = model(**inputs)
        smoothing = switches.label_smoothing if model.training else 0.0
        loss = losses.loss_of(outputs.logits, targets, self.weights, smoothing, counts)
        if model.training and switches.r_drop:
            other = model(**inputs).logits
            loss = (loss + losses.loss_of(other, targets, self.weights, smoothing, counts)) / 2
            loss = loss + switches.r_drop * losses.divergence(outputs.logits, other, targets.ndim == 2)
        if model.training and self.start:
            loss = loss + switches.start_pull * losses.pull(model, self.start)
        if model.training and self.held:
            loss = loss + self.held.strength * losses.pull(model, self.held.start, self.held.matters)
        return (loss, outputs) if return_outputs else loss

    def training_step(self, model: nn.Module, inputs: Any, num_items_in_batch: Any = None) -> torch.Tensor:
        """Forward and backward; with `fgm` once more where the words are a step nearer to a mistake."""
        length = self.lesson.switches.fgm
        if not length:
            return super().training_step(model, inputs, num_items_in_batch)
        seen = losses.Seen()
        with losses.embeddings_of(model, seen):
            loss = super().training_step(model, dict(inputs), num_items_in_batch)
        step = seen.step(length)
        with losses.embeddings_of(model, lambda output: output + step):
            return (loss + super().training_step(model, dict(inputs), num_items_in_batch)) / 2


class MarkWhole(TrainerCallback):
    """The last of the callbacks: says that a checkpoint is complete."""

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        if state.is_world_process_zero:
            (checkpoint_of(Path(str(args.output_dir)), state.global_step) / WHOLE).touch()


def processes() -> int:
    """That learn together; `accelerate launch` says so."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def first_process() -> bool:
    """The one that writes and talks."""
    return os.environ.get("RANK", "0") == "0"


def part() -> None:
    """Ends the group of processes that learned together: one left open aborts a process as another exits."""
    if distributed.is_initialized():
        distributed.barrier()
        distributed.destroy_process_group()


def checkpoint_of(work: Path, step: int) -> Path:
    return work / f"checkpoint-{step}"


def last_whole(work: Path) -> Path | None:
    """The newest checkpoint that was written to its end; what a kill left half is not looked at."""
    found = [path.parent for path in work.glob(f"checkpoint-*/{WHOLE}")]
    return max(found, key=lambda path: int(path.name.rpartition("-")[2]), default=None)


def optimiser_of(of: nn.Module, lesson: Lesson) -> torch.optim.Optimizer:
    plan = lesson.optimiser
    groups = model.groups(of, plan)
    if not groups:
        raise ConfigError("nothing learns; set freeze.policy to another")
    if plan.name == "sgd":
        return torch.optim.SGD(groups, lr=plan.rate, momentum=0.9)
    if plan.name == "adafactor":
        return Adafactor(groups, lr=plan.rate, scale_parameter=False, relative_step=False, warmup_init=False)
    return torch.optim.AdamW(groups, lr=plan.rate)


def arguments(lesson: Lesson, work: Path, steps_an_epoch: int, metric: str) -> TrainingArguments:
    """Ours in the words of transformers."""
    length, plan, machine = lesson.length, lesson.optimiser, lesson.machine
    if machine.precision == "fp16" and not torch.cuda.is_available():
        raise ConfigError(
            "machine.precision = 'fp16' needs a CUDA GPU, and there is none; set bf16 or float32"
        )
    gpu = torch.cuda.is_available()
    look = max(1, steps_an_epoch // length.looks)
    save = length.save_steps or look
    return TrainingArguments(
        output_dir=str(work), seed=lesson.seed, use_cpu=not gpu,
        ddp_backend="gloo" if processes() > 1 and not gpu else None,
        num_train_epochs=length.epochs, max_steps=length.steps or -1,
        per_device_train_batch_size=length.batch, per_device_eval_batch_size=2 * length.batch,
        gradient_accumulation_steps=length.accumulation, max_grad_norm=plan.clip,
        learning_rate=plan.rate, lr_scheduler_type=plan.schedule, warmup_ratio=plan.warm_up,
        bf16=machine.precision == "bf16", fp16=machine.precision == "fp16",
        gradient_checkpointing=machine.gradient_checkpointing,
        eval_strategy="steps", eval_steps=look, save_strategy="steps", save_steps=save, save_total_limit=2,
        load_best_model_at_end=save % look == 0, metric_for_best_model=metric, greater_is_better=True,
        logging_steps=max(1, look // 10), logging_dir=str(work / "tensorboard"), disable_tqdm=True,
        logging_nan_inf_filter=False,
        report_to=[] if machine.tracker == "none" else [machine.tracker], remove_unused_columns=False,
        dataloader_pin_memory=gpu, ddp_find_unused_parameters=False,
    )  # fmt: skip
