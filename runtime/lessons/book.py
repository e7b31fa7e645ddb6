"""The lessons of one robot on disk: sealed rows, of which old ones and forgotten ones are really gone."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

from runtime.lessons.lesson import Lesson
from runtime.mind.memory import store
from runtime.mind.memory.store import SealedRows

FOLDER = "lessons"
MAX_LESSONS = 20_000
ROOM = 1_000
"""So many of the oldest go where the book is full, because taking rows away seals the others anew"""


class Book:
    """The lessons in `folder`, made where it is missing; FactError where it cannot be used."""

    def __init__(self, folder: Path) -> None:
        self._rows = SealedRows(folder, Lesson)

    def close(self) -> None:
        self._rows.close()

    def lessons(self) -> dict[int, Lesson]:
        """By number, the oldest first."""
        return dict(self._rows.rows())

    def add(self, lessons: Sequence[Lesson]) -> None:
        """Keep them; where the book is full the oldest go."""
        numbers = sorted(self._rows.rows())
        full = len(numbers) + len(lessons) > MAX_LESSONS
        self._rows.change(lessons, numbers[: ROOM + len(lessons)] if full else ())

    def forget(self, numbers: Iterable[int]) -> int:
        """Take them away for good; how many there were."""
        gone = [number for number in numbers if number in self._rows.rows()]
        if gone:
            self._rows.change(removing=gone)
        return len(gone)

    def forget_where(self, holds: Callable[[Lesson], bool]) -> int:
        """Those of which `holds` is true."""
        return self.forget([number for number, lesson in self.lessons().items() if holds(lesson)])

    def expire(self, keep: timedelta, now: datetime) -> int:
        """Take away what is older than `keep`; what has no date stays."""
        return self.forget_where(lambda lesson: lesson.at is not None and now - lesson.at > keep)

    def rotate(self) -> None:
        """Seal everything anew under a new key."""
        self._rows.rotate()


def forget_texts(folder: Path, texts: Iterable[str]) -> int:
    """Take away every lesson that holds one of `texts`; nothing is made where there is no book."""
    needles = [text.lower() for text in texts if text.strip()]
    if not needles or not store.exists(folder):
        return 0
    with closing(Book(folder)) as book:
        return book.forget_where(lambda lesson: _holds(lesson, needles))


def _holds(lesson: Lesson, needles: Sequence[str]) -> bool:
    said = " ".join(lesson.texts).lower()
    return any(needle in said for needle in needles)
