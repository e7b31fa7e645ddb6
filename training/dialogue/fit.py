"""The training loop of the dialogue model. Killed at any moment, it goes on as if nothing had been."""

import pickle
import random
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import nn

from runtime.contracts.errors import TrainingError
from training.data.conversations import Corpus
from training.data.turns import Turn
from training.dialogue import unsaid
from training.dialogue.model import optimiser_of
from training.dialogue.text import PAD, Batch, Row, batch_of, pack

LENGTH = 256
"""Tokens of one row at most"""
CHECKPOINT = "checkpoint.pt"
SAVE_EVERY_S = 60.0
WARM_UP, COOL_DOWN = 0.02, 0.3
"""Shares of the run in which the learning rate rises, and falls"""


@dataclass(frozen=True)
class Plan:
    """How long to learn: so many steps, or minutes where steps is None."""

    steps: int | None
    minutes: float
    rows: int
    rate: float
    seed: int
    bf16: bool = False
    """Matrix products in bfloat16"""
    penalty: float = 0.0
    """What an answer that must not be given costs (training/dialogue/unsaid.py); 0: it is not looked at"""


@dataclass
class Progress:
    step: int = 0
    seconds: float = 0.0
    tokens: int = 0
    loss: float = float("nan")

    def share(self, plan: Plan) -> float:
        """0 at the start, 1 at the end."""
        return self.step / plan.steps if plan.steps else self.seconds / (60 * plan.minutes)


def rows_of(tokenizer: Tokenizer, plan: Plan, step: int) -> list[Row]:
    """The rows of one step; step and seed decide them, so a resumed run sees what it would have seen."""
    number = plan.seed * 1_000_003 + step
    corpus, chance = Corpus("train", number), random.Random(number)

    def wrong(turn: Turn) -> unsaid.Wrong | None:
        answer = unsaid.drawn(turn, chance) if plan.penalty else None
        return unsaid.encode(tokenizer, turn, answer) if answer else None

    return [pack(tokenizer, corpus.scene(14), LENGTH, wrong) for _ in range(plan.rows)]


def loss_of(model: nn.Module, batch: Batch, penalty: float = 0.0) -> torch.Tensor:
    """Mean over the tokens of replies, and `penalty` times that over those that must not be said. Float32 or,
    where autocast is on, bfloat16 inside."""
    hidden = model.base_model(
        input_ids=batch.tokens, attention_mask=batch.sees, position_ids=batch.positions, use_cache=False
    ).last_hidden_state  # (B, T, H)
    logits = model.get_output_embeddings()(hidden[:, :-1][batch.learned])  # (N, V)
    loss = nn.functional.cross_entropy(logits.float(), batch.tokens[:, 1:][batch.learned])
    if not penalty:
        return loss
    others = model.get_output_embeddings()(hidden[:, :-1][batch.unsaid])  # (M, V)
    return loss + penalty * unsaid.cost(others, batch.tokens[:, 1:][batch.unsaid])


def pace(done: float) -> float:
    """Share of the learning rate: up, level, down to a hundredth."""
    return max(0.01, min(1.0, done / WARM_UP + 0.02, (1 - done) / COOL_DOWN))


def fit(
    model: nn.Module, tokenizer: Tokenizer, plan: Plan, out: Path, clock: Callable[[], float] = time.monotonic
) -> Progress:
    """Learn until the plan is done; `out` keeps a checkpoint a minute, and a run starts from one it finds."""
    optimiser = optimiser_of(model, plan.rate)
    progress = _resume(model, optimiser, out / CHECKPOINT)
    pad = tokenizer.token_to_id(PAD) or 0
    saved = last = clock()
    model.train()
    while progress.share(plan) < 1:
        batch = batch_of(rows_of(tokenizer, plan, progress.step), pad)
        with torch.autocast("cpu", torch.bfloat16, enabled=plan.bf16):
            loss = loss_of(model, batch, plan.penalty)
        if not torch.isfinite(loss):
            raise TrainingError(
                f"the loss became {loss.item()} at step {progress.step}; lower --rate and resume"
            )
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for group in optimiser.param_groups:
            group["lr"] = plan.rate * pace(progress.share(plan))
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        now = clock()
        progress.step += 1
        progress.seconds += now - last
        progress.tokens += batch.tokens.numel()
        value = loss.item()
        progress.loss = value if progress.step == 1 else 0.95 * progress.loss + 0.05 * value
        last = now
        if progress.step % 10 == 0:
            _say(progress, plan)
        if now - saved > SAVE_EVERY_S:
            _save(model, optimiser, progress, out / CHECKPOINT)
            saved = now
    _save(model, optimiser, progress, out / CHECKPOINT)
    model.eval()
    return progress


def _say(progress: Progress, plan: Plan) -> None:
    done = progress.share(plan)
    left_s = progress.seconds * (1 - done) / max(done, 1e-9)
    print(
        f"step {progress.step}  {100 * done:.0f} %  loss {progress.loss:.3f}  "
        f"{progress.tokens / max(progress.seconds, 1e-9):.0f} tokens/s  {left_s / 60:.0f} min left",
        file=sys.stderr, flush=True,
    )  # fmt: skip


def _save(model: nn.Module, optimiser: torch.optim.Optimizer, progress: Progress, path: Path) -> None:
    draft = path.with_suffix(".new")
    torch.save(
        {"model": _learning(model), "optimiser": optimiser.state_dict(), "progress": vars(progress)}, draft
    )
    draft.replace(path)


def _learning(model: nn.Module) -> dict[str, torch.Tensor]:
    """What a run changes: all of a model, or the adapters alone."""
    return {name: p.detach() for name, p in model.named_parameters() if p.requires_grad}


def _restore(learning: dict[str, torch.Tensor], saved: dict[str, torch.Tensor]) -> None:
    if learning.keys() != saved.keys():
        raise KeyError(f"it holds {len(saved)} weights, {len(learning)} learn here")
    for name, value in saved.items():
        learning[name].copy_(value)


def _resume(model: nn.Module, optimiser: torch.optim.Optimizer, path: Path) -> Progress:
    if not path.is_file():
        return Progress()
    try:
        state = torch.load(path, weights_only=True)
        _restore(_learning(model), state["model"])
        optimiser.load_state_dict(state["optimiser"])
        progress = Progress(**state["progress"])
    except (RuntimeError, KeyError, TypeError, ValueError, pickle.UnpicklingError) as error:
        reason = str(error).splitlines()[0]
        raise TrainingError(f"{path} is of another run ({reason}); delete it or give a new --out") from error
    print(f"goes on at step {progress.step} of {path}", file=sys.stderr)
    return progress
