"""Listens to turns and makes lessons of them, while the owner consents.

A turn waits for the one after it: praise, a scolding or a correction is its label. What was told to be
remembered, secrets, and words of need are no lessons. The newest lesson waits in memory only, until it is
known how it was taken. Safe from any thread: turns end on one, a page's forgetting comes on another.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from runtime.answer import TurnRecord
from runtime.contracts.errors import FactError
from runtime.lessons.book import Book, forget_texts
from runtime.lessons.lesson import MAX_LETTERS, Label, Lesson, Meaning
from runtime.mind.conversation import MEMORY_INTENTS, Turn
from runtime.mind.correction import CORRECTIONS, corrected
from runtime.mind.grammar import Grammar, normalise
from runtime.mind.memory.memory import wall_clock
from runtime.mind.memory.secrets import is_secret
from runtime.mind.safety import CRISIS, UNSAFE

_log = logging.getLogger(__name__)
LABELS: dict[str, Label] = {"praise": "praised", "scold": "scolded"}
"""Intent of the turn after -> label"""
NO_LESSONS = MEMORY_INTENTS | {CRISIS, UNSAFE}
WAITS_S = 30.0
"""A remark later than this is about something else"""
_BEGINS = (*((word,) for word in CORRECTIONS), ("i", "said"), ("i", "meant"), ("i", "mean"))


@dataclass(slots=True)
class Teacher:
    """`allowed`: does the owner consent at this moment? `clock`: seconds that never go back."""

    folder: Path
    allowed: Callable[[], bool]
    grammar: Grammar
    clock: Callable[[], float]
    keep: timedelta
    wall: Callable[[], datetime | None] = wall_clock
    _waiting: Lesson | None = None
    _since_s: float = 0.0
    _book: Book | None = field(default=None)
    _one: threading.RLock = field(default_factory=threading.RLock)

    def take(self, record: TurnRecord) -> None:
        """One finished turn."""
        with self._one:
            try:
                if record.turn.forgotten:
                    self.forget(record.turn.forgotten)
                if not self.allowed():
                    self.close(keep=False)
                    return
                self._learn(record)
            except FactError as error:
                _log.error("no lesson was kept: %s", error)

    def forget(self, texts: Sequence[str]) -> None:
        """What people had forgotten is in no lesson either."""
        with self._one:
            self._waiting = None
            forget_texts(self.folder, texts)

    def close(self, *, keep: bool = True) -> None:
        """Keep what still waits (or drop it), and let go of the book."""
        with self._one:
            if keep and self._waiting is not None:
                self._write(self._waiting)
            self._waiting = None
            if self._book is not None:
                self._book.close()
                self._book = None

    def _learn(self, record: TurnRecord) -> None:
        turn = record.turn
        waiting, late = self._waiting, self.clock() - self._since_s > WAITS_S
        label = "" if late else LABELS.get(turn.understanding.intent or "", "")
        meant = None if late or waiting is None else self._meaning(waiting.heard, turn.heard or "")
        if waiting is not None:
            self._write(_labelled(waiting, label, meant))
        remark = waiting is not None and not late and (label or meant)
        self._waiting = None if remark and not meant else self._lesson(record)
        self._since_s = self.clock()

    def _meaning(self, before: str, said: str) -> Meaning | None:
        """What `said` puts right of the words before; None where it corrects nothing."""
        words = normalise(said).split()
        if not any(tuple(words[: len(mark)]) == mark for mark in _BEGINS):
            return None
        parse = corrected([*normalise(before).split(), *words], self.grammar)
        return None if parse is None else Meaning(text=said, intent=parse.intent, slots=parse.slots)

    def _lesson(self, record: TurnRecord) -> Lesson | None:
        turn = record.turn
        if not _teaches(turn, record.said):
            return None
        found = turn.understanding
        return Lesson(
            at=self.wall(),
            heard=turn.heard or "",
            clear=turn.clear,
            belief=turn.belief,
            intent=found.intent,
            confidence=found.confidence or 0.0,
            slots=found.slots,
            act=turn.act.name if turn.act else None,
            reply=record.said[:MAX_LETTERS],
            by=turn.reply.by,
            mood=turn.mood,
        )

    def _write(self, lesson: Lesson) -> None:
        if self._book is None:
            self._book = Book(self.folder)
            now = self.wall()
            if now is not None:
                self._book.expire(self.keep, now)
        self._book.add([lesson])


def _labelled(lesson: Lesson, label: Label, meant: Meaning | None) -> Lesson:
    if meant is not None:
        return lesson.model_copy(update={"label": "corrected", "meant": meant})
    return lesson.model_copy(update={"label": label})


def _teaches(turn: Turn, said: str) -> bool:
    """Words that may be kept."""
    if not turn.heard or len(turn.heard) > MAX_LETTERS or turn.understanding.intent in NO_LESSONS:
        return False
    return not is_secret(turn.heard) and not is_secret(said)
