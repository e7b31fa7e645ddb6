"""`everpaw update attend`: what the owner's page asks of the updater, one job at a time.

Each job is `everpaw update look | install | rollback` as a process of its own, so that rules, lock and trial
are the same as by hand. `state/update` tells what is installed, what is offered and what the way back leads
to: at the start, and after every job, whoever began it.
"""

import queue
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing

from pydantic import ValidationError

from firmware_bridge.sim import Ended
from firmware_bridge.update.slots import Slots
from runtime.bus import Bus, Delivery, decode
from runtime.contracts import messages as m
from runtime.contracts.config import RobotConfig
from runtime.contracts.errors import MessageError
from runtime.contracts.pack import MANIFEST_NAME, Manifest
from runtime.contracts.reports import OfferRow, PackRow, UpdateAck, UpdateState
from runtime.contracts.requests import UpdateRequest

CONNECT_S = 30.0
JOB_S = 3_600.0
FAREWELL_S = 1.0
UNDER_WAY: tuple[m.JobStatus, ...] = ("checking", "downloading", "verifying", "switching", "trial")
Run = Callable[[str], str]
"""Does an act of `everpaw update`; why it failed, empty where it did not"""


class Attendant:
    """`take` and `follow` are called on the bus's thread; jobs are done by whoever calls `step`."""

    def __init__(self, slots: Slots, publish: Callable[[str, m.Message], object], repository: bool) -> None:
        self._slots, self._publish, self._repository = slots, publish, repository
        self._jobs: queue.Queue[str] = queue.Queue(maxsize=1)
        self._busy = self._ended = self._told = False

    def take(self, delivery: Delivery) -> None:
        """`request/update`."""
        if delivery.retained:
            return
        try:
            asked = decode(delivery, UpdateRequest)
        except MessageError:
            return
        self._publish("ack/update", self._answer(asked))

    def _answer(self, asked: UpdateRequest) -> UpdateAck:
        if not asked.is_fresh(time.monotonic_ns() // 1_000_000):
            return UpdateAck(id=asked.id, ok=False, reason="late")
        try:
            if self._busy:
                raise queue.Full
            self._jobs.put_nowait(asked.act)
        except queue.Full:
            return UpdateAck(id=asked.id, ok=False, reason="busy")
        return UpdateAck(id=asked.id, ok=True)

    def follow(self, delivery: Delivery) -> None:
        """`job/update`, of ours or of another updater: the state is told anew where it ended."""
        self._told = True
        try:
            self._ended = self._ended or decode(delivery, m.JobState).status not in UNDER_WAY
        except MessageError:
            return

    def step(self, run: Run, timeout_s: float) -> None:
        """The next job, if one comes in time; then the state, where a job ended."""
        try:
            act = self._jobs.get(timeout=timeout_s)
        except queue.Empty:
            act = ""
        if act:
            self._busy, self._told = True, False
            why = run(act)
            self._busy = False
            if why and not self._heard():
                now_ms = time.monotonic_ns() // 1_000_000
                self._publish("job/update", m.JobState(status="failed", detail=why[:1_000], mono_ms=now_ms))
        if act or self._ended:
            self._ended = False
            self.tell()

    def _heard(self) -> bool:
        """The job told of itself; its last word may still be on its way."""
        give_up_s = time.monotonic() + FAREWELL_S
        while not self._told and time.monotonic() < give_up_s:
            time.sleep(0.05)
        return self._told

    def tell(self) -> None:
        self._publish("state/update", state_of(self._slots, self._repository))


def state_of(slots: Slots, repository: bool) -> UpdateState:
    """As it lies on the disk; UpdateError where that is damaged."""
    record = slots.record()
    offered = record.offered
    return UpdateState(
        repository=repository,
        serving=_pack(slots, slots.serving),
        version=record.version,
        previous=_pack(slots, record.previous),
        offered=offered
        and OfferRow(name=offered.name, version=offered.version, sha256=offered.release, notes=offered.notes),
        refused=record.refused.get(offered.release, "") if offered else "",
    )


def _pack(slots: Slots, release: str | None) -> PackRow | None:
    if release is None or not slots.holds(release):
        return None
    try:
        manifest = Manifest.model_validate_json((slots.folder(release) / MANIFEST_NAME).read_bytes())
    except (OSError, ValidationError):  # whoever runs it says more
        return PackRow(name="", sha256=release)
    return PackRow(name=manifest.name, sha256=release)


def serve(slots: Slots, config: RobotConfig, words: Sequence[str]) -> int:
    """Until a signal; BusError where there is no broker."""
    mqtt = config.mqtt
    bus = Bus(config.robot_id, mqtt.host, mqtt.port, certificates=mqtt.certificates)
    attendant = Attendant(slots, bus.publish, config.update.repository is not None)
    bus.subscribe("request/update", attendant.take)
    bus.subscribe("job/update", attendant.follow)
    ended = Ended().listen()
    with closing(bus.connect(CONNECT_S)):
        attendant.tell()
        while not ended.asked:
            attendant.step(lambda act: _run(act, words), timeout_s=0.5)
    return 0


def _run(act: str, words: Sequence[str]) -> str:
    """The same command as by hand; its last word where it failed."""
    command = [sys.executable, "-m", "runtime.cli", "update", act, *words]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=JOB_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"everpaw update {act} did not end ({error})"
    said = done.stderr.strip().splitlines()
    return said[-1].removeprefix("everpaw: ") if done.returncode and said else ""
