"""A command published until its setpoint is applied on the board, beside a bare paho-to-pyserial script.

`python -m tests.torture.publish [--count 200]`: both paths over one mosquitto on loopback, by turns, in one
run; the board is the firmware's own device behind a pty in this process. Figures only; nothing is asserted.
"""

import argparse
import json
import os
import pty
import subprocess
import sys
import tempfile
import threading
import time
import tty
import uuid
from contextlib import ExitStack, suppress
from pathlib import Path

from firmware_bridge.mcu import limits, version
from firmware_bridge.mcu import protocol as p
from firmware_bridge.mcu.device import Device
from firmware_bridge.mcu.guard import Guard
from firmware_bridge.mcu.vitals import Vitals
from firmware_bridge.urgency import be_urgent
from runtime.broker import run_broker
from runtime.bus import Bus, Delivery, decode
from runtime.contracts import messages as m
from tests.firmware_bridge.owner import PACK

TAIL = len(limits.JOINTS) - 1
STREAM_HZ, COST_S = 50, 20
BREATH_CDEG = 30
"""The small movements of idle life stay below this in a setpoint; the poses asked for here do not"""
BARE = """
import sys, serial
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion
port = serial.Serial(sys.argv[2], 460800)
client = Client(CallbackAPIVersion.VERSION2)
client.on_message = lambda c, u, message: port.write(message.payload + b"\\n")
client.on_connect = lambda c, u, f, r, pr: c.subscribe("bare/pose", 1)
client.connect("127.0.0.1", int(sys.argv[1]))
client.loop_forever()
"""


class Board(threading.Thread):
    """The firmware behind a pty; `applied_s` is when the tail's goal changed last."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.master, slave = pty.openpty()
        tty.setraw(slave)
        os.set_blocking(self.master, False)
        self.path = os.ttyname(slave)
        self.guard = Guard(limits.JOINTS, limits.RULES)
        self.device = Device(
            self.guard, Vitals(self.guard, limits), 7, limits.LIMITS_HASH, version.FIRMWARE_HASH, self._write
        )
        self.changed = threading.Event()
        self.applied_s = 0.0
        self.ended = False

    def run(self) -> None:
        next_s = time.monotonic()
        while not self.ended:
            goal = self.guard.goal[TAIL]
            with suppress(OSError):
                for byte in os.read(self.master, 4096):
                    self.device.receive(byte)
            if abs(self.guard.goal[TAIL] - goal) > BREATH_CDEG and self.guard.state == p.ARMED:
                self.applied_s = time.monotonic()
                self.changed.set()
            if time.monotonic() >= next_s:
                next_s = max(next_s + 0.01, time.monotonic() - 0.05)
                self.device.tick()
            time.sleep(0.0002)

    def _write(self, buffer: bytearray, n: int) -> None:
        with suppress(OSError):
            os.write(self.master, bytes(buffer[:n]))


class Mind:
    """Renews the lease and commands poses."""

    def __init__(self, bus: Bus) -> None:
        self.bus = bus
        self.boot_id = ""
        self.state: str | None = None
        bus.subscribe("state/clock", self._clock)
        bus.subscribe("state/body", self._body)

    def _clock(self, delivery: Delivery) -> None:
        self.boot_id = decode(delivery, m.Clock).boot_id

    def _body(self, delivery: Delivery) -> None:
        self.state = decode(delivery, m.BodyState).mcu_state

    def stamp(self, source: m.Source = "mind") -> dict[str, object]:
        now_ms = time.monotonic_ns() // 1_000_000
        return {
            "id": uuid.uuid4().hex,
            "boot_id": self.boot_id,
            "issued_at_ms": now_ms,
            "ttl_ms": 2_000,
            "source": source,
        }

    def lease(self) -> None:
        self.bus.publish("cmnd/lease", m.LeaseCommand.model_validate(self.stamp() | {"ttl_ms": 250}))

    def pose(self, tail_deg: float) -> None:
        stamp = self.stamp() | {"joints_deg": {"tail": tail_deg}, "duration_ms": 100}
        self.bus.publish("cmnd/pose", m.PoseCommand.model_validate(stamp))


def measure(count: int) -> dict[str, object]:
    """p50 and p95 of both paths, milliseconds, and what each costs at 50 Hz."""
    with ExitStack() as stack, tempfile.TemporaryDirectory() as folder:
        broker = stack.enter_context(run_broker())
        board = Board()
        board.start()
        bare_master, bare_slave = pty.openpty()
        tty.setraw(bare_slave)
        words = ["--robot-id", "rex", "--broker", f"{broker.host}:{broker.port}", "--port", board.path]
        command = [sys.executable, "-m", "firmware_bridge.bridge", *words, "--pack", str(PACK), "--arm"]
        bridge = stack.enter_context(_running(command))
        script = Path(folder) / "bare.py"
        script.write_text(BARE)
        bare = [sys.executable, str(script), str(broker.port), os.ttyname(bare_slave)]
        script_process = stack.enter_context(_running(bare))
        bus = stack.enter_context(Bus("rex", broker.host, broker.port))
        mind = Mind(bus)
        while mind.state != "ARMED" or not mind.boot_id:
            time.sleep(0.05)
        ours, theirs = [], []
        for number in range(count):
            for _ in range(3):
                mind.lease()
                time.sleep(0.09)
            board.changed.clear()
            asked_s = time.monotonic()
            mind.pose(10.0 if number % 2 else -10.0)
            if board.changed.wait(0.2):
                ours.append((board.applied_s - asked_s) * 1000)
            mind.lease()
            asked_s = time.monotonic()
            bus._client.publish("bare/pose", b"m 8 30", 1)
            os.read(bare_master, 64)
            theirs.append((time.monotonic() - asked_s) * 1000)
        os.set_blocking(bare_master, False)
        cost = _cost({"bridge": bridge.pid, "bare": script_process.pid}, mind, bare_master)
        board.ended = True
    return {"bridge_ms": _percentiles(ours), "bare_ms": _percentiles(theirs), **cost}


def _cost(pids: dict[str, int], mind: Mind, bare_master: int) -> dict[str, dict[str, float]]:
    """Share of a core and memory of each while both put 50 setpoints a second on their lines."""
    began_s, cpu_s = time.monotonic(), {name: _cpu_s(pid) for name, pid in pids.items()}
    for number in range(COST_S * STREAM_HZ):
        mind.bus._client.publish("bare/pose", b"m 8 30", 0)
        if number % 5 == 0:
            mind.lease()
        with suppress(BlockingIOError):
            os.read(bare_master, 4096)
        time.sleep(max(0.0, began_s + (number + 1) / STREAM_HZ - time.monotonic()))
    spent_s = time.monotonic() - began_s
    shares = {name: round((_cpu_s(pid) - cpu_s[name]) / spent_s, 4) for name, pid in pids.items()}
    return {"cpu_share": shares, "rss_mb": {name: _rss_mb(pid) for name, pid in pids.items()}}


def _rss_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 1e6, 1)


def _percentiles(values: list[float]) -> dict[str, float | int]:
    ordered = sorted(values)
    return {
        "p50": round(ordered[len(ordered) // 2], 2),
        "p95": round(ordered[int(len(ordered) * 0.95)], 2),
        "n": len(ordered),
    }


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class _running:  # noqa: N801  # reads as a verb
    def __init__(self, command: list[str]) -> None:
        self._command = command

    def __enter__(self) -> subprocess.Popen[bytes]:
        self._process = subprocess.Popen(self._command)
        return self._process

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=200)
    args = parser.parse_args()
    be_urgent()
    print(json.dumps(measure(args.count)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
