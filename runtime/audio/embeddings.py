"""Speech embeddings in a stream: the part of openWakeWord that all names and the stop word share.

Every 80 ms of sound gives one embedding of 96 numbers that looks back 0.8 s. Nothing here reads a clock: the
same samples after `reset()` give the same embeddings, however they are cut into blocks.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from pyopen_wakeword import OpenWakeWordFeatures

from runtime.contracts.audio import AudioBlock, Samples

STEP_SAMPLES = 1280
"""80 ms"""
EMBEDDING_SIZE = 96
_OVERLAP = 480
"""Samples before a step that its mel frames need"""
_SILENT_STEPS = 30

Embedding = npt.NDArray[np.float32]
"""Shape (96,)"""
Step = tuple[int, Embedding]
"""Index of the first sample after the step, and what was heard up to there"""


class WakeFeatures:
    """The networks of pyopen-wakeword; steps end at multiples of 1280 samples after `reset`.

    One stream may feed several detectors: `hear` computes a block once, whoever asks first. Not thread-safe.
    """

    def __init__(self) -> None:
        self._waiting: Samples = np.zeros(0, np.int16)
        self._used = 0
        self._last: tuple[AudioBlock, list[Step]] | None = None
        self._net = OpenWakeWordFeatures.from_builtin()
        # the network would start with eight seconds of its own silence; this is shorter and is kept
        self._net.new_audio_samples = 0
        silence = np.zeros(_OVERLAP + _SILENT_STEPS * STEP_SAMPLES, np.int16)
        self.silence: Embedding = list(self._embeddings(silence))[-1]
        """The embedding of digital silence: a detector's past before the stream began"""
        self._silent_mels, self._silent_new_mels = self._net.mels.copy(), self._net.new_mels
        self.reset()

    def step(self, samples: Samples) -> list[Step]:
        """Any number of samples in, the steps they complete out; numbered from `reset`."""
        self._waiting = np.concatenate([self._waiting, samples])
        steps: list[Step] = []
        while len(self._waiting) >= STEP_SAMPLES:
            piece, self._waiting = self._waiting[:STEP_SAMPLES], self._waiting[STEP_SAMPLES:]
            self._used += STEP_SAMPLES
            steps += [(self._used, embedding) for embedding in self._embeddings(piece)]
        return steps

    def hear(self, block: AudioBlock) -> list[Step]:
        """`step` for a block, numbered by the block's place in the stream; asked again, the same again."""
        if self._last is None or self._last[0] is not block:
            steps = self.step(block.samples)
            shift = block.start_sample + len(block.samples) - len(self._waiting) - self._used
            self._last = block, [(end + shift, embedding) for end, embedding in steps]
        return self._last[1]

    def reset(self) -> None:
        """Forget the stream, as if silence had come before."""
        self._net.audio[:] = 0.0
        self._net.new_audio_samples = _OVERLAP
        self._net.mels[:] = self._silent_mels
        self._net.new_mels = self._silent_new_mels
        self._waiting = np.zeros(0, np.int16)
        self._used = 0
        self._last = None

    def _embeddings(self, samples: Samples) -> Iterator[Embedding]:
        for block in self._net.process_streaming(samples.tobytes()):
            yield from block.reshape(-1, EMBEDDING_SIZE).copy()
