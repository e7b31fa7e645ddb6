"""Events that no broker's absence and no kill may lose: a journal on disk, and a thread that empties it.

`publish` takes the place of a bus's own: an event is numbered and written to SQLite before it is sent, and
counts as sent when the broker acknowledged it; everything else goes straight to the bus. After a kill what
was not acknowledged is sent again, at worst once too often: origin and number tell a reader
(runtime.event_log).
The newest `KEEP` events that are no older than `keep_s` stay, for who asks by `request/replay`, until
`request/erase` empties the journal; the words of a turn are never written down.

Threads: any may publish; one of its own sends. A write costs no fsync: a killed process loses nothing, a
power cut at worst the last second.
"""

import json
import logging
import sqlite3
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Protocol, Self

from runtime.bus import Delivery
from runtime.contracts import messages as m
from runtime.contracts.errors import MessageError
from runtime.contracts.reports import PastEvents
from runtime.contracts.requests import EraseRequest, ReplayRequest
from runtime.contracts.topics import TOPICS, decode

log = logging.getLogger(__name__)

KEEP = 10_000
IN_FLIGHT = 32
BATCH_BYTES, BATCH = 12_000, 40
TIDY_EVERY = 500
_TURN_S, _AWAY_S, _IDLE_S = 0.02, 0.1, 1.0
_FAREWELL_S = 1.0

_OLD = "DELETE FROM events WHERE seq <= ? AND json_extract(payload, '$.at_s') < ?"

Receipt = Callable[[], bool]
Kept = tuple[str, str, int]
"""(topic's name, payload, number)"""


class Line(Protocol):
    """The part of runtime.bus.Bus that is needed."""

    @property
    def connected(self) -> bool: ...
    def publish(self, name: str, message: m.Message, /) -> bool: ...
    def send(self, name: str, message: m.Message, /) -> Receipt | None: ...
    def subscribe(self, pattern: str, callback: Callable[[Delivery], None], /) -> None: ...


