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
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from firmware_bridge import codec
from firmware_bridge.mcu import protocol as p
from firmware_bridge.urgency import be_urgent
from runtime.broker import available_kind, run_broker
from runtime.contracts import messages as m
from tests.firmware_bridge.owner import PACK, PATIENCE_S, Owner

if available_kind() is None:
    pytest.skip("neither mosquitto nor amqtt is installed", allow_module_level=True)


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


class Tapped(Owner):
    """Unarmed, with an ear on the wire, where only HELLO and PING go unasked."""

    def cable(self) -> Path:
        host, self.tap = self._folder / "cable", self._folder / "tap"
        self._start("tests.torture.relay", str(self.port), str(host), "--tap", str(self.tap))
        self.wait(host.exists)
        return host

    def start_bridge(self, *_args: str) -> subprocess.Popen[bytes]:
        return super().start_bridge()

    def orders(self) -> list[int]:
        """Kinds of the frames that went to the board, but those."""
        wire = bytes.fromhex("".join(self.tap.read_text().split()))
        kinds = [frame.kind for frame in codec.FrameReader().feed(wire)]
        assert kinds.count(p.PING) > 0
        return [kind for kind in kinds if kind not in (p.HELLO_ASK, p.PING)]


BAD: dict[str, tuple[str, dict[str, object]]] = {
    "stale": ("late: by", {"issued_at_ms": -60_000}),
    "expired": ("late: by", {"issued_at_ms": -200, "ttl_ms": 100}),
    "early": ("issued in the future", {"issued_at_ms": 60_000}),
    "boot": ("other boot", {"boot_id": "before"}),
    "schema": ("malformed", {"schema": 9}),
    "voice": ("arm is for page", {"source": "voice"}),
    "more": ("malformed", {"also": 1}),
    "less": ("malformed", {"source": None}),
}


def test_no_bad_command_puts_a_frame_on_the_wire_and_each_is_told_why(tmp_path: Path) -> None:
    with ExitStack() as stack:
        owner = Tapped(stack.enter_context(run_broker()), tmp_path, stack)
        owner.wait_state("DISARMED")
        now_ms = time.monotonic_ns() // 1_000_000
        assert owner.clock is not None
        good = {"boot_id": owner.clock.boot_id, "ttl_ms": 10_000, "source": "page"}
        for name, (reason, wrong) in BAD.items():
            issued_at_ms = now_ms + int(str(wrong.get("issued_at_ms", 0)))
            row = good | wrong | {"id": name, "issued_at_ms": issued_at_ms}
            owner.raw("cmnd/arm", json.dumps(row).encode())
            assert owner.ended(name) in {"expired", "rejected"}
            assert owner.reason(name).startswith(reason)
        taken = owner.send("cmnd/halt", m.HaltCommand, reason="nothing moves")
        assert owner.ended(taken) == "done"
        for name, payload, reason in (
            ("cmnd/arm", json.dumps(good | {"id": taken, "issued_at_ms": now_ms}).encode(), "duplicate"),
            ("cmnd/arm", b"{", "malformed"),
            ("cmnd/fly", b"{}", "unknown act"),
        ):
            owner.raw(name, payload)
            owner.wait(lambda reason=reason: owner.acks[-1].reason.startswith(reason))  # type: ignore[misc]
        foreign = m.ArmCommand.model_validate(good | {"id": "foreign", "issued_at_ms": now_ms})
        owner.bus.publish("cmnd/arm", foreign, to="other")
        owner.bridge.send_signal(signal.SIGINT)
        assert owner.bridge.wait(PATIENCE_S) == 0
        owner.raw("cmnd/arm", json.dumps(good | {"id": "kept", "issued_at_ms": now_ms}).encode(), retain=True)
        owner.bridge = owner.start_bridge()
        assert owner.ended("kept") == "rejected"
        assert owner.reason("kept").startswith("retained")
        owner.wait_state("DISARMED")
        assert owner.orders() == []
        assert not owner.statuses("foreign")
        owner.raw("cmnd/stop", b"late, broken, of nobody")
        owner.wait_state("FAULT")
        assert set(owner.orders()) == {p.STOP}


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
        (("--port", "sim", "--pack", "/nowhere"), "is not a pack"),
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
