"""A folder as one file under a passphrase, and back: scrypt for the key, AES-256-GCM over all of it.

    "everpaw soul 1\\n" | salt 16 | nonce 12 | AES-GCM( tar of the folder's files ), the head authenticated

Whoever has the passphrase reads all; without it nothing can be read, and no byte can be changed unseen.
"""

import io
import os
import re
import tarfile
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from runtime import whole
from runtime.contracts.errors import FactError

MAGIC = b"everpaw soul 1\n"
MAX_BYTES = 500_000_000
LEAST_PASSPHRASE = 8
_SALT, _NONCE = 16, 12
_COST = 2**15
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")


def seal(folder: Path, place: Path, passphrase: str) -> int:
    """The files of `folder` into the new file `place`, whole or not at all; its bytes."""
    if len(passphrase) < LEAST_PASSPHRASE:
        raise FactError(
            f"a passphrase of {len(passphrase)} letters is soon guessed; {LEAST_PASSPHRASE} or more"
        )
    if place.exists():
        raise FactError(f"{place} exists already; name a new file")
    salt, nonce = os.urandom(_SALT), os.urandom(_NONCE)
    head = MAGIC + salt + nonce
    sealed = head + AESGCM(_key(passphrase, salt)).encrypt(nonce, _tar(folder), head)
    whole.put(place, sealed)
    return len(sealed)


def unseal(place: Path, folder: Path, passphrase: str) -> None:
    """The files back into the empty `folder`; FactError for a wrong passphrase or an altered file."""
    if place.stat().st_size > MAX_BYTES:
        raise FactError(f"{place} has over {MAX_BYTES // 10**6} MB; is it a soul?")
    data = place.read_bytes()
    size = len(MAGIC) + _SALT + _NONCE
    if not data.startswith(MAGIC) or len(data) <= size:
        raise FactError(f"{place} is no soul file; `everpaw soul export` makes one")
    salt, nonce = data[len(MAGIC) : len(MAGIC) + _SALT], data[size - _NONCE : size]
    try:
        tar = AESGCM(_key(passphrase, salt)).decrypt(nonce, data[size:], data[:size])
    except InvalidTag as error:
        raise FactError(f"{place} does not open: the passphrase is wrong, or the file was altered") from error
    with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
        for member in archive.getmembers():
            source = archive.extractfile(member)
            if source is None or not _NAME.fullmatch(member.name):
                raise FactError(
                    f"{place} holds {member.name[:40]!r}, which no soul does; nothing was changed"
                )
            (folder / member.name).write_bytes(source.read())


def _key(passphrase: str, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, n=_COST, r=8, p=1).derive(passphrase.encode())


def _tar(folder: Path) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for path in sorted(folder.iterdir()):
            info = tarfile.TarInfo(path.name)
            info.size = path.stat().st_size
            with path.open("rb") as file:
                archive.addfile(info, file)
    return out.getvalue()
