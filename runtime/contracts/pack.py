"""A pack: the folder that makes one pet. Its manifest is written last and names every file by hash.

`verify` reads the manifest, then every byte it names, and returns a `Pack` that can be trusted as far as
`Pack.trust` says. Nothing outside the manifest is ever opened.

The signature stands beside the manifest, in `signature.json`, and covers the manifest's bytes as they are:
what is hashed, pinned, signed and parsed is one and the same file.
"""

import base64
import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator

from runtime.contracts.errors import PackError, TrustError
from runtime.contracts.keys import Keyring, PublicKey

MANIFEST_NAME = "manifest.json"
SIGNATURE_NAME = "signature.json"
MAX_MANIFEST_BYTES = 1_000_000
MAX_SIGNATURE_BYTES = 4_000
MAX_FILE_BYTES = 512_000_000
MAX_FILES = 2_000

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Trust = Literal["starter", "owner", "trusted", "unknown", "unsigned"]
"""`trusted`: another maker's key that the owner trusts; `unknown`: signed by a key that nobody here trusts"""
_DOMAIN = b"everpaw pack manifest v1\0"
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,99}(/[A-Za-z0-9_][A-Za-z0-9_.+-]{0,99})*")
_MAX_NAME = 200


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PackFile(_Entry):
    sha256: Sha256
    size: Annotated[int, Field(ge=0, le=MAX_FILE_BYTES)]
    """Bytes"""


Shapes = dict[str, list[int | str | None]]


class PackModel(_Entry):
    """Where a model comes from and what was measured of it."""

    task: Literal["wake", "stop", "asr", "behaviour", "reader", "mood", "dialogue"]
    file: str
    precision: Literal["fp32", "fp16", "int8", "int4"] = "fp32"
    inputs: Shapes
    outputs: Shapes = {}
    licence: str
    metrics: dict[str, float] = {}
    """Of the file that is shipped"""
    metrics_float: dict[str, float] = {}
    """Of the float model that it was made from"""
    checkpoint_sha256: Sha256 | None = None
    datasets: dict[str, Sha256] = {}
    """Name -> sha256 of each set it was trained on"""
    command: str = ""
    """The recipe that makes it"""
    parity: dict[str, float] = {}
    """How its answers differ from the checkpoint's, on golden inputs"""
    misses: list[str] = []
    """Thresholds it misses, accepted aloud by who built the pack"""
    unknown: list[str] = []
    """What of its provenance cannot be told any more, in sentences"""


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
            if not is_inside(name) or name in (MANIFEST_NAME, SIGNATURE_NAME):
                raise ValueError(f"{name!r} leaves the pack")
        _no_clash(files)
        return files

    @property
    def size(self) -> int:
        """Bytes of all files together"""
        return sum(entry.size for entry in self.files.values())


class Signature(_Entry):
    """What `signature.json` holds."""

    signature_schema: Annotated[Literal[1], Field(alias="schema")] = 1
    key: Annotated[str, StringConstraints(max_length=200)]
    """The signer's public key, one OpenSSH line"""
    signature: Annotated[str, StringConstraints(max_length=200)]
    """ed25519, base64"""


def is_inside(name: str) -> bool:
    """True for a plain relative path that no file system reads as anything else."""
    return len(name) <= _MAX_NAME and _NAME.fullmatch(name) is not None


def _no_clash(names: Iterable[str]) -> None:
    """No two names that are one file on a USB stick, and no file that is also a folder."""
    folded: set[str] = set()
    for name in names:
        if name.lower() in folded:
            raise ValueError(f"{name!r} is named twice")
        folded.add(name.lower())
    for name in folded:
        if any(parent.as_posix() in folded for parent in PurePosixPath(name).parents):
            raise ValueError(f"{name!r} lies inside a file")


