"""The single-file form of a pack, `NAME.paw`: a plain ustar archive, read and written strictly.

    manifest.json, signature.json (where signed), then every file of the manifest in order of its names

There is no compression (models and sounds hardly shrink, and what is not compressed cannot explode), no
folder, no link, no owner, no time: the same pack gives the same bytes. The reader takes header after header
and refuses the first that is not exactly what the manifest says comes next; nothing appears at the target
before everything was read and compared.
"""

import hashlib
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from runtime.contracts.errors import PackError
from runtime.contracts.pack import (
    MANIFEST_NAME,
    MAX_MANIFEST_BYTES,
    MAX_SIGNATURE_BYTES,
    SIGNATURE_NAME,
    Manifest,
    is_inside,
    parse_manifest,
    signer_of,
)

SUFFIX = ".paw"
BLOCK = 512
END = bytes(2 * BLOCK)
MAX_PACK_BYTES = 4_000_000_000
_PIECE = 1 << 20
_PACKED = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"PK": "zip", b"\x28\xb5\x2f\xfd": "zstd"}


def write_archive(folder: Path, out: Path) -> None:
    """The verified pack in `folder` as one file; `out` appears whole or not at all."""
    manifest = parse_manifest((folder / MANIFEST_NAME).read_bytes(), folder / MANIFEST_NAME)
    signed = [SIGNATURE_NAME] if (folder / SIGNATURE_NAME).is_file() else []
    out.parent.mkdir(parents=True, exist_ok=True)
    draft = out.with_name(f".{out.name}.new")
    try:
        with draft.open("wb") as file:
            for name in (MANIFEST_NAME, *signed, *sorted(manifest.files)):
                _append(file, folder / name, name)
            file.write(END)
        draft.replace(out)
    finally:
        draft.unlink(missing_ok=True)


def _append(file: BinaryIO, source: Path, name: str) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = source.stat().st_size, 0o644
    file.write(entry.tobuf(tarfile.USTAR_FORMAT))
    with source.open("rb") as data:
        shutil.copyfileobj(data, file, _PIECE)
    file.write(bytes(-entry.size % BLOCK))


@contextmanager
def opened(path: Path) -> Iterator[Path]:
    """The folder of a pack in either form; a `.paw` is unpacked into a folder that goes away afterwards."""
    if path.is_dir() or not path.exists():
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="everpaw-") as scratch:
        yield extract(path, Path(scratch) / path.stem)


def extract(path: Path, target: Path) -> Path:
    """Unpack into `target`, which must not exist and appears whole or not at all; PackError where it may not.

    Every byte is compared with the manifest and the signature with its key; whom to trust is the caller's
    question.
    """
    if target.exists():
        raise PackError(f"{target} exists; give a new folder")
    target.parent.mkdir(parents=True, exist_ok=True)
    with (
        path.open("rb") as file,
        tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.") as scratch,
    ):
        draft = Path(scratch) / "pack"
        draft.mkdir()
        _Reader(path, file).unpack(draft)
        draft.rename(target)
    return target


class _Reader:
    """One pass over one archive."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path, self._file = path, file
        self._seen: set[str] = set()

    def unpack(self, draft: Path) -> Manifest:
        raw = self._small(self._header(), MANIFEST_NAME, MAX_MANIFEST_BYTES)
        manifest = parse_manifest(raw, self._path / MANIFEST_NAME)
        signature, entry = None, self._header()
        if entry is not None and entry.name == SIGNATURE_NAME:
            signature, entry = self._small(entry, SIGNATURE_NAME, MAX_SIGNATURE_BYTES), self._header()
        signer_of(raw, signature, self._path)
        self._fits(manifest, draft)
        for name in sorted(manifest.files):
            self._expect(entry, name, manifest.files[name].size)
            self._copy(name, manifest, draft / name)
            entry = self._header()
        if entry is not None or self._file.read(1):
            raise self._refused(f"{entry.name if entry else 'data'!r} follows after its last file")
        (draft / MANIFEST_NAME).write_bytes(raw)
        if signature is not None:
            (draft / SIGNATURE_NAME).write_bytes(signature)
        return manifest

    def _header(self) -> tarfile.TarInfo | None:
        """The next member; None at the end mark. Only plain files with plain names get through."""
        block = self._file.read(BLOCK)
        if block == bytes(BLOCK):
            if self._file.read(BLOCK) != bytes(BLOCK):
                raise self._refused("its end mark is damaged")
            return None
        try:
            entry = tarfile.TarInfo.frombuf(block, "ascii", "strict")
        except (tarfile.HeaderError, UnicodeDecodeError) as error:
            raise self._refused(self._what_is(block)) from error
        if entry.type != tarfile.REGTYPE:
            raise self._refused(f"{entry.name!r} is a link, a folder or a device, not a plain file")
        if not is_inside(entry.name):
            raise self._refused(f"{entry.name!r} leaves the pack")
        if entry.name in self._seen:
            raise self._refused(f"{entry.name!r} is in it twice")
        self._seen.add(entry.name)
        return entry

    def _what_is(self, block: bytes) -> str:
        for magic, name in _PACKED.items():
            if block.startswith(magic):
                return f"it is compressed ({name}), and a .paw never is: it could unpack to fill the disk"
        return "it ends early" if len(block) < BLOCK else "a header is damaged"

    def _small(self, entry: tarfile.TarInfo | None, name: str, at_most: int) -> bytes:
        if entry is None or entry.name != name:
            raise self._refused(f"it does not begin with {name}")
        if entry.size > at_most:
            raise self._refused(f"{name} has {entry.size} bytes; at most {at_most}")
        data = self._take(entry.size, name)
        self._padding(entry.size, name)
        return data

    def _expect(self, entry: tarfile.TarInfo | None, name: str, size: int) -> None:
        if entry is None or entry.name != name:
            found = "its end" if entry is None else repr(entry.name)
            raise self._refused(f"{name!r} should come next, there is {found}")
        if entry.size != size:
            raise self._refused(f"{name!r} has {entry.size} bytes, the manifest says {size}")

    def _fits(self, manifest: Manifest, draft: Path) -> None:
        free = shutil.disk_usage(draft).free
        if manifest.size > min(MAX_PACK_BYTES, free):
            raise self._refused(
                f"it holds {manifest.size:,} bytes; at most {MAX_PACK_BYTES:,}, and {free:,} are free"
            )

    def _copy(self, name: str, manifest: Manifest, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        entry, digest = manifest.files[name], hashlib.sha256()
        with target.open("xb") as out:
            left = entry.size
            while left:
                piece = self._take(min(left, _PIECE), name)
                digest.update(piece)
                out.write(piece)
                left -= len(piece)
        self._padding(entry.size, name)
        if digest.hexdigest() != entry.sha256:
            raise self._refused(f"{name} was altered (sha256 differs)")

    def _take(self, size: int, name: str) -> bytes:
        data = self._file.read(size)
        if len(data) != size:
            raise self._refused(f"it ends inside {name}")
        return data

    def _padding(self, size: int, name: str) -> None:
        """Nothing but zeros up to the next block."""
        if any(self._take(-size % BLOCK, name)):
            raise self._refused(f"something is hidden after {name}")

    def _refused(self, reason: str) -> PackError:
        return PackError(f"{self._path}: {reason}; it is refused: copy the pack again, or ask its maker")
