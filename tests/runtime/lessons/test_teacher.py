"""Turns that teach: labelled by what follows them, kept with consent alone, gone when they are forgotten."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from runtime import starter
from runtime.answer import TurnRecord
from runtime.bus import Delivery
from runtime.contracts.requests import MemoryRequest
from runtime.contracts.topics import encode
from runtime.desk import Desk
from runtime.lessons.book import Book
from runtime.lessons.lesson import Lesson
from runtime.lessons.teacher import WAITS_S, Teacher
from runtime.mind.conversation import Conversation
from runtime.mind.memory import consent
from runtime.mind.memory.knowledge import Knowledge
from runtime.mind.memory.memory import Memory
from runtime.mind.memory.statements import fact_of, statement_of

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


class Quiet:
    """A pet that a desk asks for nothing but its memory."""

    share_text = lessons = muted = silent = False

    def attend(self) -> None: ...
    def do(self, skill: str) -> None: ...
    def read_aloud(self, text: str) -> None: ...
    def hold(self, why: str) -> None: ...


class School:
    """A typed conversation with a teacher who listens."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.consents, self.now_s, self.day = folder, True, 0.0, NOW
        memory = Memory(folder / "memory")
        consent.write(folder / "memory", consent.Consent(allowed=True, how="command"))
        self.pet = Conversation(starter.load_pack(), memory=memory)
        self.teacher = Teacher(
            folder / "lessons",
            allowed=lambda: self.consents,
            grammar=self.pet.grammar,
            clock=lambda: self.now_s,
            keep=timedelta(days=90),
            wall=lambda: self.day,
        )

    def hears(self, *sentences: str) -> None:
        for sentence in sentences:
            turn = self.pet.whole(self.pet.take(sentence, 1.0))
            self.teacher.take(TurnRecord(1, turn, {}, turn.reply.text))

    def kept(self) -> list[Lesson]:
        self.teacher.close()
        with closing(Book(self.folder / "lessons")) as book:
            return list(book.lessons().values())


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> School:
    return School(tmp_path_factory.mktemp("school"))


@pytest.fixture
def school(shared: School, tmp_path: Path) -> Iterator[School]:
    shared.consents, shared.now_s, shared.day = True, 0.0, NOW
    shared.folder = tmp_path
    shared.teacher.folder = tmp_path / "lessons"
    shared.pet.reset()
    yield shared
    shared.teacher.close(keep=False)


def test_praise_scolding_and_nothing(school: School) -> None:
    school.hears("sit down", "good boy", "lie down", "bad dog", "shake hands", "walk forward")
    told = [(lesson.heard, lesson.intent, lesson.act, lesson.label) for lesson in school.kept()]
    assert [(heard, label) for heard, _, _, label in told] == [
        ("sit down", "praised"),
        ("lie down", "scolded"),
        ("shake hands", ""),
        ("walk forward", ""),
    ]
    assert told[0][1:3] == ("sit", "sit")


def test_a_correction_says_what_was_meant(school: School) -> None:
    school.hears("turn left", "no turn right")
    first = school.kept()[0]
    assert (first.label, first.heard) == ("corrected", "turn left")
    assert first.meant is not None
    assert (first.meant.intent, first.meant.slots) == ("turn", {"direction": "right"})


def test_a_late_remark_is_about_something_else(school: School) -> None:
    school.hears("sit down")
    school.now_s = WAITS_S + 1
    school.hears("good boy")
    assert [lesson.label for lesson in school.kept()] == ["", ""]


def test_without_consent_nothing_is_kept_and_no_file_is_made(school: School) -> None:
    school.hears("sit down")
    school.consents = False
    school.hears("good boy", "lie down")
    school.teacher.close()
    assert not (school.folder / "lessons").exists()


def test_secrets_memories_and_need_are_no_lessons(school: School) -> None:
    school.hears("my pin code is four five six", "remember that my sister is called Anna", "I want to die")
    assert school.kept() == []


def test_what_is_forgotten_is_in_no_lesson(school: School) -> None:
    school.hears("remember that my sister is called Annabel", "what a day with Annabel it was", "sit down")
    school.hears("shake hands", "forget everything about Annabel")
    assert [lesson.heard for lesson in school.kept()] == ["sit down"]
    blobs = b"".join(path.read_bytes() for path in (school.folder / "lessons").iterdir())
    assert b"nnabel" not in blobs


def test_what_a_page_has_forgotten_is_not_kept_by_the_lesson_that_waits(school: School) -> None:
    desk = Desk(
        Quiet(), lambda name, message: None, school.folder / "memory", forgotten=school.teacher.forget
    )
    consent.write(school.folder / "memory", consent.Consent(allowed=True, how="command"))
    statement = statement_of("remember that my sister is called Annabel")
    assert statement is not None
    with closing(Knowledge(school.folder / "memory")) as knowledge:
        knowledge.tell(fact_of(statement), statement.one)
        [entry] = knowledge.entries()
    school.hears("sit down", "what a day with Annabel it was")
    asked = MemoryRequest(id="1", act="forget", number=entry.number)
    desk.take(Delivery("rex", "request/memory", encode(asked), False, 1, False))
    school.hears("shake hands")
    assert [lesson.heard for lesson in school.kept()] == ["sit down", "shake hands"]


def test_old_lessons_go_and_their_rows_cannot_be_opened(school: School) -> None:
    school.hears("sit down")
    assert len(school.kept()) == 1
    before = {path.name for path in (school.folder / "lessons").glob("key-*")}
    school.day = NOW + timedelta(days=91)
    school.hears("lie down")
    assert [lesson.heard for lesson in school.kept()] == ["lie down"]
    assert {path.name for path in (school.folder / "lessons").glob("key-*")}.isdisjoint(before)
