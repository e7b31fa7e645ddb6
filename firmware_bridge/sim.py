"""A simulated microcontroller: the board's own files behind a pty, ticking 100 times a second.

It ends with its parent. Its clock is its own: when the machine starves the process, ticks are lost rather
than made up for, as a real board's would not have been starved at all.
"""

import argparse
import json
import os
import pty
import random
import secrets
import select
import signal
import sys
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import TextIO

from firmware_bridge.mcu import limits, version
from firmware_bridge.mcu import protocol as p
from firmware_bridge.mcu.device import Device
from firmware_bridge.mcu.guard import Guard
from firmware_bridge.mcu.vitals import Vitals
from firmware_bridge.ranged import between
from firmware_bridge.urgency import be_urgent

TICK_S = p.TICK_MS / 1000
SUPPLY_MV, ROOM_C = 7_800, 28
LOST_S = 0.05
"""A delay beyond this is the machine's, not the board's"""


class NoisyLine:
    """Flips, drops and inserts bytes at a rate, seeded; rate 0 is a clean line."""

    def __init__(self, rate: float, seed: int = 0) -> None:
        self._rate = rate
        self._rng = random.Random(seed)

    def spoil(self, data: bytes) -> bytes:
        if not self._rate:
            return data
        out = bytearray()
        for byte in data:
            if self._rng.random() >= self._rate:
                out.append(byte)
                continue
            harm = self._rng.randrange(3)
            if harm == 0:
                out.append(byte ^ (1 << self._rng.randrange(8)))
            elif harm == 1:
                out += bytes((byte, self._rng.randrange(256)))
        return bytes(out)


class SimulatedBoard:
    """Device and guard on the master side of a pty."""

    def __init__(self, master: int, *, corrupt: float = 0.0, log: TextIO | None = None) -> None:
        self._master = master
        self._line = NoisyLine(corrupt)
        self._log = log
        self.guard = Guard(limits.JOINTS, limits.RULES)
        boot_id = secrets.randbelow(0xFFFF) + 1
        self.vitals = Vitals(self.guard, limits, have=p.SUPPLY | p.TEMPERATURE | p.TILT | p.ESTOP_INPUT)
        self.device = Device(
            self.guard, self.vitals, boot_id, limits.LIMITS_HASH, version.FIRMWARE_HASH, self._write
        )
        self._told = -1
        self._valid_tick = 0
        """Of the last setpoint that the guard took, counted beside the guard's own age"""
        if log is not None:
            self._witness()

    def _witness(self) -> None:
        take = self.guard.setpoint

        def setpoint(angles: list[int], ttl_ms: int) -> bool:
            taken: bool = take(angles, ttl_ms)
            if taken:
                self._valid_tick = self.device.ticks
            return taken

        self.guard.setpoint = setpoint  # type: ignore[method-assign]  # the guard itself stays as the board's

    def run(self, ended: "Ended", parent: int) -> None:
        """Until asked to end, or until process `parent` is no longer ours."""
        next_tick_s = time.monotonic()
        while not ended.asked and os.getppid() == parent:
            ready, _, _ = select.select([self._master], [], [], max(0.0, next_tick_s - time.monotonic()))
            if ready:
                self._read()
            if time.monotonic() >= next_tick_s:
                self.feel()
                self.device.tick()
                self.moved()
                self._tell()
                next_tick_s += TICK_S
                if time.monotonic() - next_tick_s > LOST_S:
                    next_tick_s = time.monotonic()

    def moved(self) -> None:
        """The guard has moved its joints; a body of flesh and servos follows here."""

    def feel(self) -> None:
        """A charged battery, a cool room, a level floor."""
        self.vitals.feel_supply(SUPPLY_MV)
        self.vitals.feel_temperature(ROOM_C)
        self.vitals.feel_tilt(0, 0)
        self.vitals.feel_estop(False)

    def _read(self) -> None:
        with suppress(OSError):  # nobody has the other end open
            for byte in self._line.spoil(os.read(self._master, 4096)):
                self.device.receive(byte)

    def _write(self, buffer: bytearray, n: int) -> None:
        # A host that does not read loses bytes, as on a UART.
        with suppress(OSError):
            os.write(self._master, self._line.spoil(bytes(buffer[:n])))

    def _tell(self) -> None:
        """One JSON line a change of state, for whoever watches the board from outside."""
        if self._log is None or self.guard.state == self._told:
            return
        self._told = self.guard.state
        row = {
            "tick": self.device.ticks,
            "state": p.STATES[self.guard.state],
            "reason": p.REASONS[self.guard.reason],
            "age_ticks": self.guard.age,
            "silent_ticks": self.device.ticks - self._valid_tick,
            "torque": self.guard.torque,
        }
        print(json.dumps(row), file=self._log, flush=True)


class Ended:
    """Set by SIGINT or SIGTERM."""

    def __init__(self) -> None:
        self.asked = False

    def listen(self) -> "Ended":
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._ask)
        return self

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self.asked = True


@contextmanager
def open_pty(link: Path | None) -> Iterator[tuple[int, str]]:
    """(master, path of the slave); `link` becomes a symlink to it while the block runs."""
    # The slave stays open here, or the master would fail whenever the host closes its end.
    master, slave = pty.openpty()
    tty.setraw(slave)
    os.set_blocking(master, False)
    path = os.ttyname(slave)
    try:
        if link is not None:
            # In one step, so that a link to a dead board is replaced and never missing.
            fresh = link.with_name(f"{link.name}.{os.getpid()}")
            fresh.symlink_to(path)
            fresh.replace(link)
        yield master, path
    finally:
        if link is not None and link.is_symlink() and os.readlink(link) == path:
            link.unlink()
        os.close(master)
        os.close(slave)


def main(argv: list[str] | None = None) -> int:
    """`everpaw sim`."""
    parser = argparse.ArgumentParser(prog="everpaw sim", description="A simulated microcontroller on a pty.")
    parser.add_argument("--link", type=Path, help="make this path a symlink to the pty")
    parser.add_argument(
        "--corrupt", type=between(0, 1), default=0.0, help="share of bytes to spoil, both ways"
    )
    parser.add_argument("--log", type=Path, help="append a JSON line at every change of state")
    args = parser.parse_args(argv)
    parent = os.getppid()
    ended = Ended().listen()
    be_urgent()
    with open_pty(args.link) as (master, path):
        if args.link is None:
            print(path, flush=True)
        if args.log is None:
            SimulatedBoard(master, corrupt=args.corrupt).run(ended, parent)
        else:
            with args.log.open("a", encoding="utf-8") as log:
                SimulatedBoard(master, corrupt=args.corrupt, log=log).run(ended, parent)
    return 0


if __name__ == "__main__":
    sys.exit(main())
