"""From clips to a loss: SpecAugment, padding, and the two ways to compare answers with what was said."""

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from runtime.speech.features import MELS
from training.asr.acoustic import HEARD, SUBFRAMES, SUBSAMPLING, Acoustic, output_lengths
from training.asr.clips import Clip

PAD = -2.0
"""About what the ears give for silence"""
_IGNORED = -1


def loss_of(model: Acoustic, clips: Sequence[Clip], rng: np.random.Generator, aligned: bool) -> Tensor:
    """CTC in nats a sound; or, with `aligned`, the cross-entropy to the aligned sounds, in nats a step.

    Left to itself CTC answers with blanks and the commonest sounds for thousands of steps before it finds its
    first alignment; a few hundred steps with the Gaussians' alignment spare it that.
    """
    features, counts = collate(clips, rng)
    log_probs = model(features)
    if aligned:
        wanted = frame_targets(clips, log_probs.shape[1])
        return F.nll_loss(log_probs.flatten(0, 1), wanted.flatten(), ignore_index=_IGNORED)
    targets = torch.tensor([unit for clip in clips for unit in clip.units], dtype=torch.long)
    lengths = torch.tensor([len(clip.units) for clip in clips])
    steps, by_step = output_lengths(counts), log_probs.transpose(0, 1)
    loss = F.ctc_loss(by_step, targets, steps, lengths, reduction="sum", zero_infinity=True)
    return loss / max(1, int(lengths.sum()))


def collate(clips: Sequence[Clip], rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """What was heard (B, T, HEARD), with SpecAugment; frame counts (B,)."""
    frames = np.full((len(clips), max(len(c.frames) for c in clips), HEARD), PAD, np.float32)
    for row, clip in zip(frames, clips, strict=True):
        row[: len(clip.frames)] = mask(clip.frames.astype(np.float32), rng)
    return torch.from_numpy(frames), torch.tensor([len(c.frames) for c in clips])


def mask(heard: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Shift the mels a little, hide up to two bands of them and a few short stretches of everything."""
    heard = np.concatenate([np.roll(heard[:, :MELS], int(rng.integers(-1, 2)), axis=1), heard[:, MELS:]], 1)
    for _ in range(2):
        width = int(rng.integers(0, 6))
        low = int(rng.integers(0, MELS - width))
        heard[:, low : low + width] = 0.0
    for _ in range(1 + len(heard) // 120):
        width = int(rng.integers(0, 9))
        start = int(rng.integers(0, max(1, len(heard) - width)))
        heard[start : start + width] = 0.0
    return heard


def frame_targets(clips: Sequence[Clip], steps: int) -> Tensor:
    """(B, steps): the unit of every step; padding is ignored."""
    targets = np.full((len(clips), steps), _IGNORED, np.int64)
    for row, clip in zip(targets, clips, strict=True):
        middle = clip.aligned[SUBSAMPLING // SUBFRAMES // 2 :: SUBSAMPLING // SUBFRAMES]
        row[: len(middle)] = middle
    return torch.from_numpy(targets)
