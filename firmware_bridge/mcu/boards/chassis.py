"""What every board does alike: the line over the USB prompt, time, watchdog, and its parts put together."""

import os
import select
import sys
import time

import machine

WATCHDOG_MS = 500
CHUNK = 64
MARK = "maintenance"


class Chassis:
    """`servos` and `senses` each have `feel(vitals)` and HAVE; senses are read one a tick, in turn."""

    def __init__(self, servos: object, senses: tuple) -> None:
        self.received = bytearray(CHUNK)
        self._servos = servos
        self._senses = senses
        self._turn = 0
        self._poll = select.poll()
        self._watchdog = None
        self.HAVE = servos.HAVE
        for sense in senses:
            self.HAVE |= sense.HAVE

    def boot_id(self) -> int:
        """1..65535, another one at every start."""
        found = os.urandom(2)
        return (found[0] | found[1] << 8) or 1

    def start(self, _joints: int) -> None:
        self._poll.register(sys.stdin, select.POLLIN)
        self._watchdog = machine.WDT(timeout=WATCHDOG_MS)

    def read(self) -> int:
        """Bytes now in `received`; never waits."""
        n = 0
        while n < CHUNK and self._poll.poll(0):
            self.received[n] = sys.stdin.buffer.read(1)[0]
            n += 1
        return n

    def write(self, buffer: bytearray, n: int) -> None:
        sys.stdout.buffer.write(memoryview(buffer)[:n])

    def ticks_ms(self) -> int:
        return time.ticks_ms()

    def ticks_diff(self, a: int, b: int) -> int:
        return time.ticks_diff(a, b)

    def ticks_add(self, a: int, b: int) -> int:
        return time.ticks_add(a, b)

    def feel(self, vitals: object) -> None:
        self._servos.feel(vitals)
        if self._senses:
            self._senses[self._turn].feel(vitals)
            self._turn = (self._turn + 1) % len(self._senses)

    def drive(self, position: list) -> None:
        self._servos.drive(position)

    def release(self) -> None:
        self._servos.release()

    def feed(self) -> None:
        self._watchdog.feed()

    def leave(self) -> None:
        """Start again without the loop: the watchdog cannot be switched off, so it must not be started."""
        self.release()
        with open(MARK, "w"):
            pass
        machine.reset()
