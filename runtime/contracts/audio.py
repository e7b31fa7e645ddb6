"""The one audio format inside everpaw, and the blocks it travels in.

Whatever a file or a sound card delivers comes out of a source as 16 kHz mono int16 in blocks of 20 ms.
Times are seconds from the first sample of the stream; a block carries the index of its first sample.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

SAMPLE_RATE_HZ = 16_000
BLOCK_SAMPLES = 320
"""20 ms"""
BLOCK_S = BLOCK_SAMPLES / SAMPLE_RATE_HZ

Samples = npt.NDArray[np.int16]
"""Shape (n,), 16 kHz mono."""


@dataclass(frozen=True, slots=True)
class AudioBlock:
    """A stretch of microphone signal, usually 20 ms; the last one of a file may be shorter."""

    samples: Samples
    start_sample: int

    @property
    def start_s(self) -> float:
        return self.start_sample / SAMPLE_RATE_HZ

    @property
    def end_s(self) -> float:
        return (self.start_sample + len(self.samples)) / SAMPLE_RATE_HZ


@dataclass(frozen=True, slots=True)
class SourceFault:
    """A source stalled, overflowed or ended early; the stream goes on where it can."""

    kind: Literal["stalled", "overflow", "ended"]
    at_sample: int
    detail: str
