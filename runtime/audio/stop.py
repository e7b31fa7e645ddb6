"""The stop word: heard at any time, with or without the pet's name, waiting for no endpoint or recogniser.

The same machinery as the wake names, on the same embeddings, with a shorter look back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from runtime.audio.wake import WakeDetector, WakeFeatures
from runtime.contracts.audio import AudioBlock


@dataclass(frozen=True, slots=True)
class StopHit:
    """ "Stop" was heard; `t_s` is the end of the 80 ms step that fired, in seconds of the stream."""

    t_s: float
    score: float


class StopDetector:
    """`step` a block at a time, in order; no heads, no hits."""

    def __init__(self, heads: Sequence[Path], features: WakeFeatures | None = None) -> None:
        self._words = WakeDetector(heads, features=features)

    def step(self, block: AudioBlock) -> list[StopHit]:
        return [StopHit(hit.t_s, hit.score) for hit in self._words.step(block)]

    def reset(self) -> None:
        """Forget the stream, as if silence had come before."""
        self._words.reset()
