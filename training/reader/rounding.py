"""Weights as the robot will have them, while they are still being trained.

The last part of a training computes with weights rounded to blocks of 4 bits, and the gradient passes
straight through the rounding (Bengio et al. 2013, arXiv:1308.3432; Jacob et al. 2018, arXiv:1712.05877), so
what is shipped is what was trained.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.func import functional_call

BLOCK = 32
"""Weights that share a scale"""
_LOWEST = -8


def rounded(net: nn.Module) -> Callable[..., Any]:
    """`net`, computing with the rounded weights of its linear layers and tables."""
    weights = {
        f"{name}.weight": _through(module.weight)
        for name, module in net.named_modules()
        if isinstance(module, nn.Linear | nn.Embedding)
    }
    return lambda *inputs: functional_call(net, weights, inputs)


def to_blocks(weight: torch.Tensor) -> torch.Tensor:
    """(N, K) -> (N, K), each BLOCK along K on a grid of 16 steps that ends at its value furthest from 0, as
    onnxruntime's symmetric blocks do."""
    rows, width = weight.shape
    blocks = nn.functional.pad(weight, (0, -width % BLOCK)).view(rows, -1, BLOCK)
    furthest = blocks.gather(-1, blocks.abs().argmax(-1, keepdim=True))
    scale = furthest / _LOWEST
    steps = (blocks / torch.where(scale == 0, 1.0, scale)).round().clamp(_LOWEST, -_LOWEST - 1)
    return (steps * scale).view(rows, -1)[:, :width]


def _through(weight: torch.Tensor) -> torch.Tensor:
    return weight + (to_blocks(weight) - weight).detach()
