"""The training loop of the reader. Killed at any moment, it goes on from its last checkpoint."""

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import nn
from torch.nn import functional as F

from runtime.mind.reader import FEELINGS
from runtime.pace import Pace
from training.reader.examples import Drawing, Example
from training.reader.network import ReaderNet, encode
from training.reader.rounding import rounded

WARM_UP = 0.06
ROUNDED = 0.3
"""Of the steps, the last, whose weights are rounded as on the robot"""
PARTS = 4
SAVE_EVERY = 100
"""Steps"""

Heads = tuple[torch.Tensor, torch.Tensor]


@dataclass(frozen=True, slots=True)
class Plan:
    steps: int
    rate: float
    batch: int = 48
    bf16: bool = False


def fit(net: ReaderNet, tokenizer: Tokenizer, plan: Plan, drawing: Drawing, checkpoint: Path) -> ReaderNet:
    """AdamW, a triangle of the learning rate, gradients clipped at 1. `checkpoint`: whole or not at all."""
    optimiser = torch.optim.AdamW(net.parameters(), lr=plan.rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _triangle((step + 1) / plan.steps))
    parts = {"net": net, "optimiser": optimiser, "schedule": schedule}
    first = _resume(parts, checkpoint)
    pace, mean = Pace(plan.steps - first), 0.0
    net.train()
    for step in range(first, plan.steps):
        torch.manual_seed(step)  # dropout of a resumed run is that of an unbroken one
        with torch.autocast("cpu", torch.bfloat16, enabled=plan.bf16):
            read = rounded(net) if step >= plan.steps * (1 - ROUNDED) else net
            loss = _loss(read, tokenizer, drawing.batch(step, plan.batch))
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        mean += (float(loss.detach()) - mean) / min(step - first + 1, 50)
        if step % 50 == 49:
            said = f"  step {step + 1} of {plan.steps}: loss {mean:.3f}, {pace.left(step + 1 - first)}"
            print(said, file=sys.stderr, flush=True)
        if (step + 1) % SAVE_EVERY == 0 or step + 1 == plan.steps:
            _save(parts, step + 1, checkpoint)
    return net.eval()


def _triangle(done: float) -> float:
    return min(done / WARM_UP, (1 - done) / (1 - WARM_UP) + 1e-3)


def _save(parts: dict[str, nn.Module], step: int, path: Path) -> None:
    part = path.with_suffix(".part")
    torch.save({"step": step} | {name: value.state_dict() for name, value in parts.items()}, part)
    os.replace(part, path)


def _resume(parts: dict[str, nn.Module], path: Path) -> int:
    """The steps that are done."""
    if not path.is_file():
        return 0
    kept = torch.load(path, weights_only=True)
    for name, value in parts.items():
        value.load_state_dict(kept[name])
    print(f"  goes on after step {kept['step']} of {path}", file=sys.stderr)
    return int(kept["step"])


def _parts(examples: Sequence[Example]) -> list[Sequence[Example]]:
    """In PARTS of about one length each: little is computed on padding."""
    size = -(-len(examples) // PARTS)
    return [examples[at : at + size] for at in range(0, len(examples), size)]


def _loss(net: Callable[..., Heads], tokenizer: Tokenizer, examples: Sequence[Example]) -> torch.Tensor:
    """Of danger where it is known, plus half of that of feelings where they are."""
    examples = sorted(examples, key=lambda e: len(e.text))
    logits = [net(*encode(tokenizer, [e.text for e in part])) for part in _parts(examples)]
    danger, feelings = (torch.cat(parts).float() for parts in zip(*logits, strict=True))
    known = torch.tensor([e.danger for e in examples])  # (B,)
    sure = ~known.isnan()
    loss = F.binary_cross_entropy_with_logits(danger[sure], known[sure] * 0.96 + 0.02)
    felt = [i for i, e in enumerate(examples) if e.feelings]
    targets = torch.zeros(len(felt), len(FEELINGS))
    for row, i in enumerate(felt):
        targets[row, list(examples[i].feelings)] = 1 / len(examples[i].feelings)
    return loss + 0.5 * F.cross_entropy(feelings[felt], targets, label_smoothing=0.05)
