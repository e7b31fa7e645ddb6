"""What looks on while a run learns: how long it will take, a loss that is no number, the running average."""

import sys
import time
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from runtime.contracts.errors import TrainingError
from runtime.pace import Pace
from training.school.pupil import checkpoint_of

_EVERY_S = 5.0
_CELLS = 24
AVERAGE = "average.safetensors"


class Progress(TrainerCallback):
    """A line on stderr now and then: a bar, the loss, what is left."""

    def __init__(self) -> None:
        self._said_s, self._first = 0.0, 0
        self._loss: float | None = None
        self._pace: Pace | None = None

    def on_train_begin(
        self, _a: TrainingArguments, state: TrainerState, _c: TrainerControl, **_: Any
    ) -> None:
        self._first = state.global_step
        self._pace = Pace(state.max_steps - state.global_step)

    def on_log(
        self,
        _a: TrainingArguments,
        state: TrainerState,
        _c: TrainerControl,
        logs: dict[str, float] | None = None,
        **_: Any,
    ) -> None:
        self._loss = (logs or {}).get("loss", self._loss)

    def on_step_end(self, _a: TrainingArguments, state: TrainerState, _c: TrainerControl, **_: Any) -> None:
        step, most = state.global_step, state.max_steps
        due = time.monotonic() - self._said_s > _EVERY_S or step == most
        if not due or self._pace is None or not state.is_world_process_zero:
            return
        bar = "#" * (_CELLS * step // most)
        left = self._pace.left(step - self._first)
        loss = "" if self._loss is None else f"  loss {self._loss:.3f}"
        print(f"[{bar:.<{_CELLS}}] step {step} of {most}{loss}  {left}", file=sys.stderr, flush=True)
        self._said_s = time.monotonic()


class SaneLoss(TrainerCallback):
    """Ends a run whose loss is no number, so that the checkpoint before is what is left."""

    def on_log(
        self,
        _a: TrainingArguments,
        state: TrainerState,
        _c: TrainerControl,
        logs: dict[str, float] | None = None,
        **_: Any,
    ) -> None:
        loss = (logs or {}).get("loss")
        norm = (logs or {}).get("grad_norm", 0.0)
        if loss is not None and not (abs(loss) < float("inf") and abs(norm) < float("inf")):
            raise TrainingError(
                f"the loss became {loss} at step {state.global_step}; lower optimiser.rate; the last "
                "checkpoint is kept"
            )


class Average(TrainerCallback):
    """A running mean of the weights that learn, kept in every checkpoint."""

    def __init__(self, decay: float) -> None:
        self._decay = decay
        self.weights: dict[str, torch.Tensor] = {}

    def resume(self, checkpoint: Path) -> None:
        self.weights = load_file(checkpoint / AVERAGE)

    def on_step_end(
        self,
        _a: TrainingArguments,
        state: TrainerState,
        _c: TrainerControl,
        model: nn.Module | None = None,
        **_: Any,
    ) -> None:
        assert model is not None
        decay = min(self._decay, (1 + state.global_step) / (10 + state.global_step))
        with torch.no_grad():
            for name, now in model.named_parameters():
                if now.requires_grad:
                    kept = self.weights.setdefault(name, now.detach().clone())
                    kept.lerp_(now.detach(), 1 - decay)

    def on_save(self, args: TrainingArguments, state: TrainerState, _c: TrainerControl, **_: Any) -> None:
        if state.is_world_process_zero:
            save_file(self.weights, checkpoint_of(Path(str(args.output_dir)), state.global_step) / AVERAGE)
