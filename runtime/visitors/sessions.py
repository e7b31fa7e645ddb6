"""Who is in: sessions after the password, in memory; paired phones, on disk. Both are known by hash alone."""

import hashlib
import json
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from runtime import whole

SESSION_S = 12 * 3_600.0
PHONE_S = 180 * 24 * 3_600.0
MOST_SESSIONS, MOST_PHONES = 50, 50
LONGEST_NAME = 40


@dataclass(frozen=True, slots=True)
class Guest:
    """Who holds a token. `until_s`: wall clock; a phone has a name."""

    hash: str
    until_s: float
    name: str = ""


@dataclass(slots=True)
class Sessions:
    """`wall`: seconds since 1970. Phones are kept in `file`; one that cannot be read lets nobody in."""

    file: Path
    wall: Callable[[], float]
    _guests: dict[str, Guest] = field(default_factory=dict)

    def __post_init__(self) -> None:
        try:
            rows = [Guest(**row) for row in json.loads(self.file.read_bytes())]
        except (OSError, ValueError, TypeError):
            rows = []
        self._guests = {row.hash: row for row in rows}

    def begin(self) -> str:
        """A session's token, for the one browser that gave the password."""
        return self._admit("", SESSION_S)

    def pair(self, name: str) -> str:
        """A phone's token."""
        return self._admit(" ".join(name.split())[:LONGEST_NAME] or "phone", PHONE_S)

    def guest(self, token: str) -> Guest | None:
        """Who holds it; None where nobody does any more."""
        found = self._guests.get(_hash(token)) if token else None
        return found if found and found.until_s > self.wall() else None

    def end(self, token_hash: str) -> None:
        """Sent away, and the token is worth nothing."""
        if self._guests.pop(token_hash, None) is not None:
            self._save()

    def end_all(self) -> None:
        self._guests.clear()
        self._save()

    @property
    def phones(self) -> list[Guest]:
        return [g for g in self._guests.values() if g.name and g.until_s > self.wall()]

    def _admit(self, name: str, life_s: float) -> str:
        token = secrets.token_urlsafe(32)
        of_kind = [g for g in self._guests.values() if bool(g.name) == bool(name)]
        for oldest in of_kind[: max(0, len(of_kind) + 1 - (MOST_PHONES if name else MOST_SESSIONS))]:
            del self._guests[oldest.hash]
        found = Guest(_hash(token), self.wall() + life_s, name)
        self._guests[found.hash] = found
        self._save()
        return token

    def _save(self) -> None:
        whole.put(self.file, json.dumps([asdict(g) for g in self.phones], indent=1).encode())


def _hash(token: str) -> str:
    """A token is random and long, so a plain hash keeps it."""
    return hashlib.sha256(token.encode()).hexdigest()
