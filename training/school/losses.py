"""What is minimised, with its switches: smoothing, class weights, R-Drop, adversarial steps, L2-SP."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.nn import functional


def class_weights(targets: torch.Tensor, labels: int, power: float) -> torch.Tensor:
    """(labels,), mean 1 over the examples; a class counts by its number to the power of -`power`."""
    counts = (
        (targets if targets.ndim == 2 else functional.one_hot(targets, labels)).float().sum(0).clamp(min=1)
    )
    weights = counts**-power
    return weights * counts.sum() / (weights * counts).sum()


def loss_of(
    logits: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor, smoothing: float,
    counts: torch.Tensor | None = None,
) -> torch.Tensor:  # fmt: skip
    """Cross entropy of one label a text, or of a yes and no a label where targets are (N, labels).

    `weights` (labels,) of the classes, `counts` (N,) of the examples; None: each counts once.
    """
    logits, weights = logits.float(), weights.to(logits.device)
    if targets.ndim == 1:
        each = functional.cross_entropy(logits, targets, reduction="none", label_smoothing=smoothing)
        each = each * weights[targets]
    else:
        soft = targets * (1 - smoothing) + smoothing / 2
        each = functional.binary_cross_entropy_with_logits(logits, soft, reduction="none")  # (N, labels)
        each = (each * torch.where(targets > 0, weights, torch.ones_like(weights))).sum(1)
    return (each if counts is None else each * counts.to(each.device)).mean()


def divergence(one: torch.Tensor, other: torch.Tensor, several: bool) -> torch.Tensor:
    """Mean of both Kullback-Leibler divergences between two passes' predictions."""
    if several:  # a yes and a no for each label
        one, other = (torch.stack([x, torch.zeros_like(x)], -1).flatten(0, 1) for x in (one, other))
    p, q = functional.log_softmax(one.float(), -1), functional.log_softmax(other.float(), -1)
    both = functional.kl_div(p, q, reduction="batchmean", log_target=True)
    return (both + functional.kl_div(q, p, reduction="batchmean", log_target=True)) / 2


@contextmanager
def embeddings_of(model: nn.Module, change: Callable[[torch.Tensor], torch.Tensor]) -> Iterator[None]:
    """While it is open, what the word embeddings give (B, T, H) goes through `change`."""
    layer: Any = getattr(model, "module", model)
    handle = layer.get_input_embeddings().register_forward_hook(lambda _m, _i, output: change(output))
    try:
        yield
    finally:
        handle.remove()


class Seen:
    """Keeps the embeddings of a pass, with their gradient."""

    def __init__(self) -> None:
        self.output: torch.Tensor | None = None

    def __call__(self, output: torch.Tensor) -> torch.Tensor:
        kept = output if output.requires_grad else output.detach().requires_grad_()
        kept.retain_grad()
        self.output = kept
        return kept

    def step(self, length: float) -> torch.Tensor:
        """(B, T, H): along the gradient, so long a sentence (fast gradient method)."""
        assert self.output is not None
        gradient = self.output.grad
        assert gradient is not None
        norm = gradient.flatten(1).norm(dim=1).clamp(min=1e-12)
        return (length * gradient / norm[:, None, None]).detach()


def pull(
    model: nn.Module, start: dict[str, torch.Tensor], matters: dict[str, torch.Tensor] | None = None
) -> torch.Tensor:
    """Half the squared distance of what learns to `start` (L2-SP); each weight by `matters` (EWC)."""
    total = torch.zeros(())
    for name, parameter in getattr(model, "module", model).named_parameters():
        if name in start and parameter.requires_grad and (matters is None or name in matters):
            away = (parameter - start[name].to(parameter.device)) ** 2
            if matters is not None:
                away = away * matters[name].to(parameter.device)
            total = total.to(parameter.device) + away.sum()
    return total / 2
