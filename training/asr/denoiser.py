"""Log-mels of speech in noise -> log-mels of the speech alone, before anything else listens.

The Gaussians know real people but no noise; what they hear must be clean. How noise covers speech hardly
depends on who speaks, so that this little network learns from synthetic voices, and from real recordings
without a word of transcript, what holds for everybody.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from runtime.speech.features import MELS

FLOOR = -8.0
"""Nats, normalised log-mels: what is quieter need not be told apart"""


class Denoiser(nn.Module):
    """Normalised log-mels (B, T, MELS) -> the same of the clean speech: a correction of each cell."""

    def __init__(self, width: int = 96, dim: int = 128) -> None:
        super().__init__()
        self.spread = nn.Conv1d(MELS, width, 5, padding=2)
        self.norm = nn.LayerNorm(width)
        self.lstm = nn.LSTM(width, dim, batch_first=True, bidirectional=True)
        self.correction = nn.Linear(2 * dim, MELS)
        nn.init.zeros_(self.correction.weight)
        nn.init.zeros_(self.correction.bias)

    def forward(self, mels: Tensor) -> Tensor:
        x = torch.relu(self.norm(self.spread((mels / 3.0).transpose(1, 2)).transpose(1, 2)))
        return mels + 3.0 * self.correction(self.lstm(x)[0]).float()


def difference(cleaned: Tensor, clean: Tensor, counts: Tensor) -> Tensor:
    """Mean absolute difference in nats over real frames, of what stands over the floor; and of its slope."""
    cleaned, clean = cleaned.clamp_min(FLOOR), clean.clamp_min(FLOOR)
    real = (torch.arange(clean.shape[1])[None] < counts[:, None]).unsqueeze(-1).float()
    level = (F.smooth_l1_loss(cleaned, clean, reduction="none") * real).sum()
    slopes = F.smooth_l1_loss(cleaned.diff(dim=1), clean.diff(dim=1), reduction="none") * real[:, 1:]
    return (level + slopes.sum()) / real.sum() / MELS
