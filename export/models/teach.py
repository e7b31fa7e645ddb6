"""A model learns to answer as another does: healing after pruning, and distillation from a larger one.

The loss is the divergence from the teacher's distribution at each place (Hinton et al., "Distilling the
Knowledge in a Neural Network", 2015), at temperature 2.
"""

import math
import sys
import time
from collections.abc import Sequence

import torch
from torch.nn import functional

from export.models.checkpoint import Checkpoint
from export.models.samples import Inputs, tensors
from runtime.contracts.errors import ExportError
from runtime.pace import Pace

RATE = 5e-4
WARM = 2.0
"""Temperature"""
_SAY_EVERY_S = 10.0


def teach(
    student: Checkpoint,
    teacher: Checkpoint,
    lessons: Sequence[Inputs],
    steps: int,
    words: torch.Tensor | None = None,
    seed: int = 7,
) -> float:
    """Change `student.model` in place; its mean loss over the last tenth of the steps.

    `words`: numbers of the teacher's tokens that the student has, in the student's order; the lessons are in
    the student's numbers.
    """
    if not lessons:
        raise ExportError("nothing is left to learn from beside the golden inputs; give more --samples")
    torch.manual_seed(seed)
    model, losses = student.model.train(), []
    optimiser = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=0.01)
    order = torch.randint(len(lessons), (steps,)).tolist()
    pace, told = Pace(steps), time.monotonic()
    for step, number in enumerate(order):
        for group in optimiser.param_groups:
            group["lr"] = RATE * 0.5 * (1 + math.cos(math.pi * step / steps))
        given = tensors(lessons[number])
        loss = _loss(student, teacher, given, words)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        losses.append(float(loss.detach()))
        if time.monotonic() - told > _SAY_EVERY_S:
            told = time.monotonic()
            print(
                f"teach: step {step + 1}, loss {loss:.4f}, {pace.left(step + 1)}", file=sys.stderr, flush=True
            )
    model.eval()
    last = losses[-max(1, steps // 10) :]
    return sum(last) / len(last)


def _loss(
    student: Checkpoint, teacher: Checkpoint, given: dict[str, torch.Tensor], words: torch.Tensor | None
) -> torch.Tensor:
    name = student.task.output
    mine = getattr(student.model(**given), name)
    with torch.no_grad():
        asked = given if words is None else {key: words[value] for key, value in given.items()}
        theirs = getattr(teacher.model(**asked), name)
        if words is not None:
            theirs = theirs.index_select(-1, words)
    if mine.shape != theirs.shape:
        raise ExportError(f"the teacher answers {tuple(theirs.shape)}, the student {tuple(mine.shape)}")
    if name != "logits":
        return functional.mse_loss(mine, theirs)
    apart = functional.kl_div(
        functional.log_softmax(mine / WARM, -1), functional.log_softmax(theirs / WARM, -1),
        log_target=True, reduction="none",
    )  # fmt: skip
    return WARM**2 * apart.sum(-1).mean()
