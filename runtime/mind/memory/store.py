"""Sealed rows on disk: an SQLite file that alone tells nobody anything. Facts are kept so, and lessons.

    rows(id, sealed)                a fact or a lesson each; an id is never used twice
    meta(name, value)               layout, key_id, wrapped data key, next_id, sealed list of the ids

Every change is one transaction. Whatever takes a row away seals the others anew under a new data key and
destroys the old key file: what is left of the row in free blocks of the disk, in a journal or in an old copy
of the database can be opened by nobody. Several processes may use one folder; each notices what the others
changed. Calls may come from any thread, one at a time.
"""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import BaseModel, ValidationError

from runtime.contracts.errors import FactError
from runtime.mind.memory import keys
from runtime.mind.memory.facts import Fact
from runtime.mind.memory.keys import Sealer

DATABASE = "facts.db"
LAYOUT = 1
MAX_FACTS = 100_000
WAIT_S = 5.0
"""For another process to finish its change"""
_CURE = "put the folder back from a copy, or start anew with: everpaw memory erase"
_TABLES = (
    "CREATE TABLE rows (id INTEGER PRIMARY KEY, sealed BLOB NOT NULL)",
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL)",
)


R = TypeVar("R", bound=BaseModel)


class SealedRows(Generic[R]):
    """Rows of one `kind` in a folder, which is made where it is missing. FactError where it cannot be used.

    `read_only`: nothing is made, mended or shredded, and `change` and `rotate` fail.
    """

    def __init__(self, folder: Path, kind: type[R], *, read_only: bool = False) -> None:
        self.folder = folder
        self._kind = kind
        self._begins = "BEGIN" if read_only else "BEGIN IMMEDIATE"
        self._version = -1
        self._rows: dict[int, R] = {}
        with _clear_errors(folder):
            if read_only:
                self._db = _connect(f"{(folder / DATABASE).resolve().as_uri()}?mode=ro")
                return
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._db = _connect((folder / DATABASE).resolve().as_uri())
            (folder / DATABASE).chmod(0o600)
            self._db.execute("PRAGMA secure_delete=ON")
            self._db.execute("PRAGMA journal_mode=DELETE")
            self._db.execute("PRAGMA synchronous=EXTRA")
            with self._transaction():
                self._sealer = self._begin()
                self._shred_strays()

    def close(self) -> None:
        self._db.close()

    def rows(self) -> dict[int, R]:
        """All rows by their id, the oldest first; read again where another process changed them."""
        with _clear_errors(self.folder):
            if self._stale():
                with self._transaction():
                    self._load()
        return self._rows

    def change(self, adding: Sequence[R] = (), removing: Sequence[int] = ()) -> list[int]:
        """Take rows away and add others, all or nothing; the ids of those added."""
        with _clear_errors(self.folder):
            old: Sealer | None = None
            with self._transaction():
                if self._stale():
                    self._load()
                gone = [i for i in removing if i in self._rows]
                facts = {i: fact for i, fact in self._rows.items() if i not in gone}
                if len(facts) + len(adding) > MAX_FACTS:
                    raise FactError(f"the memory holds {len(facts)} facts, its most; forget some first")
                first = self._number("next_id")
                added = dict(enumerate(adding, first))
                facts |= added
                self._set("next_id", str(first + len(adding)).encode())
                sealer = self._sealer
                if gone:
                    old, sealer = sealer, self._new_key()
                    self._db.execute("DELETE FROM rows")
                self._write(facts if gone else added, sealer)
                self._set("ids", sealer.seal("the list", json.dumps(list(facts)).encode()))
            self._sealer, self._rows = sealer, facts
            self._version = self._data_version()
            if old is not None:
                with self._transaction():
                    self._shred_strays()
        return list(added)

    def rotate(self) -> None:
        """Seal everything anew under a new key."""
        with _clear_errors(self.folder):
            with self._transaction():
                self._load()
                sealer = self._new_key()
                self._db.execute("DELETE FROM rows")
                self._write(self._rows, sealer)
                self._set("ids", sealer.seal("the list", json.dumps(list(self._rows)).encode()))
            self._sealer = sealer
            with self._transaction():
                self._shred_strays()

    def _begin(self) -> Sealer:
        """The sealer of what is there, or of a memory made at this moment."""
        if not self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            for table in _TABLES:
                self._db.execute(table)
            self._set("layout", str(LAYOUT).encode())
            self._set("next_id", b"1")
            sealer = self._new_key()
            self._set("ids", sealer.seal("the list", b"[]"))
            return sealer
        layout = self._number("layout")
        if layout != LAYOUT:
            raise FactError(f"{self.folder} has layout {layout}, this everpaw knows {LAYOUT}; update everpaw")
        return self._read_key()

    def _load(self) -> None:
        self._sealer = self._read_key()
        listed = json.loads(self._sealer.open("the list", self._meta("ids")))
        rows = self._db.execute("SELECT id, sealed FROM rows ORDER BY id").fetchall()
        if [i for i, _ in rows] != sorted(listed):
            raise FactError(
                f"rows of the memory in {self.folder} are missing or strange: {len(listed)} are listed, "
                f"{len(rows)} are there; {_CURE}"
            )
        self._rows = {i: self._read(i, self._sealer.open(_row(i), sealed)) for i, sealed in rows}
        self._version = self._data_version()

    def _write(self, facts: dict[int, R], sealer: Sealer) -> None:
        rows = ((i, sealer.seal(_row(i), fact.model_dump_json().encode())) for i, fact in facts.items())
        self._db.executemany("INSERT INTO rows VALUES (?, ?)", rows)

    def _read(self, number: int, plain: bytes) -> R:
        try:
            return self._kind.model_validate_json(plain)
        except ValidationError as error:
            raise FactError(
                f"row {number} of {self.folder} is none of ours; was it written by a later everpaw?"
            ) from error

    def _new_key(self) -> Sealer:
        sealer, wrapped = keys.make(self.folder)
        self._set("key_id", sealer.key_id.encode())
        self._set("data_key", wrapped)
        return sealer

    def _read_key(self) -> Sealer:
        return keys.read(self.folder, self._meta("key_id").decode("ascii", "replace"), self._meta("data_key"))

    def _shred_strays(self) -> None:
        """Destroy keys of earlier times; only within a transaction, so that nobody makes one meanwhile."""
        for path in keys.strays(self.folder, self._meta("key_id").decode()):
            keys.shred(path)

    def _stale(self) -> bool:
        return self._version != self._data_version()

    def _data_version(self) -> int:
        """Changes whenever another connection changed the file."""
        return int(self._db.execute("PRAGMA data_version").fetchone()[0])

    def _meta(self, name: str) -> bytes:
        row = self._db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        if row is None or not isinstance(row[0], bytes):
            raise FactError(f"{self.folder / DATABASE} lacks its {name!r}; {_CURE}")
        return row[0]

    def _number(self, name: str) -> int:
        text = self._meta(name)
        if not text.isdigit():
            raise FactError(f"{self.folder / DATABASE}: {name} = {text!r} is no number; {_CURE}")
        return int(text)

    def _set(self, name: str, value: bytes) -> None:
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute(self._begins)
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise


