"""Phone likelihoods learned from real people: the Gaussians of CMU Sphinx's English model, as a layer.

Synthetic voices are few and alike; this model has heard thousands of people. Its likelihoods of the phones
(the tandem features of Hermansky, Ellis and Sharma, 2000) are what the recogniser listens to beside the
spectrum itself, so that what it learns from synthesisers holds for people. The layer has no trained weights
of ours: the means, variances and mixture weights are read from Debian's package pocketsphinx-en-us (BSD-2).
"""

import struct
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from runtime.contracts.errors import TrainingError
from runtime.speech.features import MELS
from runtime.speech.units import PHONES

MODEL = Path("/usr/share/pocketsphinx/model/en-us/en-us")
CEPSTRA, STREAMS, STATES = 13, 3, 3
ORDER = tuple(sorted(("+NSN+", "+SPN+", "SIL", *PHONES)))
"""The model's phones: ours, silence and two kinds of noise"""
_LIFTER = 22
NATS = 5.0
"""Nats of likelihood that come out as 1"""
_WORST = -20.0
"""Nats under the likeliest state below which all are equal"""
MIDDLE = -2.0
"""About the mean of the likelihoods that come out"""
LOG_BASE = 1024 * np.log(1.0001)
"""Nats a step of the quantised mixture weights"""
_CENTRE = (-8.64, -2.35, -0.38, -1.99, 1.64, 0.81, 0.64, 1.35, 0.36, 0.51, 0.31, 0.12, -0.28)
"""Mean cepstra of whole utterances, where the model has its zero, against our mean over their loud frames;
measured over 60 utterances of LibriSpeech (train-clean-100)"""

Floats = npt.NDArray[np.float32]


class PhoneLikelihoods(nn.Module):
    """Normalised log-mels (B, T, MELS) -> (B, T, 126): three states of each of 42 phones and noises.

    Log-likelihoods of the frame under context-independent states, the likeliest at 0, of about unit size.
    """

    size = 126

    def __init__(self) -> None:
        super().__init__()
        quadratics, weights = _gaussians()
        self.register_buffer("cosines", torch.from_numpy(_cosines()))
        self.register_buffer("centre", torch.tensor(_CENTRE))
        self.register_buffer("quadratics", torch.from_numpy(quadratics))
        self.register_buffer("weights", torch.from_numpy(weights))

    def forward(self, mels: Tensor) -> Tensor:
        cepstra = mels @ self.cosines - self.centre
        total = torch.zeros(())
        for stream, x in enumerate(_with_slopes(cepstra)):
            terms = torch.cat([x * x, x, torch.ones_like(x[..., :1])], -1) @ self.quadratics[stream]
            densities = terms.unflatten(-1, (-1, self.weights.shape[2]))  # (B, T, phones, Gaussians)
            top = densities.amax(-1, keepdim=True)
            mixed = torch.einsum("btpk,pks->btps", (densities - top).exp(), self.weights[stream])
            total = total + mixed.clamp_min(1e-30).log() + top
        flat = total.flatten(-2)
        return (flat - flat.amax(-1, keepdim=True)).clamp_min(_WORST) / NATS


def _with_slopes(cepstra: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Cepstra, their slope over four frames, the slope's slope; the edges are repeated."""
    first, last = cepstra[:, :1], cepstra[:, -1:]
    padded = torch.cat([first, first, first, cepstra, last, last, last], 1)
    n = cepstra.shape[1]

    def at(shift: int) -> Tensor:
        return padded[:, 3 + shift : 3 + shift + n]

    return cepstra, at(2) - at(-2), (at(3) - at(-1)) - (at(1) - at(-3))


def _cosines() -> Floats:
    """Log-mels -> cepstra, (MELS, CEPSTRA): an orthonormal DCT-II and a sine lifter."""
    table = np.cos(np.pi * np.outer(np.arange(MELS) + 0.5, np.arange(CEPSTRA)) / MELS) * np.sqrt(2 / MELS)
    table[:, 0] /= np.sqrt(2)
    return (table * (1 + _LIFTER / 2 * np.sin(np.pi * np.arange(CEPSTRA) / _LIFTER))).astype(np.float32)


@cache
def _gaussians() -> tuple[Floats, Floats]:
    """Coefficients of [x², x, 1], (3, 27, phones * 128), and mixture weights, (3, phones, 128, 3)."""
    if not (MODEL / "means").is_file():
        raise TrainingError(f"no acoustic model at {MODEL}; type: apt install pocketsphinx-en-us")
    means, variances = _table("means"), np.maximum(_table("variances"), 1e-4)
    phones, streams, count, _ = means.shape
    offset = (means**2 / variances + np.log(2 * np.pi * variances)).sum(-1, keepdims=True)
    rows = np.concatenate([-0.5 / variances, means / variances, -0.5 * offset], -1)
    quadratics = rows.transpose(1, 3, 0, 2).reshape(streams, 2 * CEPSTRA + 1, phones * count)
    weights = np.exp(-LOG_BASE * mixture_weights(streams, count)[:, :, : phones * STATES])
    by_phone = weights.reshape(streams, count, phones, STATES).transpose(0, 2, 1, 3)
    return np.ascontiguousarray(quadratics, np.float32), np.ascontiguousarray(by_phone, np.float32)


def _table(name: str) -> npt.NDArray[np.float64]:
    """Sphinx's Gaussian parameter file: (phones, streams, Gaussians, cepstra)."""
    data = (MODEL / name).read_bytes()
    start = data.index(b"endhdr\n") + 11
    phones, streams, count, *lengths, _ = struct.unpack_from("<7I", data, start)
    values = np.frombuffer(data, "<f4", phones * streams * count * lengths[0], start + 28)
    return values.reshape(phones, streams, count, lengths[0]).astype(np.float64)


def mixture_weights(streams: int, count: int) -> npt.NDArray[np.uint8]:
    """(streams, Gaussians, states), in steps of `LOG_BASE`; the context-independent states come first."""
    data = (MODEL / "sendump").read_bytes()
    at = 0
    while length := struct.unpack_from("<I", data, at)[0]:  # the header's lines
        at += 4 + length
    rows, states = struct.unpack_from("<2I", data, at + 4)
    return np.frombuffer(data, np.uint8, streams * rows * states, at + 12).reshape(streams, rows, states)
