"""A small Conformer with a CTC head that answers twice a step.

Log-mels at 100 Hz are convolved down to 25 Hz, which keeps training cheap; the head then gives two
distributions per step, 20 ms each, so that fast speech still has room for every letter.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SUBSAMPLING = 4
SUBFRAMES = 2


class Stem(nn.Module):
    """(B, T, M) log-mels -> (B, ceil(T / 4), D)."""

    def __init__(self, mels: int, dim: int, channels: int = 32) -> None:
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(1, channels, 3, stride=2, padding=1),
            nn.SiLU(),
            nn.Conv2d(channels, channels, 3, stride=2, padding=1),
            nn.SiLU(),
        )
        self.out = nn.Linear(channels * ((mels + 3) // 4), dim)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(x.unsqueeze(1))  # (B, C, T/4, M/4)
        return self.out(y.transpose(1, 2).flatten(2))


class Drop(nn.Module):
    """Dropout of whole channels of a clip; a draw for every element would cost a third of the time."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        kept = torch.rand(x.shape[0], 1, x.shape[2]) >= self.share
        return x * (kept.to(x.dtype) / (1.0 - self.share))


class FeedForward(nn.Module):
    def __init__(self, dim: int, factor: int, dropout: float) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.LayerNorm(dim),
            nn.Linear(dim, factor * dim),
            nn.SiLU(),
            Drop(dropout),
            nn.Linear(factor * dim, dim),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


class Attention(nn.Module):
    """Self-attention with a learned bias for the distance between two steps, clipped at `reach`."""

    def __init__(self, dim: int, heads: int, dropout: float, reach: int = 64) -> None:
        super().__init__()
        self.heads, self.reach = heads, reach
        self.norm = nn.LayerNorm(dim)
        self.qkv = nn.Linear(dim, 3 * dim)
        self.out = nn.Linear(dim, dim)
        self.dropout = Drop(dropout)
        self.distance = nn.Parameter(torch.zeros(heads, 2 * reach + 1))

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        batch, steps, dim = x.shape
        q, k, v = self.qkv(self.norm(x)).view(batch, steps, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        place = torch.arange(steps)
        offset = (place[None] - place[:, None]).clamp(-self.reach, self.reach) + self.reach
        scores = (q @ k.transpose(-1, -2)) * (dim // self.heads) ** -0.5 + self.distance[:, offset] + bias
        mixed = scores.softmax(-1) @ v  # (B, H, T, D/H)
        return self.dropout(self.out(mixed.transpose(1, 2).reshape(batch, steps, dim)))


class Convolution(nn.Module):
    def __init__(self, dim: int, kernel: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.enter = nn.Linear(dim, 2 * dim)
        self.depthwise = nn.Conv1d(dim, dim, kernel, padding=kernel // 2, groups=dim)
        self.middle = nn.LayerNorm(dim)
        self.leave = nn.Linear(dim, dim)
        self.dropout = Drop(dropout)

    def forward(self, x: Tensor, keep: Tensor) -> Tensor:
        y = F.glu(self.enter(self.norm(x)), dim=-1) * keep
        y = self.depthwise(y.transpose(1, 2)).transpose(1, 2)
        return self.dropout(self.leave(F.silu(self.middle(y))))


class Block(nn.Module):
    def __init__(self, dim: int, heads: int, factor: int, kernel: int, dropout: float) -> None:
        super().__init__()
        self.before = FeedForward(dim, factor, dropout)
        self.attention = Attention(dim, heads, dropout)
        self.convolution = Convolution(dim, kernel, dropout)
        self.after = FeedForward(dim, factor, dropout)
        self.norm = nn.LayerNorm(dim)

    def forward(self, x: Tensor, keep: Tensor, bias: Tensor) -> Tensor:
        x = x + 0.5 * self.before(x)
        x = x + self.attention(x, bias)
        x = x + self.convolution(x, keep)
        x = x + 0.5 * self.after(x)
        return self.norm(x)


class Conformer(nn.Module):
    """features (B, T, M), lengths (B,) -> log-probabilities (B, S, V) with S = 2 ceil(T / 4)."""

    def __init__(
        self,
        mels: int,
        units: int,
        dim: int = 144,
        layers: int = 6,
        heads: int = 4,
        factor: int = 4,
        kernel: int = 15,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.units = units
        self.stem = Stem(mels, dim)
        self.blocks = nn.ModuleList(Block(dim, heads, factor, kernel, dropout) for _ in range(layers))
        self.head = nn.Linear(dim, SUBFRAMES * units)

    def forward(self, features: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Without `lengths` nothing is padding."""
        x = self.stem(features)
        steps = x.shape[1]
        mask, bias = torch.ones(1), torch.zeros(1)
        if lengths is not None:
            keep = torch.arange(steps)[None] < ((lengths + SUBSAMPLING - 1) // SUBSAMPLING)[:, None]
            bias = torch.where(keep, 0.0, -1e4)[:, None, None].to(x.dtype)  # (B, 1, 1, T)
            mask = keep.unsqueeze(-1).to(x.dtype)
            x = x * mask
        for block in self.blocks:
            x = block(x, mask, bias)
        logits = self.head(x).view(x.shape[0], steps * SUBFRAMES, self.units)
        return logits.float().log_softmax(-1)


def output_lengths(lengths: Tensor) -> Tensor:
    """Frames in -> distributions out."""
    return (lengths + SUBSAMPLING - 1) // SUBSAMPLING * SUBFRAMES
