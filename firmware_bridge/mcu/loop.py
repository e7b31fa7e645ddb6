"""The board's main loop: the line, then every 10 ms the senses, the guard and the servos.

The watchdog is fed here and nowhere else, and only after a tick in which link, senses and limits were looked
at; a loop that hangs or dies resets the board, which comes up DISARMED. A loop that is late makes up for the
ticks it missed, so that deadlines count real time.
"""

import micropython

from . import limits, version
from . import protocol as p
from .device import Device
from .guard import Guard
from .vitals import Vitals

CATCH_UP = 25
"""Ticks made up for at most: by then the deadline has passed"""


class Loop:
    """`board` is a Board of board.py: its line, clock, senses, servos and watchdog; see boards/chassis.py."""

    def __init__(self, board: object) -> None:
        self.board = board
        self.guard = Guard(limits.JOINTS, limits.RULES)
        self.vitals = Vitals(self.guard, limits, board.HAVE)
        self.device = Device(
            self.guard,
            self.vitals,
            board.boot_id(),
            limits.LIMITS_HASH,
            version.FIRMWARE_HASH,
            board.write,
        )
        self._due = 0

    def start(self) -> None:
        """Byte 3 is data from here on, not an interrupt."""
        micropython.kbd_intr(-1)
        self.board.start(self.guard.n)
        self._due = self.board.ticks_add(self.board.ticks_ms(), p.TICK_MS)

    def run(self) -> None:
        """For ever; an exception leaves the servos without torque, and the watchdog restarts the board."""
        try:
            self.start()
            while True:
                self.step()
        finally:
            self.board.release()

    def step(self) -> None:
        """What the line holds; and where it is time, a tick."""
        board, device = self.board, self.device
        n = board.read()
        for i in range(n):
            device.receive(board.received[i])
        behind_ms = board.ticks_diff(board.ticks_ms(), self._due)
        if behind_ms < 0:
            return
        missed = behind_ms // p.TICK_MS
        device.late += missed
        self._due = board.ticks_add(self._due, (missed + 1) * p.TICK_MS)
        checked = device.ticks
        board.feel(self.vitals)
        for _ in range(1 + min(missed, CATCH_UP)):
            device.tick()
        self._move()
        if device.ticks > checked:
            board.feed()
        if device.leaving:
            board.leave()

    def _move(self) -> None:
        """Servos whose driver does not answer may do anything: fault, and ask for release every tick."""
        try:
            if self.guard.torque:
                self.board.drive(self.guard.position)
            else:
                self.board.release()
        except OSError:
            self.guard.stop(p.SERVO_LOST, False)
