"""kill -9, SIGSTOP, unplug, a clock that jumps, while it walks: the board stops by its own clock, for good.

`python -m tests.torture campaign`: bridge, broker and mind are each killed and frozen, a bridge is frozen for
a moment and woken, the cable is pulled, and libfaketime moves the bridge's clocks by an hour; a hundred times
each. What is asserted is counted in the board's own ticks, by the board and by a witness beside it: 250 ms
after the last valid setpoint, plus one tick. The host's wall time is reported only. One robot serves a whole
case; after each run what was broken is mended, and it walks again.
"""

import atexit
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from firmware_bridge.mcu.guard import HOLD_TICKS
from runtime.broker import LOOPBACK, available_kind, find_broker, run_broker
from runtime.contracts import messages as m
from tests.firmware_bridge.owner import Owner
from tests.torture.ledger import Piece, Proof, Row, Verdict

RUNS, IN_A_ROW = 100, 10
MOVING_S = 0.3
"""Walks for so long before something breaks"""
WALKS = 5
QUIET_S = 0.4
"""Watched after the stop and again after mending: nothing re-arms"""
BLINK_S = 0.4
FAKETIME = next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))), None)
HOUR = {"plus": "+3600", "minus": "-3600"}


class Robot(Owner):
    """An owner whose broker, cable and bridge's clock can be broken and mended."""

    def __init__(self, folder: Path, stack: ExitStack, *, faked: bool) -> None:
        self.clock_file = folder / "clock"
        self.faked = faked
        self.clock_file.write_text("+0")
        self.own = ExitStack()
        stack.callback(self.own.close)
        broker = self.own.enter_context(run_broker())
        super().__init__(broker, folder, stack)
        self.broker = broker
        self.wait_state("ARMED")
        self.start_lease()

    def cable(self) -> Path:
        host = self._folder / "cable"
        self.relay = self._start("tests.torture.relay", str(self.port), str(host))
        self.wait(host.exists)
        return host

    def start_bridge(self, *args: str) -> subprocess.Popen[bytes]:
        """Under libfaketime its clocks follow `clock_file` at every look."""
        fake = {
            "LD_PRELOAD": str(FAKETIME),
            "FAKETIME_TIMESTAMP_FILE": str(self.clock_file),
            "FAKETIME_NO_CACHE": "1",
        }
        before = dict(os.environ)
        os.environ.update(fake if self.faked else {})
        try:
            bridge = super().start_bridge(*args)
        finally:
            os.environ.clear()
            os.environ.update(before)
        if self.faked and self.clock is not None:
            self.ahead_ms = self.clock.mono_ms - time.monotonic_ns() // 1_000_000
        return bridge

    def walk(self) -> None:
        """On its way; a starved machine may let go before the fault, which then would show nothing."""
        for _ in range(WALKS):
            self.do("cmnd/gait", m.GaitCommand, {"started"}, gait="walk", duration_ms=60_000)
            time.sleep(MOVING_S)
            if self.board()[-1]["state"] == "ARMED":
                return
        raise RuntimeError(f"it let go {WALKS} times before any fault; give the machine a rest")

    def rested(self, rows: int) -> bool:
        return any(row["state"] == "DISARMED" for row in self.board()[rows:])


Step = Callable[[Robot], None]


@dataclass(frozen=True, slots=True)
class Fault:
    """`breaks` it; `mends` it after the stop. `may_go_on`: the stop is not certain (a short blink)."""

    breaks: Step
    mends: Step
    may_go_on: bool = False
    faked: bool = False


def _signal(victim: str, number: int) -> Step:
    def send(robot: Robot) -> None:
        pid = robot.broker.pid if victim == "broker" else getattr(robot, victim).pid
        assert pid is not None
        os.kill(pid, number)

    return send


def _pull(robot: Robot) -> None:
    """The port's name goes with the cable, as under /dev: its number may be another's at once."""
    robot.relay.kill()
    robot.host_port.unlink()


def _new_bridge(robot: Robot) -> None:
    robot.bridge.wait()
    robot.bridge = robot.start_bridge()
    robot.wait_state("DISARMED")
    robot.lease.kill()  # it renews for the life of the bridge that is gone
    robot.lease.wait()
    robot.start_lease()


def _new_broker(robot: Robot) -> None:
    port = robot.broker.port
    robot.own.close()
    robot.wait(lambda: find_broker(LOOPBACK, port) is None)
    robot.broker = robot.own.enter_context(run_broker(port))
    robot.body = robot.alive = None
    robot.wait(lambda: robot.body is not None and robot.alive is True)


def _new_lease(robot: Robot) -> None:
    robot.lease.wait()
    (robot._folder / "lease").unlink()
    robot.start_lease()


def _new_cable(robot: Robot) -> None:
    robot.relay.wait()
    robot.body = None
    robot.cable()
    robot.wait_state("DISARMED")


def _blink(robot: Robot) -> None:
    os.kill(robot.bridge.pid, signal.SIGSTOP)
    time.sleep(BLINK_S * (1 + time.monotonic_ns() % 7) / 7)
    os.kill(robot.bridge.pid, signal.SIGCONT)


