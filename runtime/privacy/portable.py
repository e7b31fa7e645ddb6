"""Everything a robot holds of people as plain files, to be read, carried and put back.

    facts.json        what it knows of its people          lessons.jsonl    turns and how they were taken
    events-*.jsonl    the journals of events               life.json        drives and mood
    consents.json     who switched what, and when          memory-consent.json, persona.toml
    manifest.json     sha256 of each, written last: it is whole where this stands

The folder is readable by whoever has it: keep it safe. With `lessons only` it is what a recipe learns from.
"""

import hashlib
import io
import json
import os
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from runtime import __version__, whole
from runtime.contracts.errors import FactError
from runtime.contracts.pack import Sha256
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
_DAMAGE = (OSError, LookupError, ValueError, RuntimeError, EOFError, zipfile.BadZipFile, zlib.error)
"""What a reader of JSON, or zipfile, raises; RuntimeError: a zip with a password"""


class Manifest(BaseModel):
    """`manifest.json` of an export."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
    manifest_schema: Annotated[Literal[1], Field(alias="schema")] = 1
    kind: Literal["everything", "lessons"]
    runtime: str = __version__
    robot_id: str
    lessons: int
    files: dict[str, Sha256]


@dataclass(frozen=True, slots=True)
class Export:
    """What an export holds; `files` are its bytes by name, the manifest's own not among them."""

    manifest: Manifest
    files: dict[str, bytes]
    facts: list[Fact]
    lessons: list[Lesson]


def gather(held: Holdings, robot_id: str, *, lessons_only: bool = False) -> Export:
    """All of it in memory; FactError where something cannot be read."""
    lessons = list(held.book().values())
    facts = [] if lessons_only else held.facts()
    files = {LESSONS: "".join(one.model_dump_json(by_alias=True) + "\n" for one in lessons).encode()}
    if not lessons_only:
        files |= {FACTS: _FACTS.dump_json(facts, indent=1) + b"\n"} | _rest(held)
    manifest = Manifest(
        kind="lessons" if lessons_only else "everything",
        robot_id=robot_id,
        lessons=len(lessons),
        files={name: hashlib.sha256(data).hexdigest() for name, data in sorted(files.items())},
    )
    return Export(manifest, files, facts, lessons)


def _rest(held: Holdings) -> dict[str, bytes]:
    files = {}
    for journal in held.journals:
        rows = (json.dumps(row, ensure_ascii=False) + "\n" for row in held.events(journal))
        files[f"{journal.stem}.jsonl"] = "".join(rows).encode()
    for name, source in _whole_files(held).items():
        if source.exists():
            files[name] = source.read_bytes()
    return files


def export(held: Holdings, robot_id: str, place: Path, *, lessons_only: bool = False) -> Manifest:
    """Write a new folder, whole or not at all; FactError where it exists, or something cannot be read."""
    if place.exists():
        raise FactError(f"{place} exists already; name a new folder")
    if not place.parent.is_dir():
        raise FactError(f"{place.parent} is no folder; make it first")
    gathered = gather(held, robot_id, lessons_only=lessons_only)
    hidden = Path(tempfile.mkdtemp(prefix=f".{place.name}-", dir=place.parent))
    try:
        for name, data in _with_manifest(gathered):
            whole.put(hidden / name, data)
        os.replace(hidden, place)
        return gathered.manifest
    finally:
        shutil.rmtree(hidden, ignore_errors=True)


def zipped(gathered: Export) -> bytes:
    """The same folder as one zip, for whoever has no folder to write to."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in _with_manifest(gathered):
            row = zipfile.ZipInfo(name)  # of no date: the robot's clock may be anything
            row.external_attr, row.compress_type = 0o600 << 16, zipfile.ZIP_DEFLATED
            archive.writestr(row, data)
    return out.getvalue()


def _with_manifest(gathered: Export) -> Iterator[tuple[str, bytes]]:
    yield from gathered.files.items()
    yield MANIFEST, (gathered.manifest.model_dump_json(by_alias=True, indent=1) + "\n").encode()


def read(place: Path) -> Export:
    """A folder or a zip, every file as it was written; FactError names the first thing that is wrong."""
    try:
        with _opened(place) as bytes_of:
            manifest = Manifest.model_validate_json(bytes_of(MANIFEST))
            files = {}
            for name, expected in manifest.files.items():
                if "/" in name or hashlib.sha256(data := bytes_of(name)).hexdigest() != expected:
                    raise FactError(f"{place / name} was altered; nothing was changed: export again")
                files[name] = data
        lines = files[LESSONS].decode().splitlines()
        lessons = [Lesson.model_validate_json(line) for line in lines]
        facts = _FACTS.validate_json(files[FACTS]) if manifest.kind == "everything" else []
    except _DAMAGE as error:
        why = " ".join(str(error).split())[:120]
        raise FactError(f"{place} is no export ({why}); nothing was changed") from error
    return Export(manifest, files, facts, lessons)


@contextmanager
def _opened(place: Path) -> Iterator[Callable[[str], bytes]]:
    """What gives the bytes of a name, as long as the block lasts; a ValueError for one that is too long."""

    def bounded(name: str, size: int) -> None:
        if size > MAX_FILE_BYTES:
            raise ValueError(f"{name} has {size} bytes, {MAX_FILE_BYTES} at most")

    if place.is_file():
        with zipfile.ZipFile(place) as archive:

            def unzipped(name: str) -> bytes:
                bounded(name, archive.getinfo(name).file_size)
                return archive.read(name)

            yield unzipped
        return

    def plain(name: str) -> bytes:
        bounded(name, (place / name).stat().st_size)
        return (place / name).read_bytes()

    yield plain


def _whole_files(held: Holdings) -> dict[str, Path]:
    """Name in an export -> the file that is taken along as it is."""
    consents = {FILE: held.folder / FILE, MEMORY_CONSENT: held.memory / consent.FILE}
    return {LIFE: held.life, PERSONA: held.persona, **consents}


def put_back(held: Holdings, place: Path, replacing: Collection[str] = ()) -> dict[str, int]:
    """Facts, lessons, life and consents of an export, added to what is there; events stay in the export.

    Files that are there already stay as they are, unless `replacing` names them.
    """
    given = read(place)
    added = {"memory": 0, "lessons": 0, "persona": 0, "life": 0, "consents": 0}
    if given.facts:
        with closing(Store(held.memory)) as rows:
            fresh = [fact for fact in given.facts if fact not in rows.facts().values()]
            added["memory"] = len(rows.change(fresh))
    if given.lessons:
        with closing(Book(held.lessons)) as book:
            known = list(book.lessons().values())
            fresh_lessons = [lesson for lesson in given.lessons if lesson not in known]
            book.add(fresh_lessons)
            added["lessons"] = len(fresh_lessons)
    for name, target in _whole_files(held).items():
        # What the owner of this robot said here counts before what was said elsewhere.
        if name in given.files and (name in replacing or not target.exists()):
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            whole.put(target, given.files[name])
            added[_CLASS_OF[name]] += 1
    return added
