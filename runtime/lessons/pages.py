"""The lessons as a page shows them: read and forgotten, the newest first, some at a time."""

from contextlib import closing
from pathlib import Path

from runtime.contracts.errors import FactError
from runtime.contracts.reports import LessonRow, LessonsAck
from runtime.contracts.requests import LessonsRequest
from runtime.lessons.book import Book
from runtime.lessons.lesson import Lesson
from runtime.mind.memory import store

PAGE = 20
MOST_LETTERS = 80
"""Of a text in one row; a message holds 16 kB"""


def answer(folder: Path, asked: LessonsRequest, *, share: bool) -> LessonsAck:
    """Do it and tell what there is then, without `share` only how much. FactError where it cannot be done."""
    if not store.exists(folder):
        if asked.act == "forget":
            raise _no_such(asked.number)
        return LessonsAck(id=asked.id, ok=True)
    with closing(Book(folder)) as book:
        if asked.act == "forget" and not book.forget([asked.number]):
            raise _no_such(asked.number)
        lessons = book.lessons()
    skipped = asked.number if asked.act == "list" else 0
    shown = sorted(lessons, reverse=True)[skipped : skipped + PAGE] if share else []
    rows = tuple(_row(number, lessons[number]) for number in shown)
    return LessonsAck(id=asked.id, ok=True, lessons=rows, total=len(lessons))


def _no_such(number: int) -> FactError:
    return FactError(f"there is no lesson {number}; list them again")


def _row(number: int, lesson: Lesson) -> LessonRow:
    return LessonRow(
        number=number,
        heard=_cut(lesson.heard),
        intent=lesson.intent or "",
        label=lesson.label,
        meant=_cut(lesson.meant.text) if lesson.meant else "",
        meant_intent=lesson.meant.intent if lesson.meant else "",
    )


def _cut(text: str) -> str:
    return text if len(text) <= MOST_LETTERS else f"{text[: MOST_LETTERS - 1]}…"
