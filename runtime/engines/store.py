"""Engines that were built on this machine, and whether each may still be used.

    engines/KEY/engine.plan    as TensorRT wrote it
                engine.onnx    what onnxruntime reads in place of the model
                record.json    written last: for what it was made, its files by hash, how it was proved

The key is everything an engine depends on. It names the folder, so a changed model, shape, precision, driver
or GPU finds nothing there; a folder whose record or files do not agree with its name is never used.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from runtime.contracts.pack import Sha256, file_sha256
from runtime.engines.device import Device
from runtime.engines.shapes import Profile

PLAN, WRAPPER, RECORD = "engine.plan", "engine.onnx", "record.json"
MAX_RECORD_BYTES = 1_000_000
State = Literal["good", "missing", "unfinished", "damaged", "stale"]


class Key(BaseModel):
    """What an engine is made of and for."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    onnx_sha256: Sha256
    profiles: dict[str, Profile] = {}
    precision: str = "fp32"
    device: Device = Device()

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


class File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    sha256: Sha256
    size: int = Field(ge=0)


class Record(BaseModel):
    """What stands in `record.json`."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    record_schema: Literal[1] = Field(1, alias="schema")
    model: str
    """Name of the model's file, for people"""
    key: Key
    files: dict[str, File]
    seconds: float
    """That the build took"""
    max_abs: float
    """Largest difference from the processor's answers, relative to their size"""


@dataclass(frozen=True, slots=True)
class Found:
    """One folder of the store."""

    folder: Path
    state: State
    why: str
    record: Record | None = None

    @property
    def size(self) -> int:
        return sum(path.stat().st_size for path in self.folder.glob("*") if path.is_file())


class Store:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def find(self, key: Key) -> Found:
        """The engine for exactly this key, every byte of it checked."""
        found = self._look(self.folder / key.digest)
        if found.record and found.record.key != key:
            return Found(found.folder, "damaged", "its record is of another engine")
        return found

    def everything(self, device: Device | None = None) -> Iterator[Found]:
        """All folders; on another `device` than they were made for they are stale."""
        for folder in sorted(self.folder.glob("[0-9a-f]*")):
            found = self._look(folder)
            if found.record and device and found.record.key.device != device:
                why = _difference(found.record.key.device, device)
                found = Found(folder, "stale", why, found.record)
            yield found

    def add(self, record: Record, source: Path) -> Found:
        """Move the files of `source` in, the record last; whole or not at all."""
        target = self.folder / record.key.digest
        self.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.folder, prefix=".new-") as scratch:
            draft = Path(scratch) / "engine"
            draft.mkdir()
            for name in record.files:
                shutil.copyfile(source / name, draft / name)
                _sync(draft / name)
            (draft / RECORD).write_text(record.model_dump_json(by_alias=True, indent=1) + "\n")
            _sync(draft / RECORD)
            shutil.rmtree(target, ignore_errors=True)
            draft.rename(target)
        return self._look(target)

    def remove(self, found: Found) -> None:
        shutil.rmtree(found.folder)

    def _look(self, folder: Path) -> Found:
        if not folder.is_dir():
            return Found(folder, "missing", "none was built for this model on this machine")
        path = folder / RECORD
        if not path.is_file():
            return Found(folder, "unfinished", "its build was interrupted")
        try:
            if path.stat().st_size > MAX_RECORD_BYTES:
                raise ValueError("too long")
            record = Record.model_validate_json(path.read_bytes())
        except (ValidationError, ValueError, OSError):
            return Found(folder, "damaged", f"its {RECORD} cannot be read")
        if record.key.digest != folder.name:
            return Found(folder, "damaged", "its record is of another engine", record)
        for name, file in record.files.items():
            if why := _wrong(folder / name, file):
                return Found(folder, "damaged", why, record)
        return Found(folder, "good", "every byte as it was built", record)


def file_of(path: Path) -> File:
    return File(sha256=file_sha256(path), size=path.stat().st_size)


def _wrong(path: Path, file: File) -> str:
    """Why these are not the bytes; empty: they are."""
    if not path.is_file() or path.is_symlink():
        return f"{path.name} is missing"
    if (size := path.stat().st_size) != file.size:
        return f"{path.name} has {size} bytes, {file.size} were built"
    return "" if file_sha256(path) == file.sha256 else f"{path.name} was altered"


def _difference(made_for: Device, here: Device) -> str:
    was, now = made_for.model_dump(), here.model_dump()
    changed = [
        f"{name} {was[name] or 'none'}, here {now[name] or 'none'}" for name in was if was[name] != now[name]
    ]
    return "made for " + "; ".join(changed)


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
