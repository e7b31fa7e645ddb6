"""A board in this process: the firmware's own device behind a pty, driven by the test's clock."""

import os
import pty
import tty
from collections.abc import Iterator
from contextlib import contextmanager

from firmware_bridge.link import Link
from firmware_bridge.mcu import limits, version
from firmware_bridge.mcu.device import Device
from firmware_bridge.mcu.guard import Guard
from firmware_bridge.mcu.vitals import Vitals
from firmware_bridge.sim import NoisyLine
from runtime.contracts.body import Body, load_body


class Bench:
    """A link and a board with one clock, advanced by `run`."""

    def __init__(
        self,
        body: Body,
        corrupt: float = 0.0,
        limits_hash: bytes = limits.LIMITS_HASH,
        narrowed: Body | None = None,
        have: int = 0,
    ) -> None:
        self.now_s = 100.0
        self.line = NoisyLine(corrupt)
        self.limits_hash = limits_hash
        self.have = have
        self.master, self.slave = pty.openpty()
        tty.setraw(self.slave)
        os.set_blocking(self.master, False)
        self.boot_id = 41
        self.restart()
        self.link = Link(os.ttyname(self.slave), body, lambda: self.now_s, narrowed)
        self.received: list[object] = []

    def restart(self) -> None:
        """Power off and on: a new boot id, nothing remembered."""
        self.boot_id += 1
        self.guard = Guard(limits.JOINTS, limits.RULES)
        self.vitals = Vitals(self.guard, limits, self.have)
        self.device = Device(
            self.guard, self.vitals, self.boot_id, self.limits_hash, version.FIRMWARE_HASH, self._write
        )

    def run(self, ticks: int = 1) -> None:
        for _ in range(ticks):
            self.now_s += 0.01
            try:
                for byte in self.line.spoil(os.read(self.master, 4096)):
                    self.device.receive(byte)
            except BlockingIOError:
                pass
            self.device.tick()
            self.received += self.link.poll()

    def run_silent(self, ticks: int) -> None:
        """The board lives, the host does not look."""
        for _ in range(ticks):
            self.now_s += 0.01
            self.device.tick()

    def _write(self, buffer: bytearray, n: int) -> None:
        os.write(self.master, self.line.spoil(bytes(buffer[:n])))


@contextmanager
def bench(
    corrupt: float = 0.0,
    limits_hash: bytes = limits.LIMITS_HASH,
    narrowed: Body | None = None,
    have: int = 0,
) -> Iterator[Bench]:
    built = Bench(load_body(), corrupt, limits_hash, narrowed, have)
    try:
        built.link.open()
        yield built
    finally:
        built.link.close()
        os.close(built.master)
        os.close(built.slave)
