"""The stop word: heard at any time, with or without the pet's name, waiting for no endpoint or grammar.

Two witnesses listen. The head, on the wake names' embeddings, scores every 80 ms. The recogniser's ears look
while there is a voice, and say how much they doubt that the word is among the sounds of the last 0.8 s
(`runtime.speech.spotter`). They decide together, by what an error costs: a halt too many is a moment's pause,
a "stop!" missed may be a fall from a table. So while the pet moves or speaks a look every 40 ms and a fair
suspicion are enough; at rest, where nothing is to be stopped and an order may be under way that wants the
processor, they look every 160 ms and it takes more. Where the head rules the word out the ears need not look.
On the move they also look where nobody noticed a voice, but noise could hide one (`runtime.audio.hiss`): in a
quiet place a voice is noticed, and what the head takes for the word is an animal's call more often than not.
Without a spotter the head decides alone.

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

from runtime.audio.heads import HeadSettings, Trigger
from runtime.audio.hiss import over_noise_db
from runtime.audio.recent import Recent
from runtime.audio.wake import HeadScorer, WakeFeatures
from runtime.contracts.audio import SAMPLE_RATE_HZ, AudioBlock
from runtime.speech.spotter import NEVER, WINDOW_S, Spotter

_WINDOW = round(WINDOW_S * SAMPLE_RATE_HZ)
_SCORE_STEPS = 3
"""A head's score counts for so many steps of 80 ms: the two witnesses need not speak in one moment"""
_HEAD_MOST = 3.0
"""Log-odds; a head that is sure alone does not make it"""
_HIDING_DB = 30.0
"""Where nothing stands further over the noise, a voice may be there that nobody noticed"""
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
    weight: float = 1.5
    """Nats of doubt that a nat of the head's log-odds is worth"""
    against: float = 3.0
    """Nats, the most that the head may add to the doubt; where more than `twice`, it may rule the word out"""

    less_blank: float = 0.0
    """Nats by which the ears take no sound for less likely: in noise the "s" is easily taken for none"""


AT_REST = Care(once=3.0, twice=5.0, look_s=0.16)
ON_THE_MOVE = Care(once=5.0, twice=7.0, look_s=0.04, weight=3.0, against=9.0, less_blank=2.0)
SPEAKING = Care(once=6.0, twice=8.0, look_s=0.04)
"""What is left of its own voice is no noise like that of motors, and spoils the head's hearing"""


def care_for(*, speaking: bool, moving: bool) -> Care:
    return SPEAKING if speaking else ON_THE_MOVE if moving else AT_REST


class StopDetector:
    """No heads and no spotter, no hits. `features` and `recent` may be shared with a wake detector."""

    def __init__(
        self,
        heads: Sequence[Path],
        features: WakeFeatures | None = None,
        spotter: Spotter | None = None,
        recent: Recent | None = None,
    ) -> None:
        self._scorer = HeadScorer(heads, features or WakeFeatures(), anybody=True)
        self._spotter = spotter
        settings = self._scorer.settings or [_ALONE]
        self._triggers = [Trigger(one) for one in self._scorer.settings]
        self._refractory = round(max(one.refractory_s for one in settings) * SAMPLE_RATE_HZ)
        self._recent = recent or Recent()
        self._unseen = 0
        """Samples since the last look"""
        self._doubt = NEVER
        self._scores = [0.0]
        self._last = -self._refractory
        self.reset()

    def step(self, block: AudioBlock, *, voiced: bool = True, care: Care = AT_REST) -> list[StopHit]:
        """`voiced`: of late there was a voice that is not the pet's. Only then the spotter looks, unless the
        head may rule the word out and there is noise enough to hide a voice.

        `care`: for what the pet does meanwhile.
        """
        steps = self._scorer.step(block)
        if self._spotter is None:
            return self._alone(steps)
        self._scores = [*self._scores, *(max(scores, default=0.0) for _, scores in steps)][-_SCORE_STEPS:]
        self._recent.hear(block)
        self._unseen += len(block.samples)
        if self._unseen < care.look_s * SAMPLE_RATE_HZ:
            return []
        self._unseen = 0
        before, self._doubt = self._doubt, self._together(care, voiced)
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
        self._recent.reset()
        self._unseen = 0
        self._doubt = NEVER
        self._scores = [0.0]
        self._last = -self._refractory

    def _together(self, care: Care, voiced: bool) -> float:
        """The spotter's doubt, and what the head says for or against it."""
        against = self._against(care)
        if self._spotter is None or against > care.twice:
            return NEVER
        sound = self._recent.last(_WINDOW)
        if not voiced and not (self._may_rule_out(care) and over_noise_db(sound) < _HIDING_DB):
            return NEVER
        return self._spotter.doubt(sound, care.less_blank) + against

    def _may_rule_out(self, care: Care) -> bool:
        return bool(self._triggers) and care.against > care.twice

    def _against(self, care: Care) -> float:
        """Nats of doubt by the head; less than none where it speaks for the word."""
        if not self._triggers:
            return 0.0
        odds = math.log(max(self._scores) + 1e-6) - math.log1p(1e-6 - max(self._scores))
        return min(care.against, -care.weight * min(_HEAD_MOST, odds))

    def _alone(self, steps: list[tuple[int, list[float]]]) -> list[StopHit]:
        hits = []
        for end, scores in steps:
            for trigger, score in zip(self._triggers, scores, strict=True):
                if trigger.step(end, score):
                    hits.append(StopHit(end / SAMPLE_RATE_HZ, score))
        return hits
