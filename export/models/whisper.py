"""Whisper's encoder with its log-mel in the graph: samples in, states out; a robot needs no front end of it.

The decoder stays behind: a pet answers from a grammar and a small model. The log-mel is that of transformers'
`WhisperFeatureExtractor` (Radford et al., "Robust Speech Recognition via Large-Scale Weak Supervision").
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from transformers import PreTrainedModel, WhisperFeatureExtractor

FAMILY = "whisper"
FRONT_END = {"sampling_rate": 16_000, "do_normalize": False, "log_mel": "in the graph"}
_WINDOW, _HOP = 400, 160
_SAMPLES = 480_000
"""30 s, which is what the encoder always reads"""


class Ears(nn.Module):
    """`input_values` (B, T), -1..1, padded or cut to 30 s -> as the encoder answers, (B, 1500, H)."""

    filters: torch.Tensor
    waves: torch.Tensor

    def __init__(self, encoder: PreTrainedModel) -> None:
        super().__init__()
        self.encoder, self.config = encoder, encoder.config
        filters = WhisperFeatureExtractor(feature_size=encoder.config.num_mel_bins).mel_filters  # (201, M)
        self.register_buffer("filters", torch.from_numpy(np.asarray(filters, np.float32).T))
        self.register_buffer("waves", _waves())

    def log_mel(self, input_values: torch.Tensor) -> torch.Tensor:
        """(B, T) -> (B, M, 3000)."""
        whole = nn.functional.pad(input_values, (0, _SAMPLES))[:, :_SAMPLES]
        edged = nn.functional.pad(whole[:, None], (_WINDOW // 2, _WINDOW // 2), mode="reflect")
        real, imaginary = nn.functional.conv1d(edged, self.waves, stride=_HOP)[..., :-1].chunk(2, dim=1)
        power = real.square() + imaginary.square()  # (B, 201, 3000)
        levels = (self.filters @ power).clamp(min=1e-10).log10()
        return (torch.maximum(levels, levels.amax((1, 2), keepdim=True) - 8.0) + 4.0) / 4.0

    def forward(self, input_values: torch.Tensor) -> Any:
        return self.encoder(self.log_mel(input_values))


def _waves() -> torch.Tensor:
    """(402, 1, 400): cosines, then sines, under a Hann window: a Fourier transform as a convolution."""
    turns = 2 * np.pi * np.outer(np.arange(_WINDOW // 2 + 1), np.arange(_WINDOW)) / _WINDOW
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_WINDOW) / _WINDOW)
    return torch.from_numpy(np.concatenate([np.cos(turns), np.sin(turns)]) * hann).float()[:, None]


def write(ears: Ears, path: Path) -> None:
    """`path` as float32 ONNX: `input_values` (batch, samples) -> `last_hidden_state`."""
    batch, samples = torch.export.Dim("batch", min=1, max=512), torch.export.Dim("samples", min=2)
    with torch.no_grad():
        torch.onnx.export(
            ears.eval(), (torch.zeros(2, 16_000),), str(path), input_names=["input_values"],
            output_names=["last_hidden_state"], dynamic_shapes={"input_values": {0: batch, 1: samples}},
            dynamo=True, external_data=False, verbose=False,
        )  # fmt: skip
