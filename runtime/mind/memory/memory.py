"""The pet's memory of its people, as a conversation meets it.

`hear` answers a turn that teaches, asks, puts right or forgets, and returns None for all others, which are
the dialogue's; `recall` finds what has to do with other words. Nothing is kept, and no file is made, before
the owner allowed it. What is forgotten is named in the answer, so that the talk's own history can forget it
too. One thread at a time.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from runtime.contracts.errors import FactError
from runtime.mind.memory import consent, replies
from runtime.mind.memory.consent import Consent
from runtime.mind.memory.facts import OWNER, Source
from runtime.mind.memory.forgetting import confirmed, forgotten
from runtime.mind.memory.knowledge import Knowledge
from runtime.mind.memory.questions import question_of
from runtime.mind.memory.recalling import as_told, asked, listed
from runtime.mind.memory.statements import asks_to_remember, statement_of
from runtime.mind.memory.talk import Answer, Heard, Talk
from runtime.mind.memory.teaching import corrected, introduced, told
from runtime.mind.memory.wishes import wish_of
from runtime.mind.memory.wordings import bare

__all__ = ["Answer", "Memory", "wall_clock"]

_log = logging.getLogger(__name__)
_FIRST_TRUE_YEAR = 2026
"""A computer without a battery for its clock starts in 1970"""
_MAX_LETTERS = 500
"""Of one turn; no fact is told in more"""
TURNS = (confirmed, forgotten, listed, introduced, corrected, asked, told)
"""What a turn may be, tried in this order"""


def wall_clock() -> datetime | None:
    """UTC, or None where this computer cannot know the time."""
    now = datetime.now(UTC)
    return now if now.year >= _FIRST_TRUE_YEAR else None


@dataclass(slots=True)
class Memory:
    """The memory in `folder`. `enabled`: consent by settings, where the owner's own word is not on record."""

    folder: Path
    enabled: bool = False
    max_facts: int = 4
    pet: str = ""
    """What the pet is called, which may stand before and after a sentence"""
    clock: Callable[[], float] = time.monotonic
    wall: Callable[[], datetime | None] = wall_clock
    _talk: Talk = field(init=False)
    _explained: bool = False

    def __post_init__(self) -> None:
        self._talk = Talk(self.clock, self.wall)

    def warm(self) -> None:
        """Read and index what there is, so that the first turn need not wait for it."""
        try:
            if self._opened():
                self._talk.knowledge.entries()
        except FactError as error:
            _log.error("%s", error)

    def hear(
        self, text: str, source: Source = "typed", belief: float = 1.0, *, certain: bool = True
    ) -> Answer | None:
        """The answer to `text` where it is the memory's to give.

        `certain`: typed, or a sentence of the grammar. Of other speech only what asks for it is kept.
        """
        said = bare(text[:_MAX_LETTERS], self.pet)
        heard = Heard(said, source, belief, certain, wish_of(said), self._talk.begin())
        try:
            return self._hear(heard)
        except FactError as error:
            _log.error("%s", error)
            return Answer("recall", replies.BROKEN, "the memory cannot be used")

    def recall(self, text: str) -> tuple[str, ...]:
        """Facts that have to do with `text`, the fittest first, in the words of whoever speaks."""
        try:
            if not self.max_facts or not self._opened():
                return ()
            found = self._talk.knowledge.recall(bare(text, self.pet), self.max_facts)
            return tuple(as_told(self._talk, entry) for entry in found)
        except FactError as error:
            _log.error("%s", error)
            return ()

    def reset(self) -> None:
        """Another conversation: nobody is introduced, nothing was said last."""
        self._talk.reset()

    def close(self) -> None:
        """Let go of what is known; it is opened again where it is needed again."""
        if self._talk.is_open:
            self._talk.knowledge.close()
            self._talk.knowledge = None
            self._talk.reset()

    def _hear(self, heard: Heard) -> Answer | None:
        if heard.wish and heard.wish.kind in ("allow", "deny"):
            return self._consent(heard, allowed=heard.wish.kind == "allow")
        if not self._opened():
            return self._explain() if _wants_it_kept(heard) else None
        return next((answer for turn in TURNS if (answer := turn(self._talk, heard))), None)

    def _consent(self, heard: Heard, *, allowed: bool) -> Answer:
        if self._talk.who != OWNER:
            return Answer("consent", replies.ASK_THE_OWNER, "a guest's word")
        before = consent.read(self.folder)
        given = Consent(
            allowed=allowed,
            history=before.history if before else False,
            how="said" if heard.source == "said" else "typed",
            at=self.wall(),
        )
        consent.write(self.folder, given)
        return Answer("consent", replies.ALLOWED if allowed else replies.DENIED, "the owner's word")

    def _explain(self) -> Answer:
        said = replies.NOT_ALLOWED if self._explained else replies.HOW_TO_ALLOW
        self._explained = True
        return Answer("consent", said, "nothing is kept without consent")

    def _opened(self) -> bool:
        """The owner allows it, and what is known is at hand; what may not be told is not held either."""
        given = consent.read(self.folder)
        allowed = given.allowed if given else self.enabled
        if allowed and not self._talk.is_open:
            self._talk.knowledge = Knowledge(self.folder)
        elif not allowed:
            self.close()
        if allowed:
            self._talk.knowledge.history = given.history if given else False
        return allowed


def _wants_it_kept(heard: Heard) -> bool:
    """It says "remember", or is one of the sentences that are spoken to be remembered."""
    if question_of(heard.text) is not None:
        return False
    spoken = heard.source == "said" and heard.certain
    return asks_to_remember(heard.text) or (spoken and statement_of(heard.text) is not None)
