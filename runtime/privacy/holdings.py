"""What lies in a robot's data folder: facts, lessons, events, life, consents; found, counted, read."""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runtime.contracts.config import RobotConfig
from runtime.contracts.errors import FactError
from runtime.contracts.requests import Erasable
from runtime.data_folder import data_folder
from runtime.lessons.book import FOLDER as LESSONS
from runtime.lessons.book import Book
from runtime.lessons.lesson import Lesson
from runtime.life.kept import place
from runtime.mind.memory import consent, proof, store
from runtime.mind.memory.facts import Fact
from runtime.mind.memory.place import folder_of
from runtime.mind.memory.store import Store
from runtime.privacy.switches import FILE, Switches
from runtime.soul.place import PERSONA

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Holdings:
    """The data of one robot. Looking makes no file."""

    folder: Path
    memory: Path
    life: Path

    @classmethod
    def of(cls, config: RobotConfig) -> "Holdings":
        robot = config.robot_id
        return cls(data_folder(robot), folder_of(config), config.life.path or place(robot))

    @property
    def places(self) -> list[Path]:
        """The folders that are there, none of them within another."""
        found = [self.folder] + ([] if self.memory.is_relative_to(self.folder) else [self.memory])
        return [place for place in found if place.is_dir()]

    @property
    def lessons(self) -> Path:
        return self.folder / LESSONS

    @property
    def persona(self) -> Path:
        """The card of a soul that was brought here; it tells of its people too."""
        return self.folder / PERSONA

    @property
    def switches(self) -> Switches:
        return Switches(self.folder)

    @property
    def journals(self) -> list[Path]:
        return sorted(self.folder.glob("events-*.sqlite"))

    @property
    def consent_files(self) -> list[Path]:
        found = (self.folder / FILE, self.memory / consent.FILE)
        return [path for path in found if path.exists()]

    def facts(self) -> list[Fact]:
        """FactError where they cannot be read."""
        if not store.exists(self.memory):
            return []
        with closing(Store(self.memory, read_only=True)) as rows:
            return list(rows.facts().values())

    def book(self) -> dict[int, Lesson]:
        """The lessons by number; FactError where they cannot be read."""
        if not store.exists(self.lessons):
            return {}
        with closing(Book(self.lessons)) as book:
            return book.lessons()

    def events(self, journal: Path) -> Iterator[Row]:
        """Rows of one journal, the oldest first; FactError where it is damaged."""
        with _readable(journal), closing(sqlite3.connect(journal)) as db:
            for seq, name, payload in db.execute("SELECT seq, name, payload FROM events ORDER BY seq"):
                yield {"seq": seq, "topic": name, "payload": json.loads(payload)}

    def counts(self) -> dict[Erasable, int]:
        """Name of a class -> how much of it there is."""
        return {
            "memory": len(self.facts()),
            "lessons": len(self.book()),
            "events": sum(_rows_in(journal) for journal in self.journals),
            "persona": int(self.persona.exists()),
            "life": int(self.life.exists()),
            "consents": len(self.switches.changes()) + int((self.memory / consent.FILE).exists()),
        }


def _rows_in(journal: Path) -> int:
    with _readable(journal), closing(sqlite3.connect(journal)) as db:
        return int(db.execute("SELECT count(*) FROM events").fetchone()[0])


@contextmanager
def _readable(journal: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.DatabaseError, ValueError) as error:
        raise FactError(f"{journal} is damaged ({error}); `everpaw privacy erase` removes it") from error


def sentences(lessons: Iterable[Lesson]) -> set[bytes]:
    """What may be searched for: one short word ("sit") is in every file of settings; a secret is longer."""
    texts = {text for lesson in lessons for text in lesson.texts}
    return {text.encode() for text in texts if len(text) >= proof.LEAST_SENTENCE}