class Outbox:
    """The events of one process, `who`, kept in `folder`."""

    def __init__(
        self,
        bus: Line,
        folder: Path,
        who: str,
        wall: Callable[[], float | None],
        keep_s: float = float("inf"),
    ) -> None:
        self._bus, self._wall, self._keep_s = bus, wall, keep_s
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._file = folder / f"events-{who}.sqlite"
        self._lock = threading.Lock()
        self._db = self._open(who)
        self.origin: str
        self._sent: int
        self._last: int
        self.origin, self._sent = self._db.execute("SELECT origin, sent FROM journal").fetchone()
        [last] = self._db.execute("SELECT coalesce(max(seq), 0) FROM events").fetchone()
        self._last = max(int(last), int(self._sent))
        self._fresh: dict[int, m.Event] = {}
        """Not sent yet, with their words"""
        self._wanted: deque[ReplayRequest] = deque(maxlen=8)
        self._work = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="outbox", daemon=True)

    def _open(self, who: str) -> sqlite3.Connection:
        db = sqlite3.connect(self._file, check_same_thread=False, isolation_level=None)
        self._file.chmod(0o600)
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=NORMAL")
        db.execute("PRAGMA wal_autocheckpoint=0")
        db.execute("PRAGMA secure_delete=ON")
        db.execute("CREATE TABLE IF NOT EXISTS journal (origin TEXT, sent INTEGER)")
        db.execute("CREATE TABLE IF NOT EXISTS events (seq INTEGER PRIMARY KEY, name TEXT, payload TEXT)")
        db.execute(
            "INSERT INTO journal SELECT ?, 0 WHERE NOT EXISTS (SELECT * FROM journal)",
            (f"{who}-{uuid.uuid4().hex[:8]}",),
        )
        return db

    def start(self) -> Self:
        """Send what is there, answer `request/replay` and heed `request/erase`."""
        self._bus.subscribe("request/replay", self._on_replay)
        self._bus.subscribe("request/erase", self._on_erase)
        self._thread.start()
        return self

    @property
    def waiting(self) -> int:
        """Events the broker has not taken."""
        return self._last - self._sent

    def publish(self, name: str, message: m.Message) -> bool:
        """As Bus.publish; False where it could neither be kept nor sent."""
        if not isinstance(message, m.Event):
            return self._bus.publish(name, message)
        if type(message) is not TOPICS[name].model:
            raise MessageError(f"{name} carries {TOPICS[name].model.__name__}, not {type(message).__name__}")
        try:
            self._keep(name, message)
        except sqlite3.Error as error:
            log.error("%s cannot be written (%s); the event is sent, but not kept", self._file, error)
            return self._bus.publish(name, message)
        self._work.set()
        return True

    def _keep(self, name: str, message: m.Event) -> None:
        with self._lock:
            seq = self._last + 1
            stamped = message.model_copy(update={"origin": self.origin, "seq": seq, "at_s": self._wall()})
            words = m.WORDS & set(type(message).model_fields)
            written = stamped.model_copy(update=dict.fromkeys(words))
            self._db.execute(
                "INSERT INTO events VALUES (?, ?, ?)", (seq, name, written.model_dump_json(by_alias=True))
            )
            self._last = seq
            if len(self._fresh) < KEEP:
                self._fresh[seq] = stamped

    def close(self) -> None:
        """Hand over what the broker takes within a second; the rest waits for the next start."""
        give_up_s = time.monotonic() + _FAREWELL_S
        while self.waiting and self._bus.connected and time.monotonic() < give_up_s:
            time.sleep(_TURN_S)
        self._ended.set()
        self._work.set()
        if self._thread.is_alive():
            self._thread.join(timeout=2)
        with self._lock, suppress(sqlite3.Error):
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._db.close()

    # Below: on the thread of its own.

    def _run(self) -> None:
        flying: deque[tuple[int, Receipt]] = deque()
        tidy_at = self._last + TIDY_EVERY
        self._tidy()
        while not self._ended.is_set():
            try:
                self._launch(flying)
                self._land(flying)
                while self._wanted and self._bus.connected:
                    self._replay(self._wanted.popleft())
                if self._last >= tidy_at and not flying:
                    tidy_at = self._last + TIDY_EVERY
                    self._tidy()
            except sqlite3.Error as error:
                log.error("%s: %s; events wait", self._file, error)
                self._ended.wait(1.0)
            self._work.wait(_TURN_S if flying else _AWAY_S if self.waiting else _IDLE_S)
            self._work.clear()

    def _launch(self, flying: deque[tuple[int, Receipt]]) -> None:
        begin = flying[-1][0] if flying else self._sent
        while self._bus.connected and len(flying) < IN_FLIGHT and begin < self._last:
            begin += 1
            found = self._read(begin)
            receipt = self._bus.send(*found) if found else lambda: True
            if receipt is None:
                return
            flying.append((begin, receipt))

    def _land(self, flying: deque[tuple[int, Receipt]]) -> None:
        done = 0
        while flying and flying[0][1]():
            done = flying.popleft()[0]
            self._fresh.pop(done, None)
        if done:
            with self._lock:
                self._db.execute("UPDATE journal SET sent = ?", (done,))
            self._sent = done

    def _read(self, seq: int) -> tuple[str, m.Event] | None:
        """None for one that was kept so long ago that it is gone."""
        with self._lock:
            row = self._db.execute("SELECT name, payload FROM events WHERE seq = ?", (seq,)).fetchone()
        if row is None:
            return None
        name, payload = row
        event = self._fresh.get(seq)
        if event is None:
            kept = decode(TOPICS[name].model, payload.encode())
            assert isinstance(kept, m.Event)
            event = kept
        return name, event

    def _tidy(self) -> None:
        with self._lock:
            self._db.execute("DELETE FROM events WHERE seq <= ?", (min(self._last - KEEP, self._sent),))
            old = self._db.execute(_OLD, (self._sent, (self._wall() or 0.0) - self._keep_s)).rowcount
            # What was deleted must not stand in the log of changes any more either.
            self._db.execute(f"PRAGMA wal_checkpoint({'TRUNCATE' if old else 'PASSIVE'})")

    def _on_replay(self, delivery: Delivery) -> None:
        if not delivery.retained:
            self._wanted.append(decode(ReplayRequest, delivery.payload))
            self._work.set()

    def _on_erase(self, delivery: Delivery) -> None:
        """On the bus's thread, so that it is done before the mind ends its life over the same order."""
        if delivery.retained:
            return
        try:
            asked = decode(EraseRequest, delivery.payload)
            if "events" in asked.only and asked.is_fresh(time.monotonic_ns() // 1_000_000):
                self.forget()
        except (MessageError, sqlite3.Error) as error:
            log.error("%s is not erased: %s", self._file, error)

    def forget(self) -> None:
        """Every event that is kept, sent or not, and what is left of it in the file; numbers go on."""
        with self._lock:
            self._fresh.clear()
            self._db.execute("DELETE FROM events")
            self._sent = self._last
            self._db.execute("UPDATE journal SET sent = ?", (self._last,))
            self._db.execute("VACUUM")
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _replay(self, wanted: ReplayRequest) -> None:
        """The newest `limit` events after the number that the reader knows, oldest first, in batches."""
        after = wanted.after.get(self.origin, 0)
        with self._lock:
            rows = self._db.execute(
                "SELECT name, payload, seq FROM (SELECT * FROM events WHERE seq > ? AND seq <= ?"
                " ORDER BY seq DESC LIMIT ?) ORDER BY seq",
                (after, self._sent, wanted.limit),
            ).fetchall()
        for batch in _batches(rows):
            events = [(name, json.loads(payload)) for name, payload, _ in batch]
            past = PastEvents(origin=self.origin, after=after, events=events, last_seq=self._last)
            self._bus.publish("event/past", past)
            after = batch[-1][2]


def _batches(rows: list[Kept]) -> Iterator[list[Kept]]:
    """What fits into one message each."""
    batch: list[Kept] = []
    for row in rows:
        full = len(batch) >= BATCH or sum(len(kept[1]) for kept in batch) + len(row[1]) > BATCH_BYTES
        if batch and full:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch
