"""The owner's ed25519 key pair: made once, never overwritten, and what it signs.

The private half is PKCS #8 PEM, readable by its owner only, under a passphrase where one is given.
"""

import base64
import os
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from runtime.contracts.errors import TrustError
from runtime.contracts.keys import MAX_KEY_BYTES, OWNER_PRIVATE, OWNER_PUBLIC, PublicKey
from runtime.contracts.pack import MANIFEST_NAME, SIGNATURE_NAME, Pack, Signature, signed_message

ONLINE_PRIVATE = "online.pem"
Ask = Callable[[], str]
"""Asks for the passphrase; called only where the key has one"""


def create(folder: Path, passphrase: str = "", comment: str = "everpaw owner") -> PublicKey:
    """A new pair in `folder`; TrustError where there is one already."""
    private_path, public_path = folder / OWNER_PRIVATE, folder / OWNER_PUBLIC
    for path in (private_path, public_path):
        if path.exists():
            raise TrustError(
                f"{path} exists and is never overwritten: robots believe it; use it, or give another --keys"
            )
    key = Ed25519PrivateKey.generate()
    lock = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    _write_new(private_path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock), 0o600)
    line = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    _write_new(public_path, f"{line} {comment}\n".encode(), 0o644)
    return PublicKey(line, "owner")


def _write_new(path: Path, data: bytes, mode: int) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(handle)


def online(folder: Path) -> Ed25519PrivateKey:
    """The key that signs only that a repository's state is the newest; made where there is none yet."""
    path = folder / ONLINE_PRIVATE
    return _open(path, lambda: "") if path.exists() else renew_online(folder)


def renew_online(folder: Path) -> Ed25519PrivateKey:
    """Another such key in place of the one before."""
    key = Ed25519PrivateKey.generate()
    draft = folder / f".{ONLINE_PRIVATE}.new"
    draft.unlink(missing_ok=True)
    _write_new(draft, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), 0o600)
    draft.replace(folder / ONLINE_PRIVATE)
    return key


def load(folder: Path, ask: Ask) -> Ed25519PrivateKey:
    """The owner's private key; TrustError where it is missing, open to others or the passphrase is wrong."""
    path = folder / OWNER_PRIVATE
    if not path.is_file():
        raise TrustError(f"there is no key at {path}; make one with `everpaw security init`")
    return _open(path, ask)


def _open(path: Path, ask: Ask) -> Ed25519PrivateKey:
    if path.stat().st_mode & 0o077:
        raise TrustError(f"others may read {path}; type: chmod 600 {path}")
    data = path.read_bytes()[:MAX_KEY_BYTES]
    password = ask().encode() if b"ENCRYPTED" in data else None
    try:
        key = load_pem_private_key(data, password)
    except ValueError as error:
        wrong = "the passphrase is wrong" if password is not None else "it is damaged; take your backup"
        raise TrustError(f"{path} cannot be opened: {wrong}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise TrustError(f"{path} is no ed25519 key; make one with `everpaw security init`")
    return key


def public_of(key: Ed25519PrivateKey) -> PublicKey:
    return PublicKey(key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode(), "owner")


def sign(pack: Pack, key: Ed25519PrivateKey) -> Path:
    """Write `signature.json` beside the manifest of a verified pack; path of it."""
    public, manifest = public_of(key), (pack.folder / MANIFEST_NAME).read_bytes()
    signature = base64.b64encode(key.sign(signed_message(manifest))).decode()
    target = pack.folder / SIGNATURE_NAME
    draft = target.with_suffix(".json.new")
    entry = Signature(key=public.line, signature=signature)
    draft.write_text(entry.model_dump_json(by_alias=True, indent=1) + "\n")
    draft.replace(target)
    return target
