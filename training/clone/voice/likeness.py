"""Whose voice is it? A call's colour, pitch and tonality, told apart by a linear discriminant with shrinkage.

It measures how well a clone's calls are taken for the animal's own among other animals' recordings.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from runtime.speech.pitch import pitch_of
from training.clone.voice.soundtrack import Signal
from training.clone.voice.spectrum import mel_bands, spectra

_BANDS = mel_bands(24, 150, 7_500)
_SHRINK = 0.15
Vector = npt.NDArray[np.float64]


def features(samples: Signal) -> Vector:
    """(50,): mean and spread of the spectrum's shape while it is loud, pitch and tonality."""
    power = np.abs(spectra(samples)) ** 2 @ _BANDS.T
    loud = power.sum(axis=1)
    level = 10 * np.log10(power[loud > 0.05 * loud.max()] + 1e-9)
    shape = level - level.mean(axis=1, keepdims=True)
    pitch = pitch_of(samples)
    pitched = np.log2(max(pitch.median_hz, 50.0) / 400)
    return np.concatenate([shape.mean(axis=0), shape.std(axis=0), [6 * pitched, 6 * pitch.tonality]])


@dataclass(frozen=True, slots=True)
class Recogniser:
    """Knows some animals by recordings."""

    names: tuple[str, ...]
    _weights: Vector
    _offsets: Vector

    @classmethod
    def of(cls, recordings: Mapping[str, Sequence[Signal]]) -> "Recogniser":
        """Name -> calls of that animal, at least a few of each."""
        vectors = {name: np.array([features(c) for c in calls]) for name, calls in recordings.items()}
        means = np.array([v.mean(axis=0) for v in vectors.values()])
        around = np.concatenate([v - v.mean(axis=0) for v in vectors.values()])
        spread = around.T @ around / max(len(around) - len(means), 1)
        held = (1 - _SHRINK) * spread + _SHRINK * np.diag(np.diag(spread)) + 1e-3 * np.eye(len(spread))
        weights = np.linalg.solve(held, means.T)
        return cls(tuple(vectors), weights, -0.5 * (means * weights.T).sum(axis=1))

    def whose(self, samples: Signal) -> str:
        """The likeliest of the animals known."""
        return self.names[int((features(samples) @ self._weights + self._offsets).argmax())]
