"""What every board does alike: the line over the USB prompt, time, watchdog, and its parts put together."""

import os
import select
import sys
import time

import machine

WATCHDOG_MS = 500
CHUNK = 64
END = b"\0"
"""Closes a frame that was cut short"""
MARK = "maintenance"


class Chassis:
    """`servos` and the senses each have `feel(vitals)` and HAVE.

    `quick` senses (pins) are read every tick, the `slow` ones (buses, ADC) one a tick, in turn.
    """

    def __init__(self, servos: object, quick: tuple, slow: tuple, watchdog_ms: int = WATCHDOG_MS) -> None:
        self.received = bytearray(CHUNK)
        self._servos = servos
        self._quick = (servos,) + quick  # noqa: RUF005  # MicroPython has no star in a tuple
        self._slow = slow
        self._turn = 0
        self._poll = select.poll()
        self._room = select.poll()
        self._torn = False
        self._watchdog = None
        self._watchdog_ms = watchdog_ms
        self.HAVE = servos.HAVE
        for sense in quick + slow:
            self.HAVE |= sense.HAVE

    def boot_id(self) -> int:
        """1..65535, another one at every start."""
        found = os.urandom(2)
        return (found[0] | found[1] << 8) or 1

    def start(self, _joints: int) -> None:
        self._poll.register(sys.stdin, select.POLLIN)
        self._room.register(sys.stdout, select.POLLOUT)
        self._watchdog = machine.WDT(timeout=self._watchdog_ms)

    def read(self) -> int:
        """Bytes now in `received`; never waits."""
        n = 0
        while n < CHUNK and self._poll.poll(0):
            self.received[n] = sys.stdin.buffer.read(1)[0]
            n += 1
        return n

    def write(self, buffer: bytearray, n: int) -> None:
        """A host that does not read loses bytes: USB would wait half a second for it, and the guard too."""
        if self._torn and not self._put(END):
            return
        frame = memoryview(buffer)
        for i in range(n):
            if not self._put(frame[i : i + 1]):
                self._torn = i > 0
                return
        self._torn = False

    def _put(self, byte: bytes) -> bool:
        if not self._room.poll(0):
            return False
        sys.stdout.buffer.write(byte)
        return True

    def ticks_ms(self) -> int:
        return time.ticks_ms()

    def ticks_diff(self, a: int, b: int) -> int:
        return time.ticks_diff(a, b)

    def ticks_add(self, a: int, b: int) -> int:
        return time.ticks_add(a, b)

    def feel(self, vitals: object) -> None:
        for sense in self._quick:
            self._ask(sense, vitals)
        if self._slow:
            self._ask(self._slow[self._turn], vitals)
            self._turn = (self._turn + 1) % len(self._slow)

    def _ask(self, sense: object, vitals: object) -> None:
        """A sense whose bus fails stays silent, which the vitals make a fault of."""
        try:  # noqa: SIM105  # MicroPython has no contextlib
            sense.feel(vitals)
        except OSError:
            pass

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
