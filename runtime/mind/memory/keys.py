"""Sealing: rows under a data key, the data key under a key file that only its owner may read.

AES-256-GCM with a fresh 96-bit nonce for every row; what the row is (its number, its key) is authenticated
with it, so rows cannot be swapped or carried from one memory to another. The data key is wrapped as in
RFC 3394. Whoever destroys the key file has destroyed every copy of the rows, wherever they are.
"""

import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from runtime.contracts.errors import FactError

KEY_BYTES = 32
_NONCE_BYTES = 12
_ID = re.compile(r"^[0-9a-f]{16}$")
_PREFIX = "key-"


@dataclass(frozen=True, slots=True)
class Sealer:
    """Seals and opens under one data key; `key_id` names the key file that wraps it."""

    key_id: str
    data_key: bytes

    def seal(self, what: str, plain: bytes) -> bytes:
        """`plain` (any length) as nonce and sealed bytes; opens only for the same `what`."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + AESGCM(self.data_key).encrypt(nonce, plain, self._label(what))

    def open(self, what: str, sealed: bytes) -> bytes:
        """FactError where it was altered, stood elsewhere or has another key."""
        try:
            return AESGCM(self.data_key).decrypt(
                sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], self._label(what)
            )
        except (InvalidTag, ValueError) as error:
            raise FactError(
                f"{what} of the memory was altered or belongs to another key; put the folder back from "
                "a copy, or start anew with: everpaw memory erase"
            ) from error

    def _label(self, what: str) -> bytes:
        return f"everpaw memory 1|{self.key_id}|{what}".encode()


def make(folder: Path) -> tuple[Sealer, bytes]:
    """A new key file and data key: (sealer, wrapped data key, for the database)."""
    key_id, outer, data_key = (
        secrets.token_hex(8),
        secrets.token_bytes(KEY_BYTES),
        secrets.token_bytes(KEY_BYTES),
    )
    path = _path(folder, key_id)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(outer)
        file.flush()
        os.fsync(file.fileno())
    _sync_folder(folder)
    return Sealer(key_id, data_key), aes_key_wrap(outer, data_key)


def read(folder: Path, key_id: str, wrapped: bytes) -> Sealer:
    """The sealer of `key_id`; FactError where its file is missing, open to others or another one."""
    if not _ID.fullmatch(key_id):
        raise FactError(f"the memory in {folder} names the key {key_id!r}, which is none; put back a copy")
    path = _path(folder, key_id)
    try:
        mode, outer = path.stat().st_mode, path.read_bytes()
    except OSError as error:
        raise FactError(
            f"the key of the memory, {path}, cannot be read ({error.strerror}); put the file back, "
            "or start anew with: everpaw memory erase"
        ) from error
    if mode & 0o077:
        raise FactError(f"others may read {path} (mode {mode & 0o777:o}); type: chmod 600 {path}")
    try:
        return Sealer(key_id, aes_key_unwrap(outer, wrapped))
    except (InvalidUnwrap, ValueError) as error:
        raise FactError(f"{path} is not the key of this memory; put the right file back") from error


def strays(folder: Path, key_id: str) -> list[Path]:
    """Key files of earlier times, which a killed process left."""
    return [path for path in folder.glob(f"{_PREFIX}*") if path != _path(folder, key_id)]


def shred(path: Path) -> None:
    """Overwrite a file, then remove it. A drive that moves blocks about may keep an old one nevertheless."""
    try:
        with path.open("r+b") as file:
            file.write(secrets.token_bytes(max(KEY_BYTES, path.stat().st_size)))
            file.flush()
            os.fsync(file.fileno())
        path.unlink()
    except FileNotFoundError:
        return
    _sync_folder(path.parent)


def _path(folder: Path, key_id: str) -> Path:
    return folder / f"{_PREFIX}{key_id}"


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
