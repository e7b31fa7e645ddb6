"""The password of the page: set at the first visit, kept as a scrypt hash that only its owner may read."""

import base64
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from pathlib import Path

from runtime import whole
from runtime.contracts.errors import TrustError

SHORTEST, LONGEST = 10, 200
FEWEST_LETTERS = 5
"""Different ones: "aaaaaaaaaa" is no password"""
# 32 MB and about a quarter of a second a guess (OWASP's second choice for scrypt).
_COST = {"n": 2**15, "r": 8, "p": 3}
_MEMORY_BYTES = 64 * 2**20
_SALT_BYTES, _HASH_BYTES = 16, 32


def weakness(password: str) -> str:
    """`short`, `long` or `plain`: why it cannot be the password; else empty."""
    if len(password) < SHORTEST:
        return "short"
    if len(password) > LONGEST:
        return "long"
    return "plain" if len(set(password)) < FEWEST_LETTERS else ""


@dataclass(frozen=True, slots=True)
class Password:
    """The password kept in `file`. Setting and checking it costs a moment: not in an event loop."""

    file: Path

    @property
    def is_set(self) -> bool:
        return self.file.exists()

    def set(self, password: str) -> None:
        """Keep it; TrustError where it is too weak, or one is set: two visitors cannot both be first."""
        if why := weakness(password):
            raise TrustError(f"the password is too {why}")
        if self.is_set:
            raise TrustError("a password is set already")
        salt = secrets.token_bytes(_SALT_BYTES)
        row = _COST | {"salt": _text(salt), "hash": _text(_hash(password, salt, _COST))}
        whole.put(self.file, json.dumps(row).encode())

    def holds(self, password: str) -> bool:
        """Whether it is the one that was set; TrustError where the file is damaged."""
        try:
            row = json.loads(self.file.read_bytes())
            salt, kept = base64.b64decode(row["salt"]), base64.b64decode(row["hash"])
            found = _hash(password[: LONGEST + 1], salt, {name: int(row[name]) for name in _COST})
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise TrustError(
                f"{self.file} is damaged ({error}); set another password: everpaw dashboard --new-password"
            ) from error
        return hmac.compare_digest(found, kept)


def _hash(password: str, salt: bytes, cost: dict[str, int]) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, maxmem=_MEMORY_BYTES, dklen=_HASH_BYTES, **cost)


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
