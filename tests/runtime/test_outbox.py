"""Events with a real broker that dies and a writer that is killed: none is lost, none counts twice."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from runtime.broker import available_kind, run_broker
from runtime.bus import Bus, Delivery, decode
from runtime.contracts import messages as m
from runtime.contracts.reports import PastEvents
from runtime.contracts.requests import EraseRequest, ReplayRequest
from runtime.contracts.topics import TOPICS, encode
from runtime.event_log import EventLog
from runtime.outbox import Outbox

if available_kind() != "mosquitto":
    pytest.skip("mosquitto is not installed", allow_module_level=True)


def until(true: Callable[[], bool], timeout_s: float = 20.0) -> bool:
    give_up_s = time.monotonic() + timeout_s
    while not true() and time.monotonic() < give_up_s:
        time.sleep(0.01)
    return true()


class Reader:
    """A watcher as the dashboard is one: takes events, sees gaps, asks again."""

    def __init__(self, port: int) -> None:
        self.log, self.got = EventLog(), 0
        self.bus = Bus("rex", port=port).connect()
        self.bus.subscribe("event", self.take)

    def take(self, delivery: Delivery) -> None:
        message = decode(delivery, TOPICS[delivery.name].model)
        if isinstance(message, PastEvents):
            self.log.accept("rex", message, 0.0)
        elif isinstance(message, m.Event):
            self.got += 1
            gap = self.log.has_gap("rex", message)
            self.log.add("rex", delivery.name, message, 0.0)
            if gap:
                self.ask()

    def ask(self) -> None:
        self.bus.publish("request/replay", ReplayRequest(id="r", after=self.log.known("rex")))

    @property
    def numbers(self) -> list[int]:
        return sorted(int(row.payload["detail"]) for row in self.log.search("rex", limit=100_000))


@contextmanager
def reader(port: int) -> Iterator[Reader]:
    made = Reader(port)
    try:
        yield made
    finally:
        made.bus.close()


def teller(port: int, folder: Path, first: int, count: int) -> "subprocess.Popen[str]":
    words = (sys.executable, "-m", "tests.fakes.teller", str(port), str(folder), str(first), str(count))
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True)


def test_a_killed_writer_loses_and_doubles_no_event(tmp_path: Path) -> None:
    promised: list[int] = []
    with run_broker() as broker, reader(broker.port) as watcher:
        for round_ in range(3):
            process = teller(broker.port, tmp_path, round_ * 10_000, 10_000)
            assert process.stdout is not None
            for line in process.stdout:
                promised.append(int(line))
                if len(promised) % 60 == 0:
                    process.send_signal(signal.SIGKILL)
                    break
            promised += [int(line) for line in process.stdout.read().split()]
            process.wait()
        process = teller(broker.port, tmp_path, 90_000, 1)
        process.wait(180)
        assert until(lambda: 90_000 in watcher.numbers)
        numbers = watcher.numbers
    assert set(promised) <= set(numbers)
    assert len(numbers) == len(set(numbers))


def test_a_broker_that_dies_loses_and_doubles_no_event(tmp_path: Path) -> None:
    with ExitStack() as stack:
        broker = stack.enter_context(run_broker())
        watcher = stack.enter_context(reader(broker.port))
        process = teller(broker.port, tmp_path, 0, 600)
        assert process.stdout is not None
        for line in process.stdout:
            if int(line) == 100:
                assert broker.pid is not None
                os.kill(broker.pid, signal.SIGKILL)
            elif int(line) == 500:
                stack.enter_context(run_broker(broker.port))
        process.wait(180)
        with Bus("rex", port=broker.port) as bus:
            outbox = Outbox(bus, tmp_path, "mind", lambda: 1.8e9).start()
            assert until(lambda: outbox.waiting == 0 and watcher.bus.connected)
            watcher.ask()
            assert until(lambda: len(watcher.numbers) >= 600), len(watcher.numbers)
            outbox.close()
    assert watcher.numbers == list(range(600))


class FakeLine:
    """A broker in one object: `connected` and `takes` are set by the test."""

    def __init__(self) -> None:
        self.connected = True
        self.takes = True
        self.said: list[tuple[str, m.Message]] = []
        self.on: dict[str, Callable[[Delivery], None]] = {}

    def publish(self, name: str, message: m.Message, /) -> bool:
        self.said.append((name, message))
        return True

    def send(self, name: str, message: m.Message, /) -> Callable[[], bool] | None:
        self.said.append((name, message))
        return lambda: self.takes

    def subscribe(self, pattern: str, callback: Callable[[Delivery], None], /) -> None:
        self.on[pattern] = callback

    @property
    def events(self) -> list[m.Event]:
        return [message for _, message in self.said if isinstance(message, m.Event)]


def turn(heard: str | None = None) -> m.TurnEvent:
    return m.TurnEvent(turn=1, intent="sit", confidence=1, action="sit", mood="calm", heard=heard, mono_ms=1)


@contextmanager
def outbox(line: FakeLine, folder: Path) -> Iterator[Outbox]:
    made = Outbox(line, folder, "mind", lambda: 1.8e9).start()
    try:
        yield made
    finally:
        made.close()


def test_words_travel_live_but_are_never_written(tmp_path: Path) -> None:
    line = FakeLine()
    with outbox(line, tmp_path) as box:
        box.publish("event/turn", turn("a strawberry secret"))
        assert until(lambda: box.waiting == 0)
        line.on["request/replay"](asked({}))
        assert until(lambda: any(isinstance(message, PastEvents) for _, message in line.said))
        written = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert [event.heard for event in line.events if isinstance(event, m.TurnEvent)] == ["a strawberry secret"]
    assert b"strawberry" not in written + b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert "strawberry" not in repr(line.said[-1])


def test_without_a_broker_events_wait_and_other_messages_go_their_way(tmp_path: Path) -> None:
    line = FakeLine()
    line.connected = False
    with outbox(line, tmp_path) as box:
        box.publish("event/turn", turn())
        box.publish("state/mind", m.MindState(awake=True, mood="calm", valence=0, arousal=0))
        assert [name for name, _ in line.said] == ["state/mind"]
        assert box.waiting == 1
        line.connected = True
        assert until(lambda: box.waiting == 0)
    assert [event.seq for event in line.events] == [1]


def test_what_the_broker_did_not_take_is_sent_by_the_next_life(tmp_path: Path) -> None:
    line = FakeLine()
    line.takes = False
    with outbox(line, tmp_path) as box:
        box.publish("event/turn", turn())
        assert until(lambda: len(line.events) == 1)
    again = FakeLine()
    with outbox(again, tmp_path) as box:
        assert until(lambda: box.waiting == 0)
    assert [(e.origin, e.seq) for e in again.events] == [(e.origin, e.seq) for e in line.events]


def asked(after: dict[str, int]) -> Delivery:
    return Delivery("rex", "request/replay", encode(ReplayRequest(id="r", after=after)), False, 1, False)


def test_a_reader_gets_what_it_missed_and_what_is_gone_makes_no_gap(tmp_path: Path) -> None:
    log, line = EventLog(), FakeLine()
    with outbox(line, tmp_path) as box:
        for _ in range(100):
            box.publish("event/turn", turn())
        assert until(lambda: box.waiting == 0)
        box._db.execute("DELETE FROM events WHERE seq <= 20")
        late = line.events[-1]
        assert log.has_gap("rex", late)
        log.add("rex", "event/turn", late, 0.0)
        line.on["request/replay"](asked(log.known("rex")))
        assert until(lambda: sum(len(p.events) for _, p in line.said if isinstance(p, PastEvents)) == 80)
        new = [log.accept("rex", past, 0.0) for _, past in line.said if isinstance(past, PastEvents)]
    assert sum(new) == 79
    assert log.known("rex") == {box.origin: 100}
    assert not log.has_gap("rex", late.model_copy(update={"seq": 101}))


def test_search_finds_every_word_newest_first() -> None:
    log = EventLog()
    for second, kind in enumerate(("halt", "stop", "halt")):
        event = m.SafetyEvent(kind=kind, detail=f"number {second}", mono_ms=second)
        log.add("rex", "event/safety", event, float(second))
    assert [row.payload["detail"] for row in log.search("rex", "HALT safety")] == ["number 2", "number 0"]
    assert log.search("ada") == log.search("rex", "halt stop") == []
    assert len(log.search("rex", names=["event/turn"])) == 0


def erase(*only: str, seen_ms: int | None = None, retained: bool = False) -> Delivery:
    now_ms = time.monotonic_ns() // 1_000_000
    asked = {"id": "e", "only": only, "seen_mono_ms": now_ms if seen_ms is None else seen_ms}
    return Delivery("rex", "request/erase", encode(EraseRequest.model_validate(asked)), retained, 1, False)


def test_an_erased_journal_holds_no_trace_and_numbers_go_on(tmp_path: Path) -> None:
    line, log = FakeLine(), EventLog()
    with outbox(line, tmp_path) as box:
        for _ in range(50):
            box.publish("event/wake", m.WakeEvent(name="strawberry", score=1.0, mono_ms=1))
        assert until(lambda: box.waiting == 0)
        for event in line.events:
            log.add("rex", "event/wake", event, 0.0)
        line.on["request/erase"](erase("memory"))
        line.on["request/erase"](erase("events", seen_ms=0))
        line.on["request/erase"](erase("events", retained=True))
        assert box._db.execute("SELECT count(*) FROM events").fetchone() == (50,)
        line.on["request/erase"](erase("lessons", "events"))
        log.forget("rex")
        written = b"".join(path.read_bytes() for path in tmp_path.iterdir())
        assert b"strawberry" not in written
        assert log.search("rex") == []
        box.publish("event/turn", turn())
        assert until(lambda: box.waiting == 0)
        assert line.events[-1].seq == 51
        assert not log.has_gap("rex", line.events[-1])
    with outbox(FakeLine(), tmp_path) as box:
        assert (box._last, box.waiting) == (51, 0)
