"""The recogniser's network: two ways of hearing, a bidirectional LSTM over both at 25 Hz, two answers a step.

It hears log-mels through convolutions, and phone likelihoods learned from real people through a layer that is
not trained (`gaussians`). The answers, 20 ms each, leave room for every sound of fast speech. A recurrent
network finds its first alignments some ten times sooner than a Conformer of its size, and of the recurrent
ones torch trains an LSTM in bfloat16 three times as fast as a GRU, which decides what an hour of training on
a small machine can reach.
"""

import torch
from torch import Tensor, nn

from runtime.speech.features import MELS
from runtime.speech.units import UNITS
from training.asr.gaussians import MIDDLE, NATS, ORDER, STATES, PhoneLikelihoods

SUBSAMPLING = 4
SUBFRAMES = 2
HEARD = MELS + PhoneLikelihoods.size
"""Width of what the trained part hears: log-mels, then likelihoods"""


class Ears(nn.Module):
    """Normalised log-mels (B, T, MELS) -> (B, T, HEARD). Nothing in it is trained."""

    def __init__(self) -> None:
        super().__init__()
        self.likelihoods = PhoneLikelihoods()

    def forward(self, mels: Tensor) -> Tensor:
        return torch.cat([mels / 3.0, self.likelihoods(mels)], -1)


class Acoustic(nn.Module):
    """What the ears hear (B, T, HEARD) -> log-probabilities (B, 2 ceil(T / 4), V).

    `deaf_share`: how often, in training, it must do without the log-mels of a clip, so that it does not
    rely on what only synthetic voices have.
    """

    def __init__(
        self, units: int, dim: int = 256, layers: int = 2, channels: int = 16, dropout: float = 0.15,
        deaf_share: float = 0.3,
    ) -> None:  # fmt: skip
        super().__init__()
        self.units, self.deaf_share = units, deaf_share
        self.spectrum = nn.Sequential(
            nn.Conv2d(1, channels, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, stride=2, padding=1),
            nn.ReLU(),
        )
        seen, known = channels * ((MELS + 3) // 4), 192
        self.phones = nn.Conv1d(PhoneLikelihoods.size, known, 5, stride=SUBSAMPLING, padding=2)
        self.norms = nn.ModuleList([nn.LayerNorm(seen), nn.LayerNorm(known)])
        self.drop = nn.Dropout(dropout)
        widths = [seen + known] + [2 * dim] * (layers - 1)
        self.layers = nn.ModuleList(
            nn.ModuleList([nn.LSTM(width, dim, batch_first=True, bidirectional=True), nn.LayerNorm(2 * dim)])
            for width in widths
        )
        self.head = nn.Linear(2 * dim, SUBFRAMES * units)
        self.first_guess = _phones_themselves(units)
        nn.init.normal_(self.first_guess.bias, std=0.01)

    def forward(self, heard: Tensor) -> Tensor:
        mels, likelihoods = heard[..., :MELS], heard[..., MELS:]
        seen = self.norms[0](self.spectrum(mels.unsqueeze(1)).transpose(1, 2).flatten(2))
        if self.training:
            seen = seen * (torch.rand(len(seen), 1, 1) >= self.deaf_share)
        known = self.norms[1](self.phones((likelihoods - MIDDLE).transpose(1, 2)).transpose(1, 2))
        y = torch.cat([seen, known], -1)
        for lstm, norm in self.layers:
            y = norm(lstm(self.drop(y))[0])
        guess = self.first_guess(_best_states(likelihoods).transpose(1, 2))
        logits = self.head(self.drop(y)).float() + guess.transpose(1, 2).float()
        return logits.reshape(y.shape[0], -1, self.units).log_softmax(-1)


def _phones_themselves(units: int) -> nn.Conv1d:
    """Likelihoods of 42 phones -> logits of all units, two steps at a time: 0.4 of each phone's own.

    The share is the largest that costs held-out synthetic voices nothing in clean sound; real single words
    gain up to 0.6.
    """
    guess = nn.Conv1d(len(ORDER), SUBFRAMES * units, 7, stride=SUBSAMPLING, padding=3)
    nn.init.zeros_(guess.weight)
    nn.init.zeros_(guess.bias)
    with torch.no_grad():
        for step in range(SUBFRAMES):
            for unit in range(min(units, len(UNITS))):
                phone = ORDER.index(UNITS[unit] or "SIL")
                guess.weight[step * units + unit, phone, 3 + 2 * step : 5 + 2 * step] = 0.5 * 0.4 * NATS
    return guess


class Recogniser(nn.Module):
    """What is shipped: normalised log-mels in, log-probabilities out.

    A product of two experts: the trained network, which knows how sounds follow each other and what noise
    does to them, but only synthetic voices; and the Gaussians, which know one frame at a time, but people.
    """

    def __init__(self, acoustic: Acoustic) -> None:
        super().__init__()
        self.ears, self.acoustic = Ears(), acoustic
        self.people = _phones_themselves(acoustic.units).requires_grad_(False)

    def forward(self, features: Tensor) -> Tensor:
        heard = self.ears(features)
        people = self.people(_best_states(heard[..., MELS:]).transpose(1, 2)).transpose(1, 2)
        log_probs = self.acoustic(heard)
        return (log_probs + people.reshape(log_probs.shape[0], -1, log_probs.shape[2])).log_softmax(-1)


def _best_states(likelihoods: Tensor) -> Tensor:
    """(B, T, 126) -> (B, T, 42): of each phone's three states the likeliest."""
    return likelihoods.unflatten(-1, (-1, STATES)).amax(-1)


def output_lengths(frames: Tensor) -> Tensor:
    """Frames in -> answers out."""
    return torch.div(frames + SUBSAMPLING - 1, SUBSAMPLING, rounding_mode="floor") * SUBFRAMES
