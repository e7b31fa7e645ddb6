"""What is done to a checkpoint before it is exported: pruned, healed, taught."""

import sys
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from export.models import prune, vocabulary
from export.models.checkpoint import TOKENIZER, Checkpoint
from export.models.plan import Plan
from export.models.samples import Samples
from export.models.teach import teach
from runtime.contracts.errors import ExportError

HEAL_STEPS = 300


@dataclass(frozen=True)
class Smaller:
    checkpoint: Checkpoint
    samples: Samples
    """In the checkpoint's own vocabulary"""
    facts: dict[str, object]
    """What was done"""


def make(
    checkpoint: Checkpoint,
    samples: Samples,
    plan: Plan,
    steps: int | None,
    teacher: Checkpoint | None,
    scratch: Path,
) -> Smaller:
    """Prune by `plan`, then learn `steps` from `teacher`, or from what it was before; a copy is changed."""
    pruned = plan != Plan()
    facts: dict[str, object] = {}
    small, words = prune.shrink(checkpoint, plan, samples.calibrate), None
    if plan.vocabulary:
        small, numbers = vocabulary.shrink(small, samples.texts, scratch / "vocabulary")
        words = torch.tensor(list(numbers))
        samples = replace(
            samples,
            calibrate=vocabulary.renumber(samples.calibrate, numbers),
            prove=vocabulary.renumber(samples.prove, numbers),
            teach=vocabulary.renumber(samples.teach, numbers),
        )
    if pruned:
        facts["parameters"] = [_count(checkpoint), _count(small)]
        facts["pruned"] = f"heads={plan.heads},layers={plan.layers},vocabulary={plan.vocabulary}"
    if teacher is not None:
        _same_words(checkpoint, teacher)
    steps = HEAL_STEPS if steps is None and (pruned or teacher) else steps or 0
    if steps:
        loss = teach(small, teacher or checkpoint, samples.teach, steps, words)
        facts |= {"taught_steps": steps, "taught_loss": round(loss, 4)}
        print(f"taught {steps} steps, loss {loss:.4f}", file=sys.stderr)
    return Smaller(small, samples, facts)


def _count(checkpoint: Checkpoint) -> int:
    return sum(p.numel() for p in checkpoint.model.parameters())


def _same_words(student: Checkpoint, teacher: Checkpoint) -> None:
    texts = [(one.folder / TOKENIZER).read_bytes() for one in (student, teacher) if one.tokenizer]
    if len(set(texts)) > 1:
        raise ExportError(f"{teacher.folder} has another tokenizer than {student.folder}; it cannot teach it")
