"""The last seconds of a stream, kept once for everybody who looks back into it."""

import numpy as np

from runtime.contracts.audio import SAMPLE_RATE_HZ, AudioBlock, Samples

KEPT = 2 * SAMPLE_RATE_HZ
"""Samples that can be looked back on from any moment of the last block"""


class Recent:
    """`hear` every block, in order. It may serve several detectors: a block heard twice counts once."""

    def __init__(self) -> None:
        self._kept: Samples = np.zeros(0, np.int16)
        self._end = 0
        self._last: AudioBlock | None = None

    def hear(self, block: AudioBlock) -> None:
        if block is self._last:
            return
        self._last = block
        self._kept = np.concatenate([self._kept, block.samples])[-KEPT - len(block.samples) :]
        self._end = block.start_sample + len(block.samples)

    def last(self, count: int, until: int | None = None) -> Samples:
        """`count` samples before the stream's sample `until` (None: the newest); fewer where not heard."""
        late = 0 if until is None else max(0, self._end - until)
        end = max(0, len(self._kept) - late)
        return self._kept[max(0, end - count) : end]

    def reset(self) -> None:
        """Forget the stream."""
        self._kept = np.zeros(0, np.int16)
        self._end, self._last = 0, None
