"""What a page asks of the updater is done by the rules of the command, and what is there is told."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from firmware_bridge.update import health
from firmware_bridge.update.attend import Attendant, state_of
from firmware_bridge.update.command import main
from firmware_bridge.update.slots import Slots
from runtime.broker import Broker, available_kind, run_broker
from runtime.bus import Delivery
from runtime.contracts import messages as m
from runtime.contracts.reports import UpdateAck, UpdateState
from runtime.contracts.requests import FRESH_MS, UpdateRequest
from runtime.contracts.topics import encode
from runtime.eyes.watcher import Watcher
from tests.firmware_bridge.update.stage import WELL, Maker

pytestmark = pytest.mark.skipif(available_kind() is None, reason="neither mosquitto nor amqtt is installed")


def now_ms() -> int:
    return time.monotonic_ns() // 1_000_000


def request(act: str, *, seen_ms: int | None = None, retained: bool = False) -> Delivery:
    asked = {"id": act, "act": act, "seen_mono_ms": now_ms() if seen_ms is None else seen_ms}
    return Delivery("rex", "request/update", encode(UpdateRequest.model_validate(asked)), retained, 1, False)


def wait(true: Callable[[], object]) -> None:
    give_up_s = time.monotonic() + 120
    while not true():
        assert time.monotonic() < give_up_s
        time.sleep(0.05)


@pytest.fixture(scope="module")
def broker() -> Iterator[Broker]:
    with run_broker() as broker:
        yield broker


class Desk:
    """An attendant in this process; its jobs are the command's own, their health made up."""

    def __init__(self, maker: Maker, root: Path, broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(health, "examine", lambda *_: WELL)
        self.said: list[m.Message] = []
        self.slots = Slots(root)
        self.attendant = Attendant(self.slots, lambda name, message: self.said.append(message), True)
        self._words = ["--root", str(root), "--keys", str(maker.owner.folder)]
        self._words += ["--set", f"mqtt.port={broker.port}", "--set", f"update.repository={maker.repo}"]

    def ask(self, act: str) -> UpdateState:
        self.attendant.take(request(act))
        self.attendant.step(lambda what: str(main([what, *self._words]) or ""), timeout_s=0)
        told = self.said[-1]
        assert isinstance(told, UpdateState)
        return told


def test_looking_tells_what_is_offered_and_installing_and_going_back_what_serves(
    maker: Maker, tmp_path: Path, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    maker.publish("one")
    desk = Desk(maker, tmp_path / "root", broker, monkeypatch)
    looked = desk.ask("look")
    assert looked.serving is None
    assert looked.offered is not None
    assert (looked.offered.name, looked.offered.version) == ("one", 1)
    first = desk.ask("install")
    assert first.serving is not None
    assert (first.serving.name, first.serving.sha256) == ("one", looked.offered.sha256)
    maker.publish("two", wake_rex_onnx=b"another head")
    second = desk.ask("look")
    assert second.offered is not None
    assert second.offered.name == "two"
    assert second.serving == first.serving, "looking installs nothing"
    third = desk.ask("install")
    assert (third.serving and third.serving.name, third.previous) == ("two", first.serving)
    back = desk.ask("rollback")
    assert back.serving == first.serving
    assert back.offered is not None
    assert back.refused, "what served is not taken again by itself, and why is told"
    assert all(ack.ok for ack in desk.said if isinstance(ack, UpdateAck))


def test_one_job_at_a_time_and_none_that_is_old_or_retained(maker: Maker, tmp_path: Path) -> None:
    said: list[m.Message] = []
    attendant = Attendant(Slots(tmp_path / "root"), lambda name, message: said.append(message), True)
    attendant.take(request("install", seen_ms=max(0, now_ms() - FRESH_MS - 1_000)))
    attendant.take(request("install", retained=True))
    attendant.take(Delivery("rex", "request/update", b"{", False, 1, False))
    assert said == [UpdateAck(id="install", ok=False, reason="late")]
    attendant.take(request("look"))
    attendant.take(request("rollback"))
    assert [ack.reason for ack in said if isinstance(ack, UpdateAck)] == ["late", "", "busy"]
    done: list[str] = []
    attendant.step(lambda act: done.append(act) or "no such thing", timeout_s=0)
    assert done == ["look"]
    assert isinstance(said[-2], m.JobState)
    assert (said[-2].status, said[-2].detail) == ("failed", "no such thing")
    assert said[-1] == UpdateState(repository=True)


def test_the_real_process_looks_for_a_page(maker: Maker, tmp_path: Path, broker: Broker) -> None:
    maker.publish("one")
    settings = ("robot_id=rex", f"mqtt.port={broker.port}", f"update.repository={maker.repo}")
    words = [sys.executable, "-m", "runtime.cli", "update", "attend", "--root", str(tmp_path / "root")]
    words += ["--keys", str(maker.owner.folder), *(word for one in settings for word in ("--set", one))]
    with closing(Watcher(broker.host, broker.port).start()) as watcher:
        process = subprocess.Popen(words)

        def state() -> UpdateState | None:
            return watcher.pets["rex"].of("state/update", UpdateState) if "rex" in watcher.pets else None

        try:
            wait(state)
            watcher.bus.publish("state/clock", m.Clock(boot_id="b", mono_ms=now_ms()), to="rex")
            wait(lambda: watcher.pets["rex"].of("state/clock", m.Clock))
            watcher.ask_now("rex", "request/update", act="look")
            wait(lambda: (told := state()) and told.offered)
            told = state()
            assert told is not None
            assert told.repository
            assert told.offered is not None
            assert told.offered.name == "one"
            job = watcher.pets["rex"].of("job/update", m.JobState)
            assert job is not None
            assert job.status == "offered"
        finally:
            process.terminate()
            assert process.wait(30) == 0
    assert state_of(Slots(tmp_path / "root"), True) == told
