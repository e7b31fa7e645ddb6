"""The recogniser's network: convolutions down to 25 Hz, a bidirectional GRU, two answers a step.

The answers, 20 ms each, leave room for every letter of fast speech. A recurrent network finds its
first alignments some ten times sooner than a Conformer of its size, which decides what an hour of training
on a small machine can reach.
"""

import torch
from torch import Tensor, nn

SUBSAMPLING = 4
SUBFRAMES = 2


class Stem(nn.Module):
    """(B, T, M) log-mels -> (B, ceil(T / 4), C * ceil(M / 4))."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(1, channels, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, stride=2, padding=1),
            nn.ReLU(),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x.unsqueeze(1)).transpose(1, 2).flatten(2)


class Acoustic(nn.Module):
    """features (B, T, M) -> log-probabilities (B, 2 ceil(T / 4), V)."""

    def __init__(
        self, mels: int, units: int, dim: int = 256, layers: int = 2, channels: int = 24, dropout: float = 0.1
    ) -> None:
        super().__init__()
        self.units = units
        self.stem = Stem(channels)
        self.gru = nn.GRU(
            channels * ((mels + 3) // 4), dim, layers, batch_first=True, bidirectional=True, dropout=dropout
        )
        self.drop = nn.Dropout(dropout)
        self.head = nn.Linear(2 * dim, SUBFRAMES * units)

    def forward(self, features: Tensor) -> Tensor:
        y, _ = self.gru(self.stem(features))
        logits = self.head(self.drop(y)).view(y.shape[0], y.shape[1] * SUBFRAMES, self.units)
        return logits.log_softmax(-1)


def output_lengths(frames: Tensor) -> Tensor:
    """Frames in -> answers out."""
    return torch.div(frames + SUBSAMPLING - 1, SUBSAMPLING, rounding_mode="floor") * SUBFRAMES
