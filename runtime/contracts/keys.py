"""Who may be believed: public ed25519 keys in OpenSSH's one-line form, and the folder that holds them.

    owner.pub         the owner's key, made by `everpaw security init`
    owner.pem         its private half, on the owner's workstation only
    trusted/NAME.pub  other makers' keys, added by `everpaw pack trust`

A fingerprint is what `ssh-keygen -lf owner.pub` prints, so that it can be checked with a second program.
"""

import base64
import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_ssh_public_key

from runtime.contracts.errors import TrustError

OWNER_PUBLIC, OWNER_PRIVATE, TRUSTED = "owner.pub", "owner.pem", "trusted"
MAX_KEY_BYTES = 4_000


def keys_folder() -> Path:
    """`EVERPAW_KEYS`, else `everpaw/keys` in the user's configuration folder."""
    if given := os.environ.get("EVERPAW_KEYS"):
        return Path(given)
    base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(base) / "everpaw" / "keys"


@dataclass(frozen=True, slots=True)
class PublicKey:
    line: str
    """`ssh-ed25519 AAAA...`, without the comment"""
    name: str = ""

    @classmethod
    def parse(cls, text: str, name: str = "", *, source: str = "the key") -> "PublicKey":
        """One line of an OpenSSH public key; its comment names it. TrustError where it is no ed25519 key."""
        words = text.split()
        try:
            key = load_ssh_public_key(" ".join(words[:2]).encode())
        except (ValueError, UnsupportedAlgorithm) as error:
            raise TrustError(
                f"{source} is not a public key ({error}); give the owner.pub of its maker"
            ) from error
        if not isinstance(key, Ed25519PublicKey):
            raise TrustError(f"{source} is a {words[0]} key; only ssh-ed25519 signs packs")
        line = key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
        return cls(line, name or " ".join(words[2:]))

    @classmethod
    def from_raw(cls, raw: bytes) -> "PublicKey":
        """From the 32 bytes of the key itself."""
        key = Ed25519PublicKey.from_public_bytes(raw)
        return cls(key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode())

    @classmethod
    def read(cls, path: Path, name: str = "") -> "PublicKey":
        if not path.is_file() or path.stat().st_size > MAX_KEY_BYTES:
            raise TrustError(f"{path} is not a public key file; give the owner.pub of its maker")
        return cls.parse(path.read_text(errors="replace"), name, source=str(path))

    @property
    def fingerprint(self) -> str:
        blob = base64.b64decode(self.line.split()[1])
        return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")

    def verifies(self, signature: bytes, message: bytes) -> bool:
        key = load_ssh_public_key(self.line.encode())
        assert isinstance(key, Ed25519PublicKey)
        try:
            key.verify(signature, message)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Keyring:
    """The keys of one folder; a folder that does not exist trusts nobody."""

    owner: PublicKey | None = None
    trusted: tuple[PublicKey, ...] = ()

    @classmethod
    def load(cls, folder: Path | None = None) -> "Keyring":
        """The keys in `folder` (`keys_folder()` where None); TrustError for one that cannot be read."""
        folder = folder or keys_folder()
        owner = folder / OWNER_PUBLIC
        others = sorted((folder / TRUSTED).glob("*.pub"))
        return cls(
            PublicKey.read(owner, "owner") if owner.is_file() else None,
            tuple(PublicKey.read(path, path.stem) for path in others),
        )

    def __iter__(self) -> Iterator[PublicKey]:
        yield from ((self.owner,) if self.owner else ())
        yield from self.trusted

    def known(self, key: PublicKey) -> PublicKey | None:
        """The same key under the name it has here; None where it is not trusted."""
        return next((ours for ours in self if ours.line == key.line), None)
