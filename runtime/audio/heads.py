"""One head: the small network that says how likely its name has just ended, and when that counts as a hit.

The form is openWakeWord's: `[1, T, 96]` embeddings in, one probability out. Threshold, patience and
refractory time stand in the ONNX metadata; the official heads have none and get the defaults.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from runtime.audio import verifier
from runtime.audio.embeddings import EMBEDDING_SIZE, Embedding
from runtime.contracts.audio import SAMPLE_RATE_HZ
from runtime.contracts.errors import PackError
from runtime.engines import Engine

LOOSE = 0.3
"""Score from which a name may have been said; a second witness is asked where the head is not sure"""
_LONGEST = 128
_LONG_AGO = -(10**12)


@dataclass(frozen=True, slots=True)
class HeadSettings:
    """What a head carries in its metadata."""

    name: str
    threshold: float = 0.5
    patience: int = 1
    """Steps of 80 ms in a row at or over the threshold"""
    refractory_s: float = 2.0
    """No second hit within this time"""


class Trigger:
    """Scores in, hits out: patience, refractory time, and a fall under the threshold before the next hit."""

    def __init__(self, settings: HeadSettings) -> None:
        self._settings = settings
        self._run = 0
        self._last_hit = _LONG_AGO

    def step(self, end_sample: int, score: float) -> bool:
        """True where this step is a hit."""
        self._run = self._run + 1 if score >= self._settings.threshold else 0
        if self._run != self._settings.patience or not self.rested(end_sample):
            return False
        self._last_hit = end_sample
        return True

    def rested(self, end_sample: int) -> bool:
        """Whether a hit would count."""
        return end_sample - self._last_hit >= self._settings.refractory_s * SAMPLE_RATE_HZ

    def witnessed(self, end_sample: int) -> None:
        """Somebody else is sure of a hit here."""
        self._last_hit = end_sample

    def reset(self) -> None:
        self._run = 0
        self._last_hit = _LONG_AGO


class WakeHead:
    """An ONNX head; PackError where the file is not one.

    Where an owner's verifier stands beside it, steps at which somebody else says the name score 0; with
    `anybody` it is left out.
    """

    def __init__(self, path: Path, anybody: bool = False) -> None:
        self._engine = Engine(path)
        self.settings = read_settings(path, self._engine.metadata)
        shapes = list(self._engine.input_shapes.values())
        shape = shapes[0] if len(shapes) == 1 else []
        if len(shape) != 3 or not isinstance(shape[1], int) or shape[2] != EMBEDDING_SIZE:
            raise PackError(f"{path} takes {shapes}, not [1, T, 96]; it is not an openWakeWord head")
        if not 1 <= shape[1] <= _LONGEST:
            raise PackError(f"{path} looks back {shape[1]} steps; a head may use 1 to {_LONGEST}")
        self.windows: int = shape[1]
        """Steps it looks back, T"""
        self._history: npt.NDArray[np.float32] = np.zeros((1, self.windows, EMBEDDING_SIZE), np.float32)
        scores = self._run()
        if scores.size != 1:
            raise PackError(f"{path} gives {scores.shape}, not one score; it is not an openWakeWord head")
        self.verifier = None if anybody else verifier.beside(path, self.windows)

    def step(self, embedding: Embedding) -> float:
        """Score after one more embedding."""
        self._history[0, :-1] = self._history[0, 1:]
        self._history[0, -1] = embedding
        score = float(self._run().ravel()[0])
        if (
            score < min(LOOSE, self.settings.threshold)
            or self.verifier is None
            or self.verifier.is_owner(self._history)
        ):
            return score
        return 0.0

    def reset(self, silence: Embedding) -> None:
        """Start with a past of `silence`."""
        self._history[:] = silence

    def _run(self) -> npt.NDArray[np.float32]:
        feeds = {self._engine.inputs[0]: self._history}
        return np.asarray(self._engine.run(feeds)[self._engine.outputs[0]], np.float32)


def read_settings(path: Path, metadata: Mapping[str, str]) -> HeadSettings:
    """Settings from ONNX metadata; the name falls back to the file's, as in `hey_jarvis_v0.1.onnx`."""
    name = metadata.get("name") or re.sub(r"_v[\d.]+$", "", path.stem).replace("_", " ")
    try:
        settings = HeadSettings(
            name=name,
            threshold=float(metadata.get("threshold", "0.5")),
            patience=int(metadata.get("patience", "1")),
            refractory_s=float(metadata.get("refractory_s", "2.0")),
        )
    except ValueError as error:
        raise PackError(f"{path} carries a setting that is no number ({error}); train it again") from error
    if not (0 < settings.threshold < 1 and 1 <= settings.patience <= 50 and 0 <= settings.refractory_s <= 60):
        raise PackError(f"{path} carries settings out of range ({settings}); train it again")
    return settings
