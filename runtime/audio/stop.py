"""The stop word: heard at any time, with or without the pet's name, waiting for no endpoint or grammar.

Two witnesses listen. The head, on the wake names' embeddings, scores every 80 ms. The recogniser's ears look
while there is a voice, and say how much they doubt that the word is among the sounds of the last 0.8 s
(`runtime.speech.spotter`). They decide together, by what an error costs: a halt too many is a moment's pause,
a "stop!" missed may be a fall from a table. So while the pet moves or speaks a look every 40 ms and a fair
suspicion are enough; at rest, where nothing is to be stopped and an order may be under way that wants the
processor, they look every 160 ms and it takes more. Without a spotter the head decides alone.

Where the time goes on the move, from the acoustic end of the word to the setpoints held (usual, worst ms):

    the word is clear to the ears      -100 .. 0   its "p" is known by its closure, before it bursts
    next look                            20 .. 40  Care.look_s
    block, network, search                8 .. 30  of 20 ms blocks; one look is 6 to 15 ms on one core
    halt to broker, bridge, board, ack    2 .. 15

`step` a block at a time, in order; pure: no clock, no queue.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from runtime.audio.heads import HeadSettings, Trigger
from runtime.audio.wake import HeadScorer, WakeFeatures
from runtime.contracts.audio import SAMPLE_RATE_HZ, AudioBlock, Samples
from runtime.speech.spotter import NEVER, WINDOW_S, Spotter

_WINDOW = round(WINDOW_S * SAMPLE_RATE_HZ)
_SCORE_STEPS = 3
"""A head's score counts for so many steps of 80 ms: the two witnesses need not speak in one moment"""
_HEAD_WEIGHT = 1.5
"""Nats of doubt a nat of the head's log-odds is worth"""
_HEAD_LEAST, _HEAD_MOST = -2.0, 3.0
"""Log-odds; a head that is sure alone neither makes nor breaks it"""
_ALONE = HeadSettings("stop", refractory_s=0.8)


@dataclass(frozen=True, slots=True)
class StopHit:
    """ "Stop" was heard; `t_s` is the end of what had been heard by then, in seconds of the stream."""

    t_s: float
    score: float
    """0..1, both witnesses' certainty"""


@dataclass(frozen=True, slots=True)
class Care:
    """How closely they listen: the word is heard where both witnesses together doubt no more than this."""

    once: float
    """Nats, at one look"""
    twice: float
    """Nats, at two looks in a row"""
    look_s: float
    """From one look to the next"""


AT_REST = Care(once=3.0, twice=5.0, look_s=0.16)
ON_THE_MOVE = Care(once=6.0, twice=8.0, look_s=0.04)


class StopDetector:
    """No heads and no spotter, no hits."""

    def __init__(
        self,
        heads: Sequence[Path],
        features: WakeFeatures | None = None,
        spotter: Spotter | None = None,
    ) -> None:
        self._scorer = HeadScorer(heads, features or WakeFeatures(), anybody=True)
        self._spotter = spotter
        settings = self._scorer.settings or [_ALONE]
        self._triggers = [Trigger(one) for one in self._scorer.settings]
        self._refractory = round(max(one.refractory_s for one in settings) * SAMPLE_RATE_HZ)
        self._recent: Samples = np.zeros(_WINDOW, np.int16)
        self._unseen = 0
        """Of these, how many came after the last look"""
        self._doubt = NEVER
        self._scores = [0.0]
        self._last = -self._refractory
        self.reset()

    def step(self, block: AudioBlock, *, voiced: bool = True, on_the_move: bool = False) -> list[StopHit]:
        """`voiced`: of late there was a voice that is not the pet's; only then the spotter looks.

        `on_the_move`: the pet moves or speaks, so there is something to stop.
        """
        steps = self._scorer.step(block)
        if self._spotter is None:
            return self._alone(steps)
        self._scores = [*self._scores, *(max(scores, default=0.0) for _, scores in steps)][-_SCORE_STEPS:]
        self._recent = np.concatenate([self._recent, block.samples])[-_WINDOW:]
        self._unseen += len(block.samples)
        care = ON_THE_MOVE if on_the_move else AT_REST
        if self._unseen < care.look_s * SAMPLE_RATE_HZ:
            return []
        self._unseen = 0
        before, self._doubt = self._doubt, self._together(self._recent) if voiced else NEVER
        end = block.start_sample + len(block.samples)
        heard = self._doubt <= care.once or max(before, self._doubt) <= care.twice
        if not heard or end - self._last < self._refractory:
            return []
        self._last = end
        return [StopHit(end / SAMPLE_RATE_HZ, math.exp(-max(0.0, self._doubt)))]

    def reset(self) -> None:
        """Forget the stream, as if silence had come before."""
        self._scorer.reset()
        for trigger in self._triggers:
            trigger.reset()
        self._recent = np.zeros(_WINDOW, np.int16)
        self._unseen = 0
        self._doubt = NEVER
        self._scores = [0.0]
        self._last = -self._refractory

    def _together(self, recent: Samples) -> float:
        """The spotter's doubt, and what the head says for or against it."""
        doubt = self._spotter.doubt(recent) if self._spotter else NEVER
        if not self._triggers:
            return doubt
        odds = math.log(max(self._scores) + 1e-6) - math.log1p(1e-6 - max(self._scores))
        return doubt - _HEAD_WEIGHT * min(_HEAD_MOST, max(_HEAD_LEAST, odds))

    def _alone(self, steps: list[tuple[int, list[float]]]) -> list[StopHit]:
        hits = []
        for end, scores in steps:
            for trigger, score in zip(self._triggers, scores, strict=True):
                if trigger.step(end, score):
                    hits.append(StopHit(end / SAMPLE_RATE_HZ, score))
        return hits
