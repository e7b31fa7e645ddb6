"""What a checkpoint is not to forget while it learns more: old examples again, and weights held in place.

Elastic weight consolidation: Kirkpatrick et al., "Overcoming catastrophic forgetting in neural networks",
PNAS 2017. The pull to the start beside it (`switches.start_pull`) is L2-SP: Li, Grandvalet, Davoine,
"Explicit inductive bias for transfer learning", ICML 2018.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from training.school import model as school_model
from training.school.examples import Example


@dataclass(frozen=True)
class Keep:
    old: Sequence[Example]
    """Examples that tell which weights matter"""
    known: Sequence[str]
    """Labels that the start has learned"""
    strength: float
    """0: nothing is held"""
    taught: Sequence[Example] = ()
    """Examples that a new label's column of the head begins with"""


@dataclass(frozen=True)
class Held:
    start: dict[str, torch.Tensor]
    """Name -> weights as they were"""
    matters: dict[str, torch.Tensor]
    """Name -> how much each counts for the old; 1 in the mean over all weights that learn"""
    strength: float


def hold(model: nn.Module, tokenizer: Any, keep: Keep, labels: list[str], most: int) -> Held:
    """The diagonal of the Fisher information at the start, and the start itself."""
    start = {name: p.detach().clone() for name, p in model.named_parameters() if p.requires_grad}
    matters = fisher(model, tokenizer, [example.text for example in keep.old], most)
    head = {id(p) for p in school_model.head_of(model, len(labels)).parameters()}
    fresh = [column for column, label in enumerate(labels) if label not in keep.known]
    for name, parameter in model.named_parameters():
        if id(parameter) in head and name in matters:
            matters[name][fresh] = 0.0  # a new label's column has nothing to forget
    return Held(start, matters, keep.strength)


def imprint(model: nn.Module, tokenizer: Any, keep: Keep, labels: list[str], most: int) -> None:
    """Begin each new label's column at its examples' mean, as long as the old columns are in the mean.

    Qi, Brown, Lowe, "Low-shot learning with imprinted weights", CVPR 2018: a column that begins near 0 loses
    against the old ones for as long as few examples speak for it.
    """
    head, known = school_model.head_of(model, len(labels)), set(keep.known)
    columns = [column for column, label in enumerate(labels) if label in known]
    new = {
        label: [e.text for e in keep.taught if label in e.labels] for label in labels if label not in known
    }
    if not columns or not keep.old or not any(new.values()):
        return
    middle = _features(model, head, tokenizer, [e.text for e in keep.old], most).mean(0)  # (H,)
    with torch.no_grad():
        length = head.weight[columns].norm(dim=1).mean()
        for column, label in enumerate(labels):
            if new.get(label):
                mean = _features(model, head, tokenizer, new[label], most).mean(0)
                head.weight[column] = nn.functional.normalize(mean - middle, dim=0) * length
                if head.bias is not None:
                    head.bias[column] = -head.weight[column] @ (mean + middle) / 2


def _features(
    model: nn.Module, head: nn.Linear, tokenizer: Any, texts: Sequence[str], most: int
) -> torch.Tensor:
    """(N, H): what goes into the head; the last token's where it takes every token's."""
    seen: list[torch.Tensor] = []
    handle = head.register_forward_pre_hook(lambda _m, given: seen.append(given[0].detach().float()))
    was = model.training
    model.eval()
    try:
        with torch.no_grad():
            for text in texts:
                inputs = tokenizer(text, truncation=True, max_length=most, return_tensors="pt")
                model(**inputs.to(next(model.parameters()).device))
    finally:
        handle.remove()
        model.train(was)
    return torch.stack([x[0] if x.ndim == 2 else x[0, -1] for x in seen])


def fisher(model: nn.Module, tokenizer: Any, texts: Sequence[str], most: int) -> dict[str, torch.Tensor]:
    """Squared gradient of the likeliest labels' log probability, mean over `texts`, scaled to mean 1."""
    learning = {name: p for name, p in model.named_parameters() if p.requires_grad}
    found = {name: torch.zeros_like(p) for name, p in learning.items()}
    was = model.training
    model.eval()
    for text in texts:
        inputs = tokenizer(text, truncation=True, max_length=most, return_tensors="pt")
        logits = model(**inputs.to(next(model.parameters()).device)).logits[0].float()
        model.zero_grad()
        _log_likelihood(model, logits).backward()
        for name, parameter in learning.items():
            if parameter.grad is not None:
                found[name] += parameter.grad.detach() ** 2
    model.zero_grad()
    model.train(was)
    mean = sum(float(f.sum()) for f in found.values()) / max(1, sum(f.numel() for f in found.values()))
    return {name: f / mean if mean else f for name, f in found.items()}


def _log_likelihood(model: nn.Module, logits: torch.Tensor) -> torch.Tensor:
    """Of what the model itself takes the text for."""
    several = getattr(model, "config").problem_type == "multi_label_classification"  # noqa: B009
    if several:
        return nn.functional.logsigmoid(torch.where(logits > 0, logits, -logits)).sum()
    return torch.log_softmax(logits, 0).max()


def replay(old: Sequence[Example], n: int, least: int, seed: int) -> list[Example]:
    """About `n` of the old examples, all labels alike as far as they go, `least` of each at least."""
    order = np.random.default_rng(seed).permutation(len(old))
    by_label: dict[tuple[str, ...], list[Example]] = {}
    for i in order:
        by_label.setdefault(old[int(i)].labels, []).append(old[int(i)])
    each, chosen = max(least, -(-n // max(1, len(by_label)))), []
    for labels in sorted(by_label):
        chosen += by_label[labels][:each]
    return chosen
