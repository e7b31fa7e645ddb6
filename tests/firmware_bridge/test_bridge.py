"""The bridge as a process, between a real broker and the simulated board.

Nothing is asserted on time. A machine so busy that the mind's lease or the stream starves disarms the robot,
as it must; the owner then arms again and asks again, a few times.
"""

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from firmware_bridge.urgency import be_urgent
from runtime import starter
from runtime.broker import Broker, available_kind, run_broker
from runtime.bus import Bus, Delivery, decode
from runtime.contracts import messages as m
from runtime.contracts.topics import TOPICS

if available_kind() is None:
    pytest.skip("neither mosquitto nor amqtt is installed", allow_module_level=True)

PACK = Path(starter.__file__).parent
TRIES = 5
PATIENCE_S = 20.0
FINAL = {"done", "rejected", "expired", "preempted", "failed"}


class Owner:
    """A mind and a page in one: renews the lease from a process of its own, commands, and remembers."""

    def __init__(self, broker: Broker, folder: Path, stack: ExitStack) -> None:
        self._stack, self._broker, self._folder = stack, broker, folder
        self.port, self.log = folder / "mcu", folder / "mcu.log"
        self.sim = self._start("firmware_bridge.sim", "--link", str(self.port), "--log", str(self.log))
        self.wait(self.port.exists)
        self.acks: list[m.Ack] = []
        self.events: list[m.SafetyEvent] = []
        self.joints: list[dict[str, float]] = []
        self.clock: m.Clock | None = None
        self.body: m.BodyState | None = None
        self.alive: bool | None = None
        self.bus = stack.enter_context(Bus("rex", broker.host, broker.port))
        for name in (
            "ack/command",
            "event/safety",
            "tele/joints",
            "state/clock",
            "state/body",
            "state/bridge",
        ):
            self.bus.subscribe(name, self._on_message)
        self.bridge = self.start_bridge("--arm")
        self._lease: subprocess.Popen[bytes] | None = None

    def start_bridge(self, *args: str) -> subprocess.Popen[bytes]:
        self.clock = self.body = self.alive = None
        address = f"{self._broker.host}:{self._broker.port}"
        words = (
            "--robot-id",
            "rex",
            "--broker",
            address,
            "--port",
            str(self.port),
            "--pack",
            str(PACK),
            *args,
        )
        process = self._start("firmware_bridge.bridge", *words)
        self.wait(lambda: self.clock is not None and self.alive is True and self.body is not None)
        return process

    def start_lease(self) -> None:
        assert self.clock is not None
        words = (f"{self._broker.host}:{self._broker.port}", self.clock.boot_id)
        self._lease = self._start("tests.firmware_bridge.lease", *words, said=self._folder / "lease")
        self.wait(lambda: (self._folder / "lease").stat().st_size)

    def end_lease(self) -> None:
        assert self._lease is not None
        self._lease.kill()
        self._lease.wait()

    def _start(self, module: str, *args: str, said: Path | None = None) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", module, *args]
        with (said or Path(os.devnull)).open("wb") as output:
            process = subprocess.Popen(command, stdout=output, start_new_session=True)
        self._stack.callback(_end, process)
        return process

    def _on_message(self, delivery: Delivery) -> None:
        match decode(delivery, TOPICS[delivery.name].model):
            case m.Ack() as ack:
                self.acks.append(ack)
            case m.SafetyEvent() as event:
                self.events.append(event)
            case m.JointsTelemetry() as sample:
                self.joints.append(sample.joints_deg)
            case m.Clock() as clock:
                self.clock = clock
            case m.BodyState() as body:
                self.body = body
            case m.Presence() as presence:
                self.alive = presence.alive

    def wait(self, true: Callable[[], Any], timeout_s: float = PATIENCE_S) -> None:
        give_up_s = time.monotonic() + timeout_s
        while not true():
            assert time.monotonic() < give_up_s, (self.__dict__.get("acks"), self.__dict__.get("body"))
            time.sleep(0.01)

    def wait_state(self, state: str) -> None:
        self.wait(lambda: self.body is not None and self.body.mcu_state == state)

    def send(self, name: str, model: type[m.Command], source: m.Source = "mind", **fields: Any) -> str:
        assert self.clock is not None
        command_id = uuid.uuid4().hex
        command = model(
            id=command_id,
            boot_id=self.clock.boot_id,
            issued_at_ms=time.monotonic_ns() // 1_000_000,
            ttl_ms=5_000,
            source=source,
            **fields,
        )
        self.bus.publish(name, command)
        return command_id

    def raw(self, name: str, payload: bytes, *, retain: bool = False) -> None:
        self.bus._client.publish(f"everpaw/v1/rex/{name}", payload, 1, retain)

    def statuses(self, command_id: str) -> list[str]:
        return [ack.status for ack in self.acks if ack.id == command_id]

    def reason(self, command_id: str) -> str:
        return [ack.reason for ack in self.acks if ack.id == command_id][-1]

    def ended(self, command_id: str) -> str:
        self.wait(lambda: FINAL & set(self.statuses(command_id)))
        return self.statuses(command_id)[-1]

    def arm(self) -> None:
        assert self.ended(self.send("cmnd/arm", m.ArmCommand, "page")) == "done"
        self.wait_state("ARMED")

    def do(self, name: str, model: type[m.Command], until: set[str], **fields: Any) -> str:
        """Command until it comes to `until`, arming again where a busy machine let the body stop."""
        for _ in range(TRIES):
            if self.body is None or self.body.mcu_state != "ARMED":
                self.wait_state("DISARMED")
                self.arm()
            command_id = self.send(name, model, **fields)
            self.wait(lambda found=command_id: (until | FINAL) & set(self.statuses(found)))  # type: ignore[misc]
            if until & set(self.statuses(command_id)):
                return command_id
            time.sleep(0.2)
        raise AssertionError(self.acks[-5:])

    def board(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture
def owner(tmp_path: Path) -> Iterator[Owner]:
    with ExitStack() as stack:
        broker = stack.enter_context(run_broker())
        yield Owner(broker, tmp_path, stack)


def test_a_skill_moves_the_joints_and_is_acknowledged_in_order(owner: Owner) -> None:
    owner.wait_state("ARMED")
    owner.start_lease()
    owner.bus.publish("request/view", m.ViewRequest(id="v", for_ms=10_000))
    sat = owner.do("cmnd/skill", m.SkillCommand, {"done"}, skill="sit")
    assert owner.statuses(sat) == ["accepted", "started", "done"]
    times = [ack.mono_ms for ack in owner.acks if ack.id == sat]
    assert times == sorted(times)
    owner.wait(lambda: owner.joints and abs(owner.joints[-1]["rear_left_knee"] - 115) < 5)
    walked = owner.do("cmnd/gait", m.GaitCommand, {"started"}, gait="walk", duration_ms=9_000)
    nodded = owner.do("cmnd/skill", m.SkillCommand, {"started"}, skill="nod")
    assert owner.statuses(walked)[-1] == "preempted" or owner.statuses(walked)[-1] == "failed"
    held = owner.send("cmnd/halt", m.HaltCommand, reason="heard")
    assert owner.ended(held) == "done"
    assert owner.ended(nodded) in {"preempted", "failed", "done"}


def test_without_a_lease_nothing_moves_and_a_lapse_stops_the_board(owner: Owner) -> None:
    owner.wait_state("ARMED")
    refused = owner.send("cmnd/skill", m.SkillCommand, skill="sit")
    assert owner.ended(refused) == "rejected"
    assert "no lease" in owner.reason(refused) or "not armed" in owner.reason(refused)
    owner.start_lease()
    walking = owner.do("cmnd/gait", m.GaitCommand, {"started"}, gait="walk", duration_ms=60_000)
    owner.end_lease()
    assert owner.ended(walking) == "failed"
    owner.wait_state("DISARMED")
    owner.wait(lambda: any(event.kind == "lease_lapsed" for event in owner.events))
    stopping = [row for row in owner.board() if row["state"] == "STOPPING"][-1]
    assert (stopping["reason"], stopping["age_ticks"]) == ("DEADLINE", 25)
    assert owner.board()[-1]["torque"] is False


def test_stop_latches_whatever_it_looks_like_and_only_hands_clear_it(owner: Owner) -> None:
    owner.wait_state("ARMED")
    owner.start_lease()
    owner.do("cmnd/gait", m.GaitCommand, {"started"}, gait="walk", duration_ms=60_000)
    owner.raw("cmnd/stop", b"\xff{not json")
    owner.wait_state("FAULT")
    for source in ("mind", "voice"):
        assert owner.ended(owner.send("cmnd/clear", m.ClearCommand, source)) == "rejected"
        assert owner.ended(owner.send("cmnd/arm", m.ArmCommand, source)) == "rejected"
    assert owner.ended(owner.send("cmnd/skill", m.SkillCommand, skill="sit")) == "rejected"
    assert owner.ended(owner.send("cmnd/arm", m.ArmCommand, "page")) == "rejected"
    assert owner.body is not None
    assert owner.body.mcu_state == "FAULT"
    assert owner.ended(owner.send("cmnd/clear", m.ClearCommand, "page")) == "done"
    owner.wait_state("DISARMED")
    owner.do("cmnd/skill", m.SkillCommand, {"started"}, skill="nod")


def test_bad_commands_are_answered_and_no_frame_leaves(owner: Owner) -> None:
    owner.wait_state("ARMED")
    owner.start_lease()
    owner.do("cmnd/skill", m.SkillCommand, {"done"}, skill="nod")
    now_ms = time.monotonic_ns() // 1_000_000
    assert owner.clock is not None
    good = {"boot_id": owner.clock.boot_id, "issued_at_ms": now_ms, "ttl_ms": 5_000, "source": "mind"}
    bad = {
        "late": good | {"skill": "sit", "issued_at_ms": now_ms - 9_000, "ttl_ms": 10},
        "boot": good | {"skill": "sit", "boot_id": "before"},
        "schema": good | {"skill": "sit", "schema": 9},
        "unknown": good | {"skill": "fly"},
    }
    for name, payload in bad.items():
        owner.raw("cmnd/skill", json.dumps(payload | {"id": name}).encode())
        assert owner.ended(name) in {"expired", "rejected"}
        assert owner.reason(name)
        assert "accepted" not in owner.statuses(name)
    owner.raw("cmnd/skill", b"{")
    owner.wait(lambda: any(ack.id == "" and ack.status == "rejected" for ack in owner.acks))


def test_a_retained_command_is_dropped_and_a_retained_stop_stops(owner: Owner) -> None:
    owner.wait_state("ARMED")
    owner.bridge.send_signal(signal.SIGINT)
    assert owner.bridge.wait(PATIENCE_S) == 0
    stamp = {"boot_id": "x", "issued_at_ms": 0, "ttl_ms": 5_000, "source": "mind"}
    owner.raw("cmnd/skill", json.dumps(stamp | {"id": "kept", "skill": "sit"}).encode(), retain=True)
    owner.raw("cmnd/stop", b"", retain=False)
    owner.raw("cmnd/stop", b"old", retain=True)
    owner.bridge = owner.start_bridge("--arm")
    owner.wait(lambda: "rejected" in owner.statuses("kept"))
    assert owner.reason("kept").startswith("retained")
    owner.wait_state("FAULT")


def test_a_killed_bridge_leaves_the_board_disarmed_by_its_own_clock(owner: Owner) -> None:
    owner.wait_state("ARMED")
    owner.start_lease()
    owner.do("cmnd/gait", m.GaitCommand, {"started"}, gait="walk", duration_ms=60_000)
    os.kill(owner.bridge.pid, signal.SIGKILL)
    owner.wait(lambda: owner.board()[-1]["state"] == "DISARMED")
    stopping = [row for row in owner.board() if row["state"] == "STOPPING"][-1]
    assert (stopping["reason"], stopping["age_ticks"]) == ("DEADLINE", 25)
    owner.wait(lambda: owner.alive is False)
    owner.bridge.wait()
    owner.bridge = owner.start_bridge()
    owner.wait_state("DISARMED")


def test_ctrl_c_disarms_says_goodbye_and_leaves_nothing(owner: Owner) -> None:
    owner.wait_state("ARMED")
    owner.start_lease()
    owner.do("cmnd/gait", m.GaitCommand, {"started"}, gait="walk", duration_ms=60_000)
    owner.bridge.send_signal(signal.SIGINT)
    assert owner.bridge.wait(PATIENCE_S) == 0
    owner.wait(lambda: owner.alive is False)
    stopping, last = owner.board()[-2:]
    assert (stopping["state"], stopping["reason"]) == ("STOPPING", "DISARM_ORDER")
    assert (last["state"], last["torque"]) == ("DISARMED", False)
    owner.sim.send_signal(signal.SIGTERM)
    assert owner.sim.wait(PATIENCE_S) == 0
    assert not owner.port.is_symlink()


def test_the_simulator_ends_with_its_parent(tmp_path: Path) -> None:
    port = tmp_path / "mcu"
    script = (
        "import subprocess, sys; from pathlib import Path\n"
        "command = [sys.executable, '-m', 'firmware_bridge.sim', '--link', sys.argv[1]]\n"
        "sim = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)\n"
        "while sim.poll() is None and not Path(sys.argv[1]).exists(): pass\n"
        "print(sim.pid)"
    )
    command = [sys.executable, "-c", script, str(port)]
    found = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    give_up_s = time.monotonic() + PATIENCE_S
    while Path(f"/proc/{found.stdout.strip()}").exists():
        assert time.monotonic() < give_up_s
        time.sleep(0.02)
    assert not port.is_symlink()


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("--port", "/dev/none", "--pack", str(PACK)), "cannot open /dev/none"),
        (("--port", "sim", "--pack", "/nowhere"), "holds no skills"),
        (
            ("--port", "sim", "--pack", str(PACK), "--broker", "127.0.0.1:1", "--connect-s", "0.2"),
            "no broker",
        ),
    ],
)
def test_what_is_missing_is_one_clear_line(args: tuple[str, ...], words: str) -> None:
    command = [sys.executable, "-m", "firmware_bridge.bridge", "--robot-id", "rex", *args]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert words in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_urgency_is_asked_for_politely() -> None:
    code = "from firmware_bridge.urgency import be_urgent; print(be_urgent())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() in {"real time", "nice -10", "ordinary"}
    assert callable(be_urgent)
