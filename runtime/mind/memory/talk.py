"""Where a talk about what is known stands: who speaks, what was spoken of last, what waits for a yes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from runtime.mind.memory.entry import Entry
from runtime.mind.memory.facts import OWNER, Source
from runtime.mind.memory.knowledge import Knowledge
from runtime.mind.memory.people import Speaker
from runtime.mind.memory.wishes import Wish

AT_HAND_TURNS = 2
"""So many turns "she" and "forget that" reach back"""


@dataclass(frozen=True, slots=True)
class Answer:
    """`intent`: remember, recall, forget or consent, a row of the pack's table of acts."""

    intent: str
    text: str
    why: str
    heard: str | None = None
    """What the turn's record shall show as heard, where the words themselves must not be kept"""
    forgotten: tuple[str, ...] = ()
    """Texts that must be nowhere any more"""


@dataclass(frozen=True, slots=True)
class Heard:
    """One turn's words."""

    text: str
    source: Source
    belief: float
    certain: bool
    """Typed, or a sentence of the grammar"""
    wish: Wish | None
    awaited: tuple[Entry, ...] | None
    """What the turn before asked about, to be forgotten on a yes; None where nothing was asked"""


@dataclass(slots=True)
class Talk:
    """`clock`: seconds that never go back; `wall`: the time, where it can be trusted."""

    clock: Callable[[], float]
    wall: Callable[[], datetime | None]
    speaker: Speaker = field(default_factory=Speaker)
    turns: int = 0
    awaited: tuple[Entry, ...] | None = None
    _last: Entry | None = None
    _last_turn: int = 0
    _knowledge: Knowledge | None = None

    def begin(self) -> tuple[Entry, ...] | None:
        """Another turn; what the one before asked about."""
        self.speaker.at(self.clock())
        self.turns += 1
        awaited, self.awaited = self.awaited, None
        return awaited

    def reset(self) -> None:
        """Another conversation: nobody is introduced, nothing was said last."""
        self._last = self.awaited = None
        self.speaker.become(OWNER, "")

    @property
    def who(self) -> str:
        return self.speaker.person

    @property
    def knowledge(self) -> Knowledge:
        """What is known; opened before anything asks for it."""
        assert self._knowledge is not None
        return self._knowledge

    @knowledge.setter
    def knowledge(self, known: Knowledge | None) -> None:
        self._knowledge = known

    @property
    def is_open(self) -> bool:
        return self._knowledge is not None

    @property
    def at_hand(self) -> Entry | None:
        """What was spoken of in one of the last turns; older things are not meant by "she" or "no"."""
        return self._last if self.turns - self._last_turn <= AT_HAND_TURNS else None

    def speak_of(self, entry: Entry | None) -> None:
        self._last, self._last_turn = entry, self.turns


def texts_of(entries: Sequence[Entry]) -> tuple[str, ...]:
    """What must be nowhere once they are forgotten."""
    return tuple({text for entry in entries for text in (entry.fact.value, entry.fact.text)})
