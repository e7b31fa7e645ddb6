"""The reader's log by itself: each event once, gaps and floors, no words, bounded, whole over a restart."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from runtime import event_log
from runtime.contracts import messages as m
from runtime.contracts.reports import PastEvents
from runtime.event_log import EventLog

Numbers = list[int]


def event(seq: int, origin: str = "mind-1", detail: str = "", at_s: float | None = None) -> m.SafetyEvent:
    return m.SafetyEvent(
        kind="halt", detail=detail or f"d{seq}", mono_ms=1, origin=origin, seq=seq, at_s=at_s
    )


def past(numbers: Numbers, after: int, origin: str = "mind-1") -> PastEvents:
    events = [("event/safety", event(n, origin).model_dump(mode="json")) for n in numbers]
    return PastEvents(origin=origin, after=after, events=events, last_seq=max(numbers, default=after))


@pytest.fixture
def log() -> Iterator[EventLog]:
    with closing(EventLog()) as made:
        yield made


def details(log: EventLog, robot: str = "rex", **how: object) -> list[str | None]:
    return [row.payload.get("detail") for row in log.search(robot, **how)]  # type: ignore[arg-type]


def test_an_event_of_a_journal_counts_once_and_one_of_none_each_time(log: EventLog) -> None:
    assert log.add("rex", "event/safety", event(1), 0.0)
    assert not log.add("rex", "event/safety", event(1), 5.0)
    assert log.add("rex", "event/safety", event(1, origin="bridge-1"), 0.0), "another journal"
    assert log.add("ada", "event/safety", event(1), 0.0), "another robot"
    assert log.add("rex", "event/safety", event(0), 0.0)
    assert log.add("rex", "event/safety", event(0), 0.0)
    assert len(log.search("rex")) == 4


def test_a_gap_is_seen_asked_for_and_closed(log: EventLog) -> None:
    for seq in (1, 2, 5):
        assert log.has_gap("rex", event(seq)) == (seq == 5)
        log.add("rex", "event/safety", event(seq), 0.0)
    assert log.known("rex") == {"mind-1": 2}
    assert log.accept("rex", past([3, 4, 5], after=2), 0.0) == 2
    assert log.known("rex") == {"mind-1": 5}
    assert not log.has_gap("rex", event(6))
    assert log.accept("rex", past([3, 4], after=2), 0.0) == 0


def test_the_first_event_is_no_gap_and_a_late_reader_asks_for_all(log: EventLog) -> None:
    assert not log.has_gap("rex", event(1))
    assert log.has_gap("rex", event(40))
    assert log.known("rex") == {}
    log.add("rex", "event/safety", event(40), 0.0)
    assert log.known("rex") == {"mind-1": 0}


def test_what_a_journal_has_no_more_makes_no_gap(log: EventLog) -> None:
    log.add("rex", "event/safety", event(40), 0.0)
    log.accept("rex", past([30, 31], after=0), 0.0)
    log.accept("rex", past(list(range(32, 41)), after=31), 0.0)
    assert log.known("rex") == {"mind-1": 40}
    assert not log.has_gap("rex", event(41))


def test_an_answer_to_another_reader_hides_no_gap_of_ours(log: EventLog) -> None:
    for seq in (1, 2):
        log.add("rex", "event/safety", event(seq), 0.0)
    log.accept("rex", past([9, 10], after=8), 0.0)  # it asked from 8 on; we lack 3 to 8
    assert log.known("rex") == {"mind-1": 2}
    assert log.has_gap("rex", event(11))


def test_words_of_a_turn_are_not_kept(tmp_path: Path) -> None:
    file = tmp_path / "events.sqlite"
    with closing(EventLog(file)) as log:
        turn = {"turn": 1, "intent": "sit", "confidence": 1.0, "action": "sit", "mood": "calm", "mono_ms": 1}
        told = m.TurnEvent.model_validate(turn | {"heard": "strawberry", "said": "marmalade"})
        log.add("rex", "event/turn", told, 0.0)
        assert log.search("rex", "strawberry") == []
        [row] = log.search("rex", "sit")
        assert "heard" not in row.payload
    written = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"strawberry" not in written
    assert b"marmalade" not in written


def test_a_file_outlives_its_reader(tmp_path: Path) -> None:
    file = tmp_path / "events.sqlite"
    with closing(EventLog(file)) as log:
        log.accept("rex", past([20, 21], after=0), 0.0)
        log.add("rex", "event/safety", event(23), 0.0)
    with closing(EventLog(file)) as log:
        assert log.known("rex") == {"mind-1": 21}, "and that nothing lies before 20"
        assert not log.add("rex", "event/safety", event(21), 0.0)
        assert details(log) == ["d23", "d21", "d20"]


def test_the_oldest_of_a_robot_go_and_of_no_other(log: EventLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_log, "LIMIT", 50)
    log.add("ada", "event/safety", event(1), 0.0)
    for seq in range(1, 1_100):
        log.add("rex", "event/safety", event(seq, at_s=float(seq)), 0.0)
    kept = details(log, limit=5_000)
    assert kept[0] == "d1099"
    assert 50 <= len(kept) < 1_050
    assert len(details(log, "ada")) == 1
    assert log.known("rex") == {"mind-1": 1_099}, "what was taken away here is no gap"


def test_search_takes_words_as_they_are_and_a_time_of_the_robots(log: EventLog) -> None:
    log.add("rex", "event/safety", event(1, detail='100 % "sure"', at_s=10.0), 99.0)
    log.add("rex", "event/safety", event(2, detail="under_score"), 20.0)
    log.add("rex", "event/wake", m.WakeEvent(name="hey buddy", score=0.9, mono_ms=1), 5.0)
    assert details(log, text="%") == ['100 % "sure"']
    assert details(log, text="under_") == ["under_score"]
    assert details(log, text="' OR 1=1 --") == []
    assert [row.at_s for row in log.search("rex")] == [20.0, 10.0, 5.0]
    assert [row.name for row in log.search("rex", names=["event/wake"])] == ["event/wake"]
    assert len(log.search("rex", limit=2)) == 2


def test_search_finds_what_a_word_is_told_as(log: EventLog) -> None:
    log.add("rex", "event/safety", event(1, detail="a"), 0.0)
    log.add("rex", "event/wake", m.WakeEvent(name="hey buddy", score=0.9, mono_ms=1), 5.0)
    told = {"held": ["halt", "hold"]}
    assert details(log, text="held") == []
    assert details(log, text="held", meant=lambda word: told.get(word, [])) == ["a"]
    assert details(log, text="held b", meant=lambda word: told.get(word, [])) == []