class Store(SealedRows[Fact]):
    """What the pet knows of its people."""

    def __init__(self, folder: Path, *, read_only: bool = False) -> None:
        super().__init__(folder, Fact, read_only=read_only)

    def facts(self) -> dict[int, Fact]:
        """All facts by their number, the oldest first."""
        return self.rows()


def _connect(uri: str) -> sqlite3.Connection:
    return sqlite3.connect(uri, timeout=WAIT_S, isolation_level=None, check_same_thread=False, uri=True)


def exists(folder: Path) -> bool:
    return (folder / DATABASE).exists()


def erase(folder: Path) -> None:
    """Destroy the keys first, so that every copy of the rows is dead, then all files of the folder."""
    with _clear_errors(folder):
        if not folder.is_dir():
            return
        for path in keys.strays(folder, ""):
            keys.shred(path)
        for path in sorted(folder.glob(f"{DATABASE}*")):
            keys.shred(path)


def sealed_rows(folder: Path) -> set[bytes]:
    """The rows as they lie on the disk; none where there is no memory, or none that can be read."""
    if not exists(folder):
        return set()
    try:
        with closing(sqlite3.connect(folder / DATABASE, timeout=WAIT_S)) as database:
            return {bytes(row[0]) for row in database.execute("SELECT sealed FROM rows")}
    except sqlite3.DatabaseError:
        return set()


def _row(number: int) -> str:
    return f"row {number}"


@contextmanager
def _clear_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise FactError(_explain(folder / DATABASE, error)) from error
    except OSError as error:
        raise FactError(
            f"the memory in {folder} cannot be used ({error.strerror}); check path, rights and disk"
        ) from error


def _explain(path: Path, error: sqlite3.DatabaseError) -> str:
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith("SQLITE_FULL"):
        return f"no room to remember in {path}; nothing was changed; free some space and tell me again"
    if name.startswith("SQLITE_BUSY"):
        return f"{path} was in use by another program for {WAIT_S:g} s; nothing was changed; try again"
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
        return f"{path} cannot be written ({error}); check who may write there"
    return f"{path} is damaged ({error}); {_CURE}"
