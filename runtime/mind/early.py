"""When the words so far are enough: to act before the silence is over, and to end the utterance sooner.

A pure stage. An utterance that grows is looked at every few dozen milliseconds; `Patience.step` takes one
look and says whether to act at once and after how much silence the utterance is over. Only what is harmless
to begin and easy to take back is begun early: postures and sounds, by what the pack's table says of an act.
Locomotion waits for the end. A negation, or a last word that asks for more, blocks it all. Times are seconds.
"""

from dataclasses import dataclass, replace
from typing import Literal

from runtime.contracts.config import EarlySettings
from runtime.mind.acts import Act
from runtime.mind.behaviour import NEGATIONS, Understanding
from runtime.mind.correction import CORRECTIONS
from runtime.mind.wording import words_of

ASK_FOR_MORE = frozenset({"and", "then", "don't", "dont", "but", "or", "if", "when", "not", "never"})
"""A sentence that ends so is not over"""
EARLY_NATURES = frozenset({"posture", "sound"})
_LEAST_WORDS = 2
"""Fewer words of no command are a cough or a name, and get no reaction"""

Commit = Literal["command", "reaction"]


@dataclass(frozen=True, slots=True)
class Plan:
    """What the body and the pet's own voice would do: all that an early commit can begin."""

    act: Act | None = None
    sound: str | None = None

    @property
    def early(self) -> bool:
        """Harmless to begin before the sentence is over."""
        return self.act is not None and (self.act.kind == "halt" or self.act.nature in EARLY_NATURES)

    @property
    def sound_is_the_point(self) -> bool:
        """The pet's own sound is what was asked for, and no mere company to words and movement."""
        return self.sound is not None and self.act is not None and self.act.nature == "sound"


@dataclass(frozen=True, slots=True)
class Look:
    """An utterance so far, as far as it is understood."""

    text: str | None
    understanding: Understanding
    plan: Plan
    in_grammar: bool
    """The words are a whole sentence of the grammar"""
    closed: bool
    """No words that could follow in the grammar would change the plan"""
    unexplained_steps: int
    """Steps of sound that the words do not account for"""
    silence_s: float
    """Since the last voiced moment"""


@dataclass(frozen=True, slots=True)
class Verdict:
    commit: Commit | None
    endpoint_s: float | None
    """Silence that ends the utterance; None: what is set for all"""
    why: str


class Patience:
    """Follows one utterance; `reset` before another."""

    def __init__(self, settings: EarlySettings | None = None) -> None:
        self._settings = settings or EarlySettings()
        self._stable: tuple[Plan, str | None] | None = None
        self._looks = 0
        self._endpoint_s: float | None = None

    def reset(self) -> None:
        self._stable, self._looks, self._endpoint_s = None, 0, None

    def step(self, look: Look, silent_s: float = 0.0) -> Verdict:
        """What to do about the utterance as it is.

        `silent_s`: the silence known by now. It goes on while the words are read; a first glance waits for no
        second reading of the same words, a command does. Doubts that come up in silence lengthen nothing:
        they are the room's noise, no further words.
        """
        verdict = self._judge(look, silent_s)
        if verdict.endpoint_s is None and look.silence_s > 0:
            verdict = replace(verdict, endpoint_s=self._endpoint_s)
        self._endpoint_s = verdict.endpoint_s
        return verdict

    def _judge(self, look: Look, silent_s: float) -> Verdict:
        settings = self._settings
        words = words_of(look.text or "")
        if words and words[-1] in (ASK_FOR_MORE if look.in_grammar else ASK_FOR_MORE | CORRECTIONS):
            self._stable, self._looks = None, 0
            return Verdict(None, settings.unfinished_silence_s, f"{words[-1]!r} asks for more")
        self._count(look)
        if look.unexplained_steps > settings.unexplained_steps:
            return Verdict(None, None, f"{look.unexplained_steps} steps of sound are not accounted for")
        if not look.in_grammar:
            return self._free(look, words, max(look.silence_s, silent_s))
        if look.understanding.confidence < settings.confidence or self._looks < settings.looks:
            steady = look.understanding.intent is not None and self._looks >= settings.likely_looks
            return Verdict(None, settings.likely_silence_s if steady else None, "not sure yet")
        endpoint_s = settings.complete_silence_s if look.closed else settings.open_silence_s
        if NEGATIONS.intersection(words):
            return Verdict(None, endpoint_s, "negated")
        if not look.plan.early:
            return Verdict(None, endpoint_s, "not of a nature that begins early")
        return Verdict("command" if self._is_time(look) else None, endpoint_s, "a whole command")

    def _count(self, look: Look) -> None:
        meaning = (look.plan, look.understanding.intent)
        self._looks = self._looks + 1 if meaning == self._stable else 1
        self._stable = meaning

    def _is_time(self, look: Look) -> bool:
        settings = self._settings
        held = look.plan.act is not None and look.plan.act.kind == "halt"
        return look.silence_s >= (settings.pause_s if look.closed or held else settings.open_pause_s)

    def _free(self, look: Look, words: list[str], silent_s: float) -> Verdict:
        """Words of no command: a glance that says "I heard you", where the table gives one."""
        settings = self._settings
        if len(words) < _LEAST_WORDS or not look.plan.early:
            return Verdict(None, None, "no command")
        unknown = look.understanding.intent is None
        pause_s = settings.reaction_pause_s if unknown else settings.open_pause_s
        if NEGATIONS.intersection(words) and not unknown:
            return Verdict(None, None, "negated")
        ready = silent_s >= pause_s and self._looks >= settings.looks
        return Verdict("reaction" if ready else None, None, "words of no command")


def is_closed(plan: Plan, futures: tuple[Plan, ...] | None) -> bool:
    """`futures`: the plans of everything the words may become; None: more than could be counted."""
    return futures is not None and all(future == plan for future in futures)
