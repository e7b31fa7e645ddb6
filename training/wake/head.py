"""The head's network: normalise, three fully connected layers, one score; and how it is folded.

Batch normalisation, embeddings' means and scales, and the average over several networks trained from
different seeds all vanish into the weights of the three layers, which every runtime knows.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from training.wake.clips import Clip, embed_silence
from training.wake.plan import Plan

Floats = npt.NDArray[np.float32]
Layer = tuple[Floats, Floats]
"""Weights (out, in) and biases (out,)"""


class Windows:
    """Every window a head sees in the clips: where it ends, and whether the name has just ended there."""

    def __init__(self, clips: Sequence[Clip], plan: Plan) -> None:
        past = np.repeat(embed_silence(), plan.windows - 1, axis=0)
        self.embeddings: Floats = np.concatenate([p for c in clips for p in (past, c.embeddings)])  # (N, 96)
        self._reach = np.arange(-plan.windows + 1, 1)
        ends, labels, real, at = [], [], [], 0
        for clip in clips:
            steps = len(clip.embeddings)
            ends.append(at + len(past) + np.arange(steps))
            labels.append(label(clip, plan))
            real.append(np.full(steps, clip.kind == "real"))
            at += len(past) + steps
        self.ends, self.labels = np.concatenate(ends), np.concatenate(labels)
        self.real = np.concatenate(real)

    def take(self, which: npt.NDArray[np.int64]) -> torch.Tensor:
        """(B, T, 96) for indices into `ends`."""
        return torch.from_numpy(self.embeddings[self.ends[which][:, None] + self._reach])


def label(clip: Clip, plan: Plan) -> npt.NDArray[np.int8]:
    """1 just after the name, 0 far from it, -1 (not looked at) between."""
    after_s = (np.arange(len(clip.embeddings)) + 1) * 0.08 - clip.end_s
    labels = np.zeros(len(after_s), np.int8)
    if np.isfinite(clip.end_s):
        labels[(after_s > -0.25) & (after_s < plan.late_s + 0.5)] = -1
        labels[(after_s >= -plan.early_s) & (after_s <= plan.late_s)] = 1
    return labels


class Net(nn.Module):
    """(B, T, 96) -> (B,) logits."""

    def __init__(self, windows: int, width: int, embeddings: Floats) -> None:
        super().__init__()
        self.register_buffer("mean", torch.from_numpy(embeddings.mean(axis=0)))
        self.register_buffer("scale", torch.from_numpy(1.0 / (embeddings.std(axis=0) + 1e-3)))
        self.blur = nn.Dropout(0.15)
        self.layers = nn.ModuleList([nn.Linear(96 * windows, width), nn.Linear(width, width)])
        self.norms = nn.ModuleList([nn.BatchNorm1d(width, momentum=0.05) for _ in self.layers])
        self.drop = nn.Dropout(0.3)
        self.last = nn.Linear(width, 1)

    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        x = self.blur(((windows - self.mean) * self.scale).flatten(1))  # (B, T * 96)
        for layer, norm in zip(self.layers, self.norms, strict=True):
            x = self.drop(torch.relu(norm(layer(x))))
        return self.last(x)[:, 0]

    @torch.no_grad()
    def folded(self) -> list[Layer]:
        """The same function at rest as three plain layers with ReLU between."""
        scale, mean = self.scale.numpy(), self.mean.numpy()
        steps = self.layers[0].in_features // len(mean)
        tiled_scale, tiled_mean = np.tile(scale, steps), np.tile(mean, steps)
        found = []
        for number, (layer, norm) in enumerate(zip(self.layers, self.norms, strict=True)):
            weight, bias = layer.weight.double().numpy(), layer.bias.double().numpy()
            if number == 0:
                weight = weight * tiled_scale
                bias = bias - weight @ tiled_mean
            gain = (norm.weight / torch.sqrt(norm.running_var + norm.eps)).double().numpy()
            weight, bias = weight * gain[:, None], (bias - norm.running_mean.numpy()) * gain
            found.append((weight, bias + norm.bias.numpy()))
        found.append((self.last.weight.numpy(), self.last.bias.numpy()))
        return [(np.asarray(w, np.float32), np.asarray(b, np.float32)) for w, b in found]


@dataclass(frozen=True, slots=True)
class Head:
    """What ships: three layers, ReLU between, a sigmoid at the end."""

    layers: tuple[Layer, ...]

    @property
    def windows(self) -> int:
        return self.layers[0][0].shape[1] // 96

    def halved(self) -> "Head":
        """With weights that half precision holds, which files store in half the bytes."""
        return Head(
            tuple((weight.astype(np.float16).astype(np.float32), bias) for weight, bias in self.layers)
        )

    def __call__(self, windows: Floats) -> Floats:
        """(B, T, 96) -> (B,) probabilities."""
        x = windows.reshape(len(windows), -1)
        for weight, bias in self.layers[:-1]:
            x = np.maximum(x @ weight.T + bias, 0.0)
        weight, bias = self.layers[-1]
        return np.asarray(1.0 / (1.0 + np.exp(-(x @ weight.T + bias)[:, 0])), np.float32)


def halves(weight: Floats) -> npt.NDArray[np.float16] | None:
    """The same values in half precision; None where it does not hold them exactly."""
    small = weight.astype(np.float16)
    return small if (small == weight).all() else None


def merged(nets: Sequence[Net]) -> Head:
    """The networks side by side in one: its logit is the mean of theirs."""
    parts = [net.folded() for net in nets]
    first = np.concatenate([p[0][0] for p in parts]), np.concatenate([p[0][1] for p in parts])
    inner = np.zeros((len(first[0]), len(first[0])), np.float32)
    at = 0
    for part in parts:
        size = len(part[1][0])
        inner[at : at + size, at : at + size] = part[1][0]
        at += size
    second = inner, np.concatenate([p[1][1] for p in parts])
    last = np.concatenate([p[2][0] for p in parts], axis=1) / len(parts)
    return Head((first, second, (last, np.mean([p[2][1] for p in parts], axis=0))))


def score(head: Head, data: Windows, which: npt.NDArray[np.int64] | None = None) -> Floats:
    """Probability of each window."""
    which = np.arange(len(data.ends)) if which is None else which
    pieces = [head(data.take(which[i : i + 4096]).numpy()) for i in range(0, len(which), 4096)]
    return np.concatenate(pieces) if pieces else np.zeros(0, np.float32)