def _set_clock(word: str) -> Step:
    return lambda robot: _write(robot, word)


def _write(robot: Robot, word: str) -> None:
    fresh = robot.clock_file.with_suffix(".new")
    fresh.write_text(word)
    fresh.replace(robot.clock_file)


def _clock_back(robot: Robot) -> None:
    _write(robot, "+0")
    robot.wait_state("DISARMED")


KILL, STOP, GO = signal.SIGKILL, signal.SIGSTOP, signal.SIGCONT
FAULTS = {
    "bridge killed": Fault(_signal("bridge", KILL), _new_bridge),
    "bridge frozen": Fault(_signal("bridge", STOP), _signal("bridge", GO)),
    "bridge blinks": Fault(_blink, lambda robot: None, may_go_on=True),
    "broker killed": Fault(_signal("broker", KILL), _new_broker),
    "broker frozen": Fault(_signal("broker", STOP), _signal("broker", GO)),
    "mind killed": Fault(_signal("lease", KILL), _new_lease),
    "mind frozen": Fault(_signal("lease", STOP), _signal("lease", GO)),
    "cable pulled": Fault(_pull, _new_cable),
    "clock +1 h": Fault(_set_clock(HOUR["plus"]), _clock_back, faked=True),
    "clock -1 h": Fault(_set_clock(HOUR["minus"]), _clock_back, faked=True),
}
SHORT = ("bridge frozen", "mind killed", "broker killed", "cable pulled", "clock +1 h")


def run(robot: Robot, name: str) -> Row:
    """One walk, one fault; `ok` is False where the board did what it must not."""
    fault = FAULTS[name]
    robot.walk()
    rows = len(robot.board())
    began_s = time.monotonic()
    fault.breaks(robot)
    if fault.may_go_on:
        time.sleep(BLINK_S)
    else:
        robot.wait(lambda: robot.rested(rows))
    stopped_s = time.monotonic() - began_s
    time.sleep(QUIET_S)
    fault.mends(robot)
    time.sleep(QUIET_S)
    after = robot.board()[rows:]
    stops = [row for row in after if row["state"] == "STOPPING"]
    late = max((max(row["age_ticks"], row["silent_ticks"]) for row in stops), default=0)
    rearmed = any(row["state"] == "ARMED" for row in after)
    by_itself = all(row["reason"] == "DEADLINE" for row in stops) and bool(stops or fault.may_go_on)
    return {
        "fault": name,
        "ok": by_itself and late <= HOLD_TICKS + 1 and not rearmed,
        "ticks": late,
        "reasons": sorted({row["reason"] for row in stops}),
        "stopped": bool(stops),
        "rearmed": rearmed,
        "wall_s": round(stopped_s, 3),
    }


@contextmanager
def robot_for(name: str) -> Iterator[Robot]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="everpaw-")))
        yield Robot(folder, stack, faked=FAULTS[name].faked)


class _Warm:
    """The robot of the case under way; another case, or a run that failed to start, gets a fresh one."""

    def __init__(self) -> None:
        self._name = ""
        self._stack = ExitStack()

    def run(self, name: str) -> Row:
        """A machine too busy to get the robot walking proves nothing: begin again, twice at most."""
        for _ in range(2):
            try:
                return run(self._robot(name), name)
            except AssertionError as error:
                print(f"{name}: began again: {str(error)[:100]}", file=sys.stderr)
                self.end()
        return run(self._robot(name), name)

    def _robot(self, name: str) -> Robot:
        if name != self._name:
            self.end()
            self.robot = self._stack.enter_context(robot_for(name))
            self._name = name
        return self.robot

    def end(self) -> None:
        self._name = ""
        self._stack.close()


WARM = _Warm()
atexit.register(WARM.end)


def pieces(short: bool) -> list[Piece]:
    """None where there is no broker to run; the clock's without libfaketime are left out too. In rounds, so
    that an interrupted campaign has met every fault.
    """
    if available_kind() is None:
        return []
    names = [name for name in (SHORT if short else FAULTS) if FAKETIME or not FAULTS[name].faked]
    return [
        Piece(f"{name}/{number}", partial(WARM.run, name))
        for first in range(0, 1 if short else RUNS, IN_A_ROW)
        for name in names
        for number in range(first, 1 if short else first + IN_A_ROW)
    ]


def judge(rows: list[Row]) -> Verdict:
    words = []
    for name in FAULTS:
        found = [row for row in rows if row["fault"] == name]
        if found:
            good, most = sum(row["ok"] for row in found), max(row["ticks"] for row in found)
            words.append(f"{name} {good}/{len(found)} ({most})")
    return Verdict(sum(not row["ok"] for row in rows), f"good runs (most ticks): {', '.join(words)}")


PROOF = Proof(
    "campaign",
    "whoever is killed, frozen or unplugged, the board leaves ARMED in time and never re-arms itself",
    (
        "firmware_bridge/*.py",
        "firmware_bridge/mcu/*.py",
        "tests/torture/campaign.py",
        "tests/firmware_bridge/owner.py",
    ),
    pieces,
    judge,
)
