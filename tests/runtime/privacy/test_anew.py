"""A page's order to erase: the real mind ends its life, nothing is left, another life begins in its place."""

import os
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from io import BytesIO
from pathlib import Path

import pytest

from runtime.body import mono_ms
from runtime.broker import available_kind, run_broker
from runtime.contracts import messages as m
from runtime.contracts.config import RobotConfig
from runtime.contracts.reports import DayState, ErasedAck, ExportAck, KeptAck
from runtime.contracts.requests import EraseRequest
from runtime.contracts.topics import encode
from runtime.data_folder import data_folder, in_use
from runtime.eyes.pet import Pet
from runtime.eyes.watcher import Watcher
from runtime.mind.memory import proof
from runtime.privacy import erasing
from runtime.privacy.anew import erased
from runtime.privacy.copies import Incoming
from runtime.privacy.holdings import Holdings
from tests.runtime.privacy.test_privacy import FACT, LESSON, SECRET, fill
from tests.runtime.test_pipeline import until as until_within

until = partial(until_within, timeout_s=120.0)
needs_broker = pytest.mark.skipif(available_kind() is None, reason="no broker is installed")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    fill(data_folder("rex"))
    return data_folder("rex")


def request(*only: str) -> EraseRequest:
    return EraseRequest.model_validate({"id": "1", "only": only, "seen_mono_ms": 0})


@pytest.fixture
def watcher(home: Path) -> Iterator[Watcher]:
    """Of a broker on which a real mind lives."""
    for name in ("persona.toml", "life.json"):  # none that a mind could live by
        (home / name).unlink()
    with run_broker() as broker, closing(Watcher(broker.host, broker.port).start()) as watcher:
        settings = (f"mqtt.port={broker.port}", "robot_id=rex", "audio.source=silence", "audio.sink=silence")
        words = [sys.executable, "-m", "runtime.cli", "run"]
        words += [word for one in settings for word in ("--set", one)]
        mind = subprocess.Popen(words, env=os.environ, stderr=subprocess.DEVNULL)
        try:
            yield watcher
            assert mind.poll() is None, "the new life goes on in the old one's process"
        finally:
            mind.terminate()
            mind.wait(30)


def counts(watcher: Watcher) -> dict[str, int]:
    """What the mind says it keeps, asked until it hears."""
    asked: list[str] = []

    def answer() -> KeptAck | None:
        told = watcher.pets["rex"].of("ack/kept", KeptAck)
        return told if told is not None and told.id in asked else None

    def answered() -> bool:
        asked.append(watcher.ask("rex", "request/kept"))
        time.sleep(0.3)
        return answer() is not None

    until(answered)
    told = answer()
    assert told is not None
    return {str(name): count for name, count in told.counts.items()}


@needs_broker
def test_a_page_erases_what_a_living_mind_keeps(home: Path, watcher: Watcher) -> None:
    births: list[bool] = []

    def note(pet: Pet, name: str, message: m.Message) -> None:
        if isinstance(message, m.Presence) and name == "state/runtime":
            births.append(message.alive)

    watcher.listen(note)
    until(lambda: births[-1:] == [True])
    before = counts(watcher)
    assert (before["memory"], before["lessons"], before["events"]) == (1, 1, 1)
    watcher.bus.publish("state/clock", m.Clock(boot_id="b", mono_ms=mono_ms()), to="rex")
    until(lambda: watcher.pets["rex"].of("state/clock", m.Clock) is not None)
    asked = watcher.ask_now("rex", "request/erase", only=erasing.CLASSES)
    until(lambda: watcher.pets["rex"].of("ack/erased", ErasedAck) is not None)
    answer = watcher.pets["rex"].of("ack/erased", ErasedAck)
    assert answer is not None
    assert (answer.id, answer.ok, answer.reason) == (asked, True, "")
    assert answer.searched_for >= 4
    until(lambda: births[-2:] == [False, True])
    after = counts(watcher)
    assert (after["memory"], after["lessons"], after["events"]) == (0, 0, 0)
    needles = proof.needles_of([FACT]) | {SECRET.encode(), LESSON.reply.encode(), b"hey buddy"}
    assert proof.search(home, needles).hits == 0


@needs_broker
def test_a_page_takes_a_copy_of_what_a_living_mind_keeps(home: Path, watcher: Watcher) -> None:
    page = Incoming("rex", "order")
    seen: list[m.Message] = []

    def note(pet: Pet, name: str, message: m.Message) -> None:
        seen.append(message)
        if isinstance(message, ExportAck):
            page.take(message)

    watcher.listen(note)
    until(lambda: "rex" in watcher.pets)
    assert counts(watcher)["memory"] == 1
    watcher.bus.publish("state/clock", m.Clock(boot_id="b", mono_ms=mono_ms()), to="rex")
    until(lambda: watcher.pets["rex"].of("state/clock", m.Clock) is not None)
    watcher.ask_now("rex", "request/export", id="order", key=page.key)
    until(lambda: page.whole)
    with zipfile.ZipFile(BytesIO(page.open())) as archive:
        assert SECRET in archive.read("facts.json").decode()
        assert SECRET in archive.read("lessons.jsonl").decode()
    until(lambda: watcher.pets["rex"].of("state/day", DayState) is not None)
    until(lambda: any(isinstance(message, m.PrivacyEvent) and message.what == "copy" for message in seen))
    told = b"".join(encode(message) for message in seen)
    assert b"flowerpot" not in told


def test_only_what_was_named_goes_and_journals_are_left_to_who_writes_them(home: Path) -> None:
    held = Holdings.of(RobotConfig(robot_id="rex"))
    answer = erased(held, request("lessons", "events"))
    assert answer.ok
    assert answer.erased == ("lessons", "events")
    assert {name: count for name, count in held.counts().items() if count} == {
        "memory": 1,
        "events": 1,
        "persona": 1,
        "life": 1,
    }


def test_what_cannot_be_erased_is_told(home: Path) -> None:
    held = Holdings.of(RobotConfig(robot_id="rex"))
    with in_use(home, alone=True):
        answer = erased(held, request("memory"))
    assert not answer.ok
    assert "being erased" in answer.reason
    assert held.counts()["memory"] == 1
