"""A recorded session: one folder with what was heard, said, done and sent, and when.

    session.json   settings, versions, seed, and the sha256 of every other file; written last
    bus.jsonl      every message on the robot's topics: {"t_ms", "name", "payload"}
    events.jsonl   what ears and mind made of it, and what the pet did meanwhile: {"t_ms", "kind", ...}
    mic.flac       the microphone, played.flac what sounded meanwhile: only where sound was asked for

A session is written whole or not at all: it grows in a hidden folder beside its place and is moved there at
the end. Times are milliseconds of the monotonic clock since the first message or block.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TextIO

import soundfile
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from runtime import __version__
from runtime.contracts.audio import SAMPLE_RATE_HZ, Samples
from runtime.contracts.config import RobotConfig
from runtime.contracts.errors import SessionError
from runtime.contracts.pack import Sha256, file_sha256

MANIFEST = "session.json"
BUS, EVENTS, MICROPHONE, PLAYED = "bus.jsonl", "events.jsonl", "mic.flac", "played.flac"
MAX_LINES = 5_000_000
Row = dict[str, Any]
_FIELDS = {
    "wake": frozenset({"at_s"}),
    "stop": frozenset({"at_s"}),
    "heard": frozenset({"end_s"}),
    "does": frozenset({"at_s", "speaking", "moving"}),
    "turn": frozenset({"number", "rests", "belief", "intent", "slots", "act", "sound", "mood"}),
}
"""Kind of event -> what its row must hold"""


class Manifest(BaseModel):
    """`session.json`."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
    manifest_schema: Annotated[Literal[1], Field(alias="schema")] = 1
    runtime: str = __version__
    pack_sha256: Sha256
    words: bool
    """The events hold what was heard and said"""
    config: RobotConfig
    files: dict[str, Sha256]


@dataclass(frozen=True, slots=True)
class Session:
    """A session on disk, its files found as they were written."""

    folder: Path
    manifest: Manifest

    @property
    def has_audio(self) -> bool:
        return MICROPHONE in self.manifest.files

    def rows(self, name: str) -> list[Row]:
        """All rows of `bus.jsonl` or `events.jsonl`; SessionError names the first that is none."""
        rows: list[Row] = []
        with (self.folder / name).open("rb") as lines:
            for number, line in enumerate(lines, 1):
                try:
                    rows.append(_row(line, name, words=self.manifest.words))
                except ValueError as error:
                    where = f"{self.folder / name}, line {number}"
                    raise SessionError(f"{where}: {error}; record the session again") from error
                if number > MAX_LINES:
                    raise SessionError(f"{self.folder / name} has more than {MAX_LINES} lines")
        return rows

    def audio(self, name: str) -> Samples:
        """All samples of `mic.flac` or `played.flac`; SessionError where sound was not kept."""
        if name not in self.manifest.files:
            raise SessionError(f"{self.folder} holds no {name}; record with --audio to replay the ears")
        samples: Samples = soundfile.read(self.folder / name, dtype="int16")[0]
        return samples


def _row(line: bytes, name: str, *, words: bool) -> Row:
    """One row; ValueError where it is none, or lacks what a replay needs."""
    row = json.loads(line)
    if not isinstance(row, dict):
        raise ValueError(f"{line[:40].strip()!r} is no row")
    kind = str(row.get("kind"))
    needed = _FIELDS.get(kind, frozenset({"kind"})) if name == EVENTS else frozenset()
    if words and kind == "turn":
        needed = needed | {"text", "reply"}
    if lacking := needed - row.keys():
        raise ValueError(f"a row without {', '.join(sorted(lacking))}")
    return row


class Writer:
    """Rows and sound of a session under way. One thread a file; `folder` is its hidden place."""

    def __init__(self, folder: Path, *, audio: bool) -> None:
        self.folder = folder
        self._rows: dict[str, TextIO] = {
            name: (folder / name).open("w", encoding="utf-8") for name in (BUS, EVENTS)
        }
        self._sound: dict[str, soundfile.SoundFile] = {}
        if audio:
            self._sound = {
                name: soundfile.SoundFile(folder / name, "w", SAMPLE_RATE_HZ, 1, "PCM_16", format="FLAC")
                for name in (MICROPHONE, PLAYED)
            }

    def row(self, name: str, row: Mapping[str, Any]) -> None:
        """One more line of `bus.jsonl` or `events.jsonl`."""
        self._rows[name].write(json.dumps(row, ensure_ascii=False) + "\n")

    def sound(self, heard: Samples, played: Samples) -> None:
        """One more block; nothing where sound is not kept."""
        if self._sound:
            self._sound[MICROPHONE].write(heard)
            self._sound[PLAYED].write(played)

    def close(self) -> None:
        for file in (*self._rows.values(), *self._sound.values()):
            file.close()


@contextmanager
def writing(
    place: Path, config: RobotConfig, pack_sha256: str, *, audio: bool, words: bool
) -> Iterator[Writer]:
    """A session that stands at `place` when the block ends well, and nowhere when it does not.

    SessionError where `place` exists already or its parent does not.
    """
    if place.exists():
        raise SessionError(f"{place} exists already; name a new folder")
    if not place.parent.is_dir():
        raise SessionError(f"{place.parent} is no folder; make it first")
    hidden = Path(tempfile.mkdtemp(prefix=f".{place.name}-", dir=place.parent))
    try:
        writer = Writer(hidden, audio=audio)
        try:
            yield writer
        finally:
            writer.close()
        seal(hidden, config, pack_sha256, words=words)
        os.replace(hidden, place)
    finally:
        shutil.rmtree(hidden, ignore_errors=True)


def seal(folder: Path, config: RobotConfig, pack_sha256: str, *, words: bool) -> Manifest:
    """Write `session.json` over what stands in `folder`."""
    files = {path.name: file_sha256(path) for path in sorted(folder.iterdir()) if path.name != MANIFEST}
    manifest = Manifest(pack_sha256=pack_sha256, words=words, config=config, files=files)
    (folder / MANIFEST).write_text(manifest.model_dump_json(by_alias=True, indent=1) + "\n", "utf-8")
    return manifest


def load(folder: Path) -> Session:
    """A session, checked file by file; SessionError names the first thing that is wrong."""
    path = folder / MANIFEST
    try:
        manifest = Manifest.model_validate_json(path.read_bytes())
    except OSError as error:
        raise SessionError(f"{folder} is no session: {path} cannot be read ({error.strerror})") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "file"
        raise SessionError(f"{path}: {where}: {first['msg']}; record it again") from error
    for name, expected in manifest.files.items():
        if "/" in name or not (folder / name).is_file() or file_sha256(folder / name) != expected:
            raise SessionError(f"{folder / name} is missing or was altered; copy the session again")
    for name in (BUS, EVENTS):
        if name not in manifest.files:
            raise SessionError(f"{path} does not name {name}; record the session again")
    return Session(folder, manifest)
