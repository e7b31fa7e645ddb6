"""Everything a robot holds of people as plain files, to be read, carried and put back.

    facts.json        what it knows of its people          lessons.jsonl    turns and how they were taken
    events-*.jsonl    the journals of events               life.json        drives and mood
    consents.json     who switched what, and when          memory-consent.json, persona.toml
    manifest.json     sha256 of each, written last: it is whole where this stands

The folder is readable by whoever has it: keep it safe. With `lessons only` it is what a recipe learns from.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Collection
from contextlib import closing
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from runtime import __version__, whole
from runtime.contracts.errors import FactError
from runtime.contracts.pack import Sha256, file_sha256
from runtime.lessons.book import Book
from runtime.lessons.lesson import Lesson
from runtime.mind.memory import consent
from runtime.mind.memory.facts import Fact
from runtime.mind.memory.store import Store
from runtime.privacy.holdings import Holdings
from runtime.privacy.switches import FILE
from runtime.soul.place import PERSONA

MANIFEST, FACTS, LESSONS, LIFE = "manifest.json", "facts.json", "lessons.jsonl", "life.json"
MEMORY_CONSENT = "memory-consent.json"
MAX_FILE_BYTES = 100_000_000
_CLASS_OF = {LIFE: "life", PERSONA: "persona", FILE: "consents", MEMORY_CONSENT: "consents"}
_FACTS = TypeAdapter(list[Fact])


class Manifest(BaseModel):
    """`manifest.json` of an export."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
    manifest_schema: Annotated[Literal[1], Field(alias="schema")] = 1
    kind: Literal["everything", "lessons"]
    runtime: str = __version__
    robot_id: str
    lessons: int
    files: dict[str, Sha256]


def export(held: Holdings, robot_id: str, place: Path, *, lessons_only: bool = False) -> Manifest:
    """Write a new folder, whole or not at all; FactError where it exists, or something cannot be read."""
    if place.exists():
        raise FactError(f"{place} exists already; name a new folder")
    if not place.parent.is_dir():
        raise FactError(f"{place.parent} is no folder; make it first")
    hidden = Path(tempfile.mkdtemp(prefix=f".{place.name}-", dir=place.parent))
    try:
        count = _write_lessons(held, hidden)
        if not lessons_only:
            _write_rest(held, hidden)
        files = {path.name: file_sha256(path) for path in sorted(hidden.iterdir())}
        kind: Literal["everything", "lessons"] = "lessons" if lessons_only else "everything"
        manifest = Manifest(kind=kind, robot_id=robot_id, lessons=count, files=files)
        whole.put(hidden / MANIFEST, (manifest.model_dump_json(by_alias=True, indent=1) + "\n").encode())
        os.replace(hidden, place)
        return manifest
    finally:
        shutil.rmtree(hidden, ignore_errors=True)


def _write_lessons(held: Holdings, folder: Path) -> int:
    lessons = list(held.book().values())
    whole.put(
        folder / LESSONS, "".join(one.model_dump_json(by_alias=True) + "\n" for one in lessons).encode()
    )
    return len(lessons)


def _write_rest(held: Holdings, folder: Path) -> None:
    whole.put(folder / FACTS, _FACTS.dump_json(held.facts(), indent=1) + b"\n")
    for journal in held.journals:
        rows = (json.dumps(row, ensure_ascii=False) + "\n" for row in held.events(journal))
        whole.put(folder / f"{journal.stem}.jsonl", "".join(rows).encode())
    for name, source in _whole_files(held).items():
        if source.exists():
            whole.put(folder / name, source.read_bytes())


def read(place: Path) -> tuple[Manifest, list[Fact], list[Lesson]]:
    """An export, every file as it was written; FactError names the first thing that is wrong."""
    try:
        manifest = Manifest.model_validate_json((place / MANIFEST).read_bytes())
        for name, expected in manifest.files.items():
            path = place / name
            if "/" in name or path.stat().st_size > MAX_FILE_BYTES or file_sha256(path) != expected:
                raise FactError(f"{path} was altered; nothing was changed: export again")
        lines = (place / LESSONS).read_text("utf-8").splitlines()
        lessons = [Lesson.model_validate_json(line) for line in lines]
        whole = manifest.kind == "everything"
        facts = _FACTS.validate_json((place / FACTS).read_bytes()) if whole else []
    except (OSError, ValidationError, ValueError) as error:
        why = " ".join(str(error).split())[:120]
        raise FactError(f"{place} is no export ({why}); nothing was changed") from error
    return manifest, facts, lessons


def _whole_files(held: Holdings) -> dict[str, Path]:
    """Name in an export -> the file that is taken along as it is."""
    consents = {FILE: held.folder / FILE, MEMORY_CONSENT: held.memory / consent.FILE}
    return {LIFE: held.life, PERSONA: held.persona, **consents}


def put_back(held: Holdings, place: Path, replacing: Collection[str] = ()) -> dict[str, int]:
    """Facts, lessons, life and consents of an export, added to what is there; events stay in the export.

    Files that are there already stay as they are, unless `replacing` names them.
    """
    manifest, facts, lessons = read(place)
    added = {"memory": 0, "lessons": 0, "persona": 0, "life": 0, "consents": 0}
    if facts:
        with closing(Store(held.memory)) as rows:
            fresh = [fact for fact in facts if fact not in rows.facts().values()]
            added["memory"] = len(rows.change(fresh))
    if lessons:
        with closing(Book(held.lessons)) as book:
            known = list(book.lessons().values())
            fresh_lessons = [lesson for lesson in lessons if lesson not in known]
            book.add(fresh_lessons)
            added["lessons"] = len(fresh_lessons)
    for name, target in _whole_files(held).items():
        # What the owner of this robot said here counts before what was said elsewhere.
        if name in manifest.files and (name in replacing or not target.exists()):
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            whole.put(target, (place / name).read_bytes())
            added[_CLASS_OF[name]] += 1
    return added
