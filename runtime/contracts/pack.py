"""A pack: the folder that makes one pet. Its manifest is written last and names every file by hash.

`verify` reads the manifest, then every byte it names, and returns a `Pack` that can be trusted as far as
`Pack.trust` says. Nothing outside the manifest is ever opened.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator

from runtime.contracts.errors import PackError

MANIFEST_NAME = "manifest.json"
MAX_MANIFEST_BYTES = 1_000_000
MAX_FILE_BYTES = 512_000_000
MAX_FILES = 2_000

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Trust = Literal["starter", "unsigned"]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PackFile(_Entry):
    sha256: Sha256
    size: Annotated[int, Field(ge=0, le=MAX_FILE_BYTES)]
    """Bytes"""


class PackModel(_Entry):
    """Where a model comes from and what was measured of it."""

    task: Literal["wake", "stop", "asr", "behaviour", "mood", "dialogue"]
    file: str
    precision: Literal["fp32", "fp16", "int8", "int4"] = "fp32"
    inputs: dict[str, list[int | str | None]]
    licence: str
    metrics: dict[str, float] = {}
    command: str = ""
    """The recipe that makes it"""


class Requirements(_Entry):
    runtime: str = ">=0.1"
    mcu_protocol: int = 1
    body: str = "buddy"
    limits_hash: str | None = None


class Manifest(_Entry):
    manifest_schema: Annotated[Literal[1], Field(alias="schema")] = 1
    name: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[A-Z]{2})?$")] = "en"
    files: Annotated[dict[str, PackFile], Field(min_length=1, max_length=MAX_FILES)]
    models: dict[str, PackModel] = {}
    requires: Requirements = Requirements()

    @field_validator("files")
    @classmethod
    def _inside(cls, files: dict[str, PackFile]) -> dict[str, PackFile]:
        for name in files:
            path = PurePosixPath(name)
            if path.is_absolute() or ".." in path.parts or "\\" in name or name == MANIFEST_NAME:
                raise ValueError(f"{name!r} leaves the pack")
        return files


@dataclass(frozen=True, slots=True)
class Pack:
    """A verified pack on disk."""

    folder: Path
    manifest: Manifest
    sha256: str
    """Of the manifest: the pack's identity"""
    trust: Trust

    def path(self, name: str) -> Path:
        """Absolute path of a listed file, else PackError."""
        if name not in self.manifest.files:
            raise PackError(f"pack {self.folder} has no {name!r}; rebuild it with `everpaw pack build`")
        return self.folder / name

    def part(self, name: str) -> Path:
        """Folder of one part (`asr`, `sounds`, ...), which must hold at least one listed file."""
        if not any(file.startswith(f"{name}/") for file in self.manifest.files):
            raise PackError(f"pack {self.folder} has no part {name!r}; rebuild it with `everpaw pack build`")
        return self.folder / name

    def files(self, part: str, suffix: str) -> list[Path]:
        """Listed files of one part that end in `suffix`, sorted by name; may be empty."""
        names = sorted(n for n in self.manifest.files if n.startswith(f"{part}/") and n.endswith(suffix))
        return [self.folder / name for name in names]


def verify(folder: Path, starter_sha256: str | None = None) -> Pack:
    """Check the manifest and every file it names; PackError names the first thing that is wrong."""
    raw = _read_manifest(folder)
    try:
        manifest = Manifest.model_validate(json.loads(raw))
    except (ValueError, ValidationError) as error:
        detail = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
        raise PackError(f"{folder / MANIFEST_NAME} is not a manifest of this version ({detail})") from error
    for name, entry in manifest.files.items():
        _verify_file(folder, name, entry)
    identity = hashlib.sha256(raw).hexdigest()
    return Pack(folder, manifest, identity, "starter" if identity == starter_sha256 else "unsigned")


def file_sha256(path: Path) -> str:
    """sha256 of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read_manifest(folder: Path) -> bytes:
    path = folder / MANIFEST_NAME
    if not path.is_file():
        raise PackError(
            f"{folder} is not a pack: it has no {MANIFEST_NAME}; build one with `everpaw pack build`"
        )
    if path.stat().st_size > MAX_MANIFEST_BYTES:
        raise PackError(f"{path} has {path.stat().st_size} bytes; at most {MAX_MANIFEST_BYTES}")
    return path.read_bytes()


def _verify_file(folder: Path, name: str, entry: PackFile) -> None:
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise PackError(f"pack {folder}: {name} is a link that leaves the pack; it is refused")
    if not path.is_file():
        raise PackError(f"pack {folder}: {name} is missing; copy the pack again")
    size = path.stat().st_size
    if size != entry.size:
        raise PackError(
            f"pack {folder}: {name} has {size} bytes, the manifest says {entry.size}; copy it again"
        )
    if file_sha256(path) != entry.sha256:
        raise PackError(f"pack {folder}: {name} was altered (sha256 differs); copy the pack again")
