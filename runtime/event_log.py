"""The reader's end of an outbox: every event once, gaps known, all of it searchable.

Rows are kept in SQLite, in memory or in a file. An event of no journal (number 0) is taken as it comes.
"""

import json
import sqlite3
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runtime.contracts import messages as m
from runtime.contracts.errors import ConfigError
from runtime.contracts.reports import PastEvents
from runtime.contracts.topics import TOPICS, decode

LIMIT = 20_000
"""Rows of one robot; older ones go"""
MOST_MEANT = 40


@dataclass(frozen=True, slots=True)
class Row:
    """One event of a robot; `at_s` is wall clock."""

    robot: str
    name: str
    at_s: float
    payload: dict[str, Any]


class EventLog:
    """May be used from any thread. Words of a turn are not kept. ConfigError for a file that is no log."""

    def __init__(self, file: Path | None = None) -> None:
        self._lock = threading.Lock()
        try:
            self._open(file)
        except sqlite3.Error as error:
            raise ConfigError(f"{file} cannot keep events ({error}); name another file") from error
        self._whole: dict[tuple[str, str], int] = {}
        """(robot, origin) -> number up to which nothing is missing, as far as it was looked"""

    def _open(self, file: Path | None) -> None:
        self._db = sqlite3.connect(file or ":memory:", check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA secure_delete=ON")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS events (number INTEGER PRIMARY KEY, robot TEXT, origin TEXT,"
            " seq INTEGER, name TEXT, at_s REAL, payload TEXT)"
        )
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS floors (robot TEXT, origin TEXT, floor INTEGER,"
            " PRIMARY KEY (robot, origin))"
        )
        self._db.execute("CREATE UNIQUE INDEX IF NOT EXISTS one ON events (robot, origin, seq) WHERE seq > 0")

    def add(self, robot: str, name: str, event: m.Event, now_s: float) -> bool:
        """False where it is known already. `now_s`: wall clock here, where the robot's was not set."""
        at_s = event.at_s if event.at_s is not None else now_s
        payload = event.model_dump_json(exclude=set(m.WORDS), exclude_none=True)
        row = (robot, event.origin, event.seq, name, at_s, payload)
        with self._lock:
            cursor = self._db.execute(
                "INSERT OR IGNORE INTO events (robot, origin, seq, name, at_s, payload) VALUES (?,?,?,?,?,?)",
                row,
            )
            if cursor.lastrowid and cursor.lastrowid % 1_000 == 0:
                self._prune(robot)
            return cursor.rowcount > 0

    def _prune(self, robot: str) -> None:
        """The oldest go, and no gap is seen where they were."""
        old = "number IN (SELECT number FROM events WHERE robot = ? ORDER BY at_s DESC LIMIT -1 OFFSET ?)"
        self._db.execute(
            f"INSERT INTO floors SELECT robot, origin, max(seq) FROM events WHERE seq > 0 AND {old}"
            " GROUP BY robot, origin ON CONFLICT DO UPDATE SET floor = max(floor, excluded.floor)",
            (robot, LIMIT),
        )
        self._db.execute(f"DELETE FROM events WHERE {old}", (robot, LIMIT))

    def accept(self, robot: str, past: PastEvents, now_s: float) -> int:
        """An answer to `request/replay`; how many of its events are new."""
        events = [(name, _decoded(name, payload)) for name, payload in past.events if name in TOPICS]
        if not events:
            return 0
        first = events[0][1]
        known = self.known(robot).get(past.origin, 0)
        if isinstance(first, m.Event) and past.after <= known < first.seq - 1:
            with self._lock:
                floor = (robot, past.origin, first.seq - 1)
                self._db.execute("INSERT OR REPLACE INTO floors VALUES (?, ?, ?)", floor)
        return sum(self.add(robot, name, e, now_s) for name, e in events if isinstance(e, m.Event))

    def known(self, robot: str) -> dict[str, int]:
        """Origin -> the last number before the first gap: what to ask `request/replay` for.

        What a journal no longer has makes no gap.
        """
        with self._lock:
            rows = self._db.execute(
                "SELECT DISTINCT origin FROM events WHERE robot = ? AND seq > 0", (robot,)
            ).fetchall()
            return {origin: self._unbroken(robot, origin) for (origin,) in rows}

    def _unbroken(self, robot: str, origin: str) -> int:
        row = self._db.execute(
            "SELECT floor FROM floors WHERE robot = ? AND origin = ?", (robot, origin)
        ).fetchone()
        number = max(int(row[0]) if row else 0, self._whole.get((robot, origin), 0))
        seqs = self._db.execute(
            "SELECT seq FROM events WHERE robot = ? AND origin = ? AND seq > ? ORDER BY seq",
            (robot, origin, number),
        )
        for (seq,) in seqs:
            if seq != number + 1:
                break
            number = seq
        self._whole[robot, origin] = number
        return number

    def has_gap(self, robot: str, event: m.Event) -> bool:
        """The one before `event` is not here."""
        with self._lock:
            return event.seq > 1 and self._unbroken(robot, event.origin) < event.seq - 1

    def search(
        self,
        robot: str,
        text: str = "",
        names: Iterable[str] = (),
        limit: int = 200,
        meant: Callable[[str], Iterable[str]] = lambda word: (),
    ) -> list[Row]:
        """The newest first; every word of `text`, or one that is `meant` by it, stands in the event."""
        query, values = "SELECT robot, name, at_s, payload FROM events WHERE robot = ?", [robot]
        for word in text.lower().split()[:8]:
            said = list(dict.fromkeys([word, *meant(word)]))[:MOST_MEANT]
            found = " OR ".join(["instr(lower(name || ' ' || payload), ?)"] * len(said))
            query += f" AND ({found})"
            values += said
        wanted = list(names)
        if wanted:
            query += f" AND name IN ({','.join('?' * len(wanted))})"
        with self._lock:
            rows = self._db.execute(
                f"{query} ORDER BY at_s DESC, number DESC LIMIT ?", (*values, *wanted, limit)
            ).fetchall()
        return [Row(robot_, name, at_s, json.loads(payload)) for robot_, name, at_s, payload in rows]

    def forget(self, robot: str) -> None:
        """All events of one robot are gone from here; that they are missing makes no gap."""
        with self._lock:
            self._db.execute(
                "INSERT INTO floors SELECT robot, origin, max(seq) FROM events WHERE seq > 0 AND robot = ?"
                " GROUP BY robot, origin ON CONFLICT DO UPDATE SET floor = max(floor, excluded.floor)",
                (robot,),
            )
            self._db.execute("DELETE FROM events WHERE robot = ?", (robot,))

    def close(self) -> None:
        with self._lock:
            self._db.close()


def _decoded(name: str, payload: dict[str, Any]) -> m.Message:
    return decode(TOPICS[name].model, json.dumps(payload).encode())
