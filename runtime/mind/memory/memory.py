"""A turn of talk that is about what the pet knows of its people: taught, asked, corrected, forgotten.

`hear` answers such a turn and returns None for all others, which are the dialogue's. Nothing is kept, and no
file is made, before the owner allowed it. What is forgotten is named in the answer, so that the talk's own
history can forget it too. One thread at a time.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from runtime.contracts.errors import FactError
from runtime.mind.memory import consent, replies
from runtime.mind.memory.consent import Consent, How
from runtime.mind.memory.entry import Entry
from runtime.mind.memory.facts import OWNER, Fact, Source
from runtime.mind.memory.knowledge import Knowledge
from runtime.mind.memory.people import Speaker
from runtime.mind.memory.questions import question_of
from runtime.mind.memory.secrets import is_secret
from runtime.mind.memory.statements import (
    Statement,
    asks_to_remember,
    fact_of,
    name_shaped,
    shown_name,
    statement_of,
)
from runtime.mind.memory.viewpoint import to_others
from runtime.mind.memory.wishes import Wish, correction_of, wish_of

_log = logging.getLogger(__name__)
_FIRST_TRUE_YEAR = 2026
"""A computer without a battery for its clock starts in 1970"""


@dataclass(frozen=True, slots=True)
class Answer:
    """`intent`: remember, recall, forget or consent, a row of the pack's table of acts."""

    intent: str
    text: str
    why: str
    heard: str | None = None
    """What the turn's record shall show as heard, where the words themselves must not be kept"""
    forgotten: tuple[str, ...] = ()
    """Values that must be nowhere any more"""


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
    clock: Callable[[], float] = time.monotonic
    wall: Callable[[], datetime | None] = wall_clock
    speaker: Speaker = field(default_factory=Speaker)
    _knowledge: Knowledge | None = None
    _last: Entry | None = None
    """What was told or asked last: whom "she" means, what "forget that" means"""
    _pending: tuple[Entry, ...] | None = None
    """To be forgotten if the answer is yes; () for everything"""
    _explained: bool = False
    _turns: int = 0

    def warm(self) -> None:
        """Read and index what there is, so that the first turn need not wait for it."""
        try:
            if self._allowed():
                self._open().entries()
        except FactError as error:
            _log.error("%s", error)

    def hear(
        self, text: str, source: Source = "typed", belief: float = 1.0, *, certain: bool = True
    ) -> Answer | None:
        """The answer to `text` where it is the memory's to give.

        `certain`: typed, or a sentence of the grammar. Of other speech only what asks for it is kept.
        """
        self.speaker.at(self.clock())
        self._turns += 1
        try:
            return self._hear(text, source, belief, certain=certain)
        except FactError as error:
            _log.error("%s", error)
            return Answer("recall", replies.BROKEN, "the memory cannot be used")

    def recall(self, text: str) -> tuple[str, ...]:
        """Facts that have to do with `text`, the fittest first, in the words of whoever speaks."""
        try:
            if not self.max_facts or not self._allowed():
                return ()
            found = self._open().recall(text, self.max_facts)
            return tuple(self._as_told(entry) for entry in found)
        except FactError as error:
            _log.error("%s", error)
            return ()

    def reset(self) -> None:
        """Another conversation: nobody is introduced, nothing was said last."""
        self._last = self._pending = None
        self.speaker.become(OWNER, "")

    def _hear(self, text: str, source: Source, belief: float, *, certain: bool) -> Answer | None:
        wish = wish_of(text)
        pending, self._pending = self._pending, None
        if wish and wish.kind in ("allow", "deny"):
            return self._consent(wish.kind == "allow", "said" if source == "said" else "typed")
        if not self._allowed():
            return self._explain() if asks_to_remember(text) and question_of(text) is None else None
        if pending is not None and wish and wish.kind in ("yes", "no"):
            return self._confirmed(pending) if wish.kind == "yes" else Answer("forget", replies.KEPT, "kept")
        if wish and (answer := self._grant(wish, text)):
            return answer
        if answer := self._correction(text, source, belief):
            return answer
        if answer := self._asked(text):
            return answer
        return self._told(text, source, belief) if certain or asks_to_remember(text) else None

    def _grant(self, wish: Wish, text: str) -> Answer | None:
        knowledge, who = self._open(), self.speaker.person
        if wish.kind == "forget all":
            return self._ask_first(())
        if wish.kind == "forget last" and self._last is not None:
            return self._forget([self._last])
        if wish.kind in ("forget", "forget about"):
            return self._forget_about(wish.topic, text, whole=wish.kind == "forget about")
        if wish.kind == "tell all":
            return self._recalled(knowledge.of(who), f"all that {who or 'the owner'} told")
        if wish.kind == "tell about":
            return self._recalled(knowledge.about(wish.topic, who), "all about a topic")
        if wish.kind == "is" and name_shaped(wish.topic):
            return self._introduced(shown_name(wish.topic))
        return None

    def _consent(self, allowed: bool, how: How) -> Answer:
        before = consent.read(self.folder)
        history = before.history if before else False
        consent.write(self.folder, Consent(allowed=allowed, history=history, how=how, at=self.wall()))
        return Answer("consent", replies.ALLOWED if allowed else replies.DENIED, "the owner's word")

    def _explain(self) -> Answer:
        said = replies.NOT_ALLOWED if self._explained else replies.HOW_TO_ALLOW
        self._explained = True
        return Answer("consent", said, "nothing is kept without consent")

    def _told(self, text: str, source: Source, belief: float) -> Answer | None:
        statement = statement_of(text, self._last.fact.subject if self._last else None)
        if statement is None and not asks_to_remember(text):
            return None
        if is_secret(text):
            return Answer("remember", replies.SECRET, "a secret", heard=replies.HIDDEN)
        if statement is None:
            return Answer("remember", replies.WHAT, "nothing to remember was said")
        if (statement.subject, statement.relation) == ("I", "name"):
            return self._introduced(statement.value)
        return self._keep(statement, source, belief)

    def _keep(self, statement: Statement, source: Source, belief: float) -> Answer:
        told = self._open().tell(self._fact(statement, source, belief), statement.one)
        self._last = told.entry
        if told.outcome == "replaced":
            gone = tuple(fact.value for fact in told.old)
            text = replies.replaced(told.entry.fact)
            return Answer("remember", text, "a new value", forgotten=() if self._open().history else gone)
        said = replies.known if told.outcome == "known" else replies.kept
        return Answer("remember", said(told.entry.fact, self._turns), "a statement")

    def _fact(self, statement: Statement, source: Source, belief: float) -> Fact:
        return fact_of(
            statement,
            person=self.speaker.person,
            source=source,
            confidence=belief,
            told_mono_ms=self.clock() * 1e3,
            told_at=self.wall(),
        )

    def _introduced(self, name: str) -> Answer:
        """ "I am Tom": the owner's name where it is not known, another person where it is another."""
        knowledge, person = self._open(), name.lower()
        owner = knowledge.name_of(OWNER)
        if not owner or owner.lower() == person:
            self.speaker.become(OWNER, name)
        else:
            self.speaker.become(person, name)
        said = Statement("I", "name", name, f"my name is {name}", one=True, asked=True)
        if knowledge.name_of(self.speaker.person).lower() != person:
            self._last = knowledge.tell(self._fact(said, "typed", 1.0), one=True).entry
        return Answer("remember", replies.greeted(name, known=owner != ""), "somebody introduced themselves")

    def _correction(self, text: str, source: Source, belief: float) -> Answer | None:
        right = correction_of(text)
        last = self._last
        if last is None or not (right.begins or right.value):
            return None
        value = right.value or (right.rest if right.begins and name_shaped(right.rest) else None)
        if value is not None and not is_secret(value) and last.fact.value in last.fact.text:
            return self._put_right(last, shown_name(value), belief)
        statement = statement_of(right.rest, last.fact.subject) if right.begins else None
        return None if statement is None or is_secret(text) else self._keep(statement, source, belief)

    def _put_right(self, last: Entry, value: str, belief: float) -> Answer:
        old = last.fact
        text = old.text.replace(old.value, value)
        update = {"value": value, "text": text, "confidence": belief, "told_mono_ms": self.clock() * 1e3}
        fact = Fact.model_validate(old.model_dump() | update | {"told_at": self.wall()})
        self._last = self._open().replace(last, fact)
        gone = () if self._open().history else (old.value,)
        return Answer("remember", replies.replaced(fact), "put right", forgotten=gone)

    def _asked(self, text: str) -> Answer | None:
        question = question_of(text, self.speaker.person)
        if question is None:
            return None
        knowledge = self._open()
        if question.personal and not question.wanted:
            return None
        found = [] if is_secret(text) else knowledge.answer(question)
        if found:
            return self._recalled(found, "a question")
        known = set(knowledge.people()) | {t for entry in knowledge.names() for t in entry.head}
        if question.personal or question.kind in ("place", "time") or question.wanted & known:
            return Answer("recall", replies.unknown(self._turns), "nobody told")
        return None

    def _recalled(self, found: list[Entry], why: str) -> Answer:
        if not found:
            return Answer("recall", replies.unknown(self._turns), "nobody told")
        self._last = found[-1]
        return Answer("recall", replies.told([self._in_view(entry) for entry in found]), why)

    def _forget_about(self, topic: str, text: str, *, whole: bool) -> Answer | None:
        knowledge, who = self._open(), self.speaker.person
        if topic.lower() in ("me", "us", "myself"):
            return self._ask_first(tuple(knowledge.of(who)))
        statement = statement_of(f"remember that {topic}")
        found = [] if whole or statement is None else knowledge.like(statement, who)
        question = question_of(topic, who)
        found = found or (knowledge.answer(question) if question else []) or knowledge.about(topic, who)
        if not found:
            return Answer("forget", replies.NOTHING_TO_FORGET, "nobody told", heard=replies.HIDDEN)
        return self._forget(found)

    def _ask_first(self, entries: tuple[Entry, ...]) -> Answer:
        count = len(entries or self._open().entries())
        if not count:
            return Answer("forget", replies.EMPTY, "nothing is known")
        self._pending = entries
        return Answer("forget", replies.sure(count), "asked once more")

    def _confirmed(self, entries: tuple[Entry, ...]) -> Answer:
        gone = tuple(entries or self._open().entries())
        if entries:
            return self._forget(gone)
        self._open().forget_everything()
        self._last = None
        return Answer("forget", replies.FORGOT_ALL, "everything", forgotten=_words_of(gone))

    def _forget(self, entries: list[Entry] | tuple[Entry, ...]) -> Answer:
        count = self._open().forget(entries)
        self._last = None
        return Answer("forget", replies.forgot(count), "asked to", replies.HIDDEN, _words_of(entries))

    def _in_view(self, entry: Entry) -> str:
        """The entry as the pet says it to whoever speaks."""
        return replies.in_view(entry, self.speaker.person, self._open().name_of(entry.fact.person))

    def _as_told(self, entry: Entry) -> str:
        """In the first person where it is the speaker's own, by name where it is somebody else's."""
        if not entry.mine or entry.fact.person == self.speaker.person:
            return entry.fact.text
        return to_others(entry.fact.text, self._open().name_of(entry.fact.person) or replies.MY_OWNER)

    def _allowed(self) -> bool:
        given = consent.read(self.folder)
        return given.allowed if given else self.enabled

    def _open(self) -> Knowledge:
        given = consent.read(self.folder)
        if self._knowledge is None:
            self._knowledge = Knowledge(self.folder)
        self._knowledge.history = given.history if given else False
        return self._knowledge


def _words_of(entries: tuple[Entry, ...] | list[Entry]) -> tuple[str, ...]:
    return tuple({word for entry in entries for word in (entry.fact.value, entry.fact.text)})