@dataclass(frozen=True, slots=True)
class Pack:
    """A verified pack on disk."""

    folder: Path
    manifest: Manifest
    sha256: str
    """Of the manifest: the pack's identity"""
    trust: Trust
    signer: PublicKey | None = None

    def path(self, name: str) -> Path:
        """Absolute path of a listed file, else PackError."""
        if name not in self.manifest.files:
            raise PackError(f"pack {self.folder} has no {name!r}; rebuild it with `everpaw pack build`")
        return self.folder / name

    def part(self, name: str) -> Path:
        """Folder of one part (`asr`, `sounds`, ...), which must hold at least one listed file."""
        found = self.optional_part(name)
        if found is None:
            raise PackError(f"pack {self.folder} has no part {name!r}; rebuild it with `everpaw pack build`")
        return found

    def optional_part(self, name: str) -> Path | None:
        """The same; None where no file of it is listed."""
        listed = any(file.startswith(f"{name}/") for file in self.manifest.files)
        return self.folder / name if listed else None

    def files(self, part: str, suffix: str) -> list[Path]:
        """Listed files of one part that end in `suffix`, sorted by name; may be empty."""
        names = sorted(n for n in self.manifest.files if n.startswith(f"{part}/") and n.endswith(suffix))
        return [self.folder / name for name in names]


def verify(folder: Path, starter_sha256: str | None = None, keyring: Keyring | None = None) -> Pack:
    """Check the manifest, its signature and every file; PackError names the first thing that is wrong.

    Who signed with a key outside `keyring` is `unknown`; a signature that does not fit is refused.
    """
    raw = _read_bounded(folder, MANIFEST_NAME, MAX_MANIFEST_BYTES)
    if raw is None:
        raise no_pack(folder)
    manifest = parse_manifest(raw, folder / MANIFEST_NAME)
    signer = signer_of(raw, _read_bounded(folder, SIGNATURE_NAME, MAX_SIGNATURE_BYTES), folder)
    for name, entry in manifest.files.items():
        _verify_file(folder, name, entry)
    identity = hashlib.sha256(raw).hexdigest()
    known = keyring.known(signer) if keyring and signer else None
    trust = "starter" if identity == starter_sha256 else trust_in(signer, keyring)
    return Pack(folder, manifest, identity, trust, known or signer)


def no_pack(path: Path) -> PackError:
    """Why no pack can be read from `path`, a folder without a manifest or no folder at all."""
    if path.is_file():
        return PackError(
            f"{path} is a file, here a pack's folder is wanted; a pack in one file becomes one with"
            f" `everpaw pack archive {path} FOLDER`"
        )
    return PackError(f"{path} is not a pack: it has no {MANIFEST_NAME}; build one with `everpaw pack build`")


def parse_manifest(raw: bytes, source: Path) -> Manifest:
    """Manifest of these bytes, else PackError."""
    try:
        return Manifest.model_validate(json.loads(raw))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        detail = f"{where}: {first['msg']}"
    except (ValueError, RecursionError) as error:
        detail = str(error)
    raise PackError(f"{source} is not a manifest of this version ({detail}); update everpaw, or rebuild it")


def trust_in(signer: PublicKey | None, keyring: Keyring | None) -> Trust:
    """How far `keyring` believes this signer, whose signature fits."""
    if signer is None:
        return "unsigned"
    known = keyring.known(signer) if keyring else None
    if known is None:
        return "unknown"
    return "owner" if keyring and known == keyring.owner else "trusted"


def signer_of(manifest: bytes, signature: bytes | None, source: Path) -> PublicKey | None:
    """Whose signature fits the manifest; None where there is none, PackError where it does not fit."""
    if signature is None:
        return None
    cure = "copy the pack again, or sign it again with `everpaw pack sign`"
    try:
        entry = Signature.model_validate_json(signature)
        key = PublicKey.parse(entry.key)
        raw = base64.b64decode(entry.signature, validate=True)
    except (ValueError, TrustError) as error:
        raise PackError(f"pack {source}: {SIGNATURE_NAME} is not a signature; {cure}") from error
    if not key.verifies(raw, signed_message(manifest)):
        raise PackError(
            f"pack {source}: the signature of {key.fingerprint} does not fit its manifest: one of the two was"
            f" altered; {cure}"
        )
    return key


def signed_message(manifest: bytes) -> bytes:
    """What a signature covers: the manifest's bytes, marked so that no signature of another kind fits."""
    return _DOMAIN + manifest


def file_sha256(path: Path) -> str:
    """sha256 of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read_bounded(folder: Path, name: str, at_most: int) -> bytes | None:
    path = folder / name
    if not path.is_file() or path.is_symlink():
        return None
    if path.stat().st_size > at_most:
        raise PackError(f"{path} has {path.stat().st_size} bytes; at most {at_most}; copy the pack again")
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
