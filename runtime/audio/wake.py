"""Wake names: openWakeWord features in a stream, one small head a name on top.

Every 80 ms of sound gives one embedding of 96 numbers (it looks back 0.8 s); a head sees the last T embeddings
(16 in the official ones, 2 s) and says how likely its name has just ended. Embeddings are computed once for all
names and for the stop word. Nothing here reads a clock: the same samples after `reset()` give the same hits,
however they are cut into blocks. Not thread-safe; one detector belongs to one stream.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt
from pyopen_wakeword import OpenWakeWordFeatures

from runtime.contracts.audio import SAMPLE_RATE_HZ, AudioBlock, Samples
from runtime.contracts.errors import ConfigError, PackError
from runtime.engines import Engine

STEP_SAMPLES = 1280
"""80 ms"""
EMBEDDING_SIZE = 96
_LOOK_AHEAD = 480
"""What the mel frames of a step need beyond its 1280 samples"""
_SILENT_STEPS = 30
_HISTORY = 128
"""Embeddings kept for the longest head"""

Embedding = npt.NDArray[np.float32]
"""Shape (96,)"""
Backend = Literal["pyopen-wakeword", "openwakeword"]


@dataclass(frozen=True, slots=True)
class WakeHit:
    """A name was heard; `t_s` is the end of the 80 ms step that fired, from the start of the stream."""

    name: str
    t_s: float
    score: float


class Features(Protocol):
    """A stream of sound in, embeddings out."""

    def step(self, samples: Samples) -> list[tuple[int, Embedding]]: ...
    def reset(self) -> None: ...


class WakeFeatures:
    """The streaming feature networks of pyopen-wakeword, aligned so that steps end at multiples of 1280."""

    def __init__(self) -> None:
        self._net = OpenWakeWordFeatures.from_builtin()
        self._net.new_audio_samples = 0
        silence = np.zeros(_LOOK_AHEAD + _SILENT_STEPS * STEP_SAMPLES, np.int16)
        self.silence: Embedding = list(self._embeddings(silence))[-1]
        """What digital silence looks like; a head's past before the stream began"""
        self._mels, self._new_mels = self._net.mels.copy(), self._net.new_mels
        self.reset()

    def step(self, samples: Samples) -> list[tuple[int, Embedding]]:
        """(index of the first sample not yet used, embedding) for each 80 ms completed by `samples`."""
        self._waiting = np.concatenate([self._waiting, samples])
        found: list[tuple[int, Embedding]] = []
        while len(self._waiting) >= STEP_SAMPLES:
            piece, self._waiting = self._waiting[:STEP_SAMPLES], self._waiting[STEP_SAMPLES:]
            self._used += STEP_SAMPLES
            found += [(self._used, embedding) for embedding in self._embeddings(piece)]
        return found

    def reset(self) -> None:
        """Forget the stream: as if silence had come before, at once and always the same."""
        self._net.audio[:] = 0.0
        self._net.new_audio_samples = _LOOK_AHEAD
        self._net.mels[:] = self._mels
        self._net.new_mels = self._new_mels
        self._waiting = np.zeros(0, np.int16)
        self._used = 0

    def _embeddings(self, samples: Samples) -> Iterator[Embedding]:
        for block in self._net.process_streaming(samples.tobytes()):
            yield from block.reshape(-1, EMBEDDING_SIZE).copy()


class LibraryFeatures:
    """The same features by the `openwakeword` library's own feature networks in ONNX.

    They are not in its wheel, so their folder is given. Raises PackError without them, MissingExtraError
    without the library.
    """

    def __init__(self, folder: Path) -> None:
        from runtime.audio.openwakeword import library_embedder

        self._embed: Callable[[Samples], Embedding] = library_embedder(folder)
        self.reset()

    def step(self, samples: Samples) -> list[tuple[int, Embedding]]:
        """As `WakeFeatures.step`."""
        self._waiting = np.concatenate([self._waiting, samples])
        found: list[tuple[int, Embedding]] = []
        while len(self._waiting) >= STEP_SAMPLES:
            piece, self._waiting = self._waiting[:STEP_SAMPLES], self._waiting[STEP_SAMPLES:]
            self._heard = np.concatenate([self._heard, piece])[-len(self._heard) :]
            self._used += STEP_SAMPLES
            found.append((self._used, self._embed(self._heard)))
        return found

    def reset(self) -> None:
        """Forget the stream: as if silence had come before."""
        self._heard = np.zeros(_LOOK_AHEAD + 10 * STEP_SAMPLES, np.int16)
        self._waiting = np.zeros(0, np.int16)
        self._used = 0
