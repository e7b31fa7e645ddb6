"""Wake names: any number of openWakeWord heads on one stream of embeddings.

`step` a block at a time, in order; pure: no clock, no queue. The same samples after `reset()` give the same
hits, however they are cut into blocks. Two backends: `pyopen-wakeword` computes the features, our engine the
heads; `openwakeword` leaves both to that library (an extra; see `runtime.audio.library_wake`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from runtime.audio.embeddings import WakeFeatures
from runtime.audio.heads import HeadSettings, Trigger, WakeHead
from runtime.audio.recent import Recent
from runtime.audio.witness import Witness, Witnesses
from runtime.contracts.audio import SAMPLE_RATE_HZ, AudioBlock
from runtime.contracts.errors import ConfigError

__all__ = ["Backend", "WakeDetector", "WakeFeatures", "WakeHead", "WakeHit"]

Backend = Literal["pyopen-wakeword", "openwakeword"]


@dataclass(frozen=True, slots=True)
class WakeHit:
    """A name was heard; `t_s` is the end of the 80 ms step that fired, in seconds of the stream."""

    name: str
    t_s: float
    score: float


class Scorer(Protocol):
    """A backend: blocks in, a score for each head out, every 80 ms."""

    settings: list[HeadSettings]

    def step(self, block: AudioBlock) -> list[tuple[int, list[float]]]: ...
    def reset(self) -> None: ...


class HeadScorer:
    """The default backend."""

    def __init__(self, heads: Sequence[Path], features: WakeFeatures, anybody: bool = False) -> None:
        self._heads = [WakeHead(path, anybody) for path in heads]
        self._features = features
        self.settings = [head.settings for head in self._heads]
        self.reset()

    def step(self, block: AudioBlock) -> list[tuple[int, list[float]]]:
        """(end sample, score of each head) for every step this block completes."""
        steps = self._features.hear(block)
        return [(end, [head.step(embedding) for head in self._heads]) for end, embedding in steps]

    def reset(self) -> None:
        self._features.reset()
        for head in self._heads:
            head.reset(self._features.silence)


class WakeDetector:
    """Hears its names. `features` and `recent` may be shared with a stop detector; `networks` is for
    `openwakeword` only; `anybody`: owners' verifiers are left out; `witnesses`: asked where a head is unsure.

    Raises PackError for a file that is no head, ConfigError for two heads of one name.
    """

    def __init__(
        self,
        heads: Sequence[Path],
        backend: Backend = "pyopen-wakeword",
        features: WakeFeatures | None = None,
        networks: Path | None = None,
        anybody: bool = False,
        witnesses: Witnesses | None = None,
        recent: Recent | None = None,
    ) -> None:
        self._scorer: Scorer
        if backend == "openwakeword":
            from runtime.audio.library_wake import LibraryScorer

            self._scorer = LibraryScorer(heads, networks, anybody)
        else:
            self._scorer = HeadScorer(heads, features or WakeFeatures(), anybody)
        self.names = [settings.name for settings in self._scorer.settings]
        if len(set(self.names)) < len(self.names):
            raise ConfigError(f"two wake heads have one name ({self.names}); give each name once")
        self._triggers = [Trigger(settings) for settings in self._scorer.settings]
        self._recent = recent or Recent()
        self._witnesses = [
            Witness(witnesses(name) if witnesses else None, self._recent) for name in self.names
        ]

    def step(self, block: AudioBlock, *, alone: bool = False) -> list[WakeHit]:
        """The names that ended in the steps this block completes; `alone`: no witness is asked."""
        self._recent.hear(block)
        hits = []
        for end, scores in self._scorer.step(block):
            for name, trigger, witness, score in zip(
                self.names, self._triggers, self._witnesses, scores, strict=True
            ):
                sure = trigger.step(end, score)
                if not sure and not alone and trigger.rested(end) and witness.says(end, score):
                    trigger.witnessed(end)
                    sure = True
                if sure:
                    hits.append(WakeHit(name, end / SAMPLE_RATE_HZ, score))
        return hits

    def reset(self) -> None:
        """Forget the stream, as if silence had come before."""
        self._scorer.reset()
        self._recent.reset()
        for trigger, witness in zip(self._triggers, self._witnesses, strict=True):
            trigger.reset()
            witness.reset()
