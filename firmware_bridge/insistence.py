"""Two orders that are asked again until the board confirms them: a stop, and `--arm` at the start."""

from collections.abc import Callable

from firmware_bridge.link import Link
from firmware_bridge.mcu import protocol as p

RETRY_STOP_MS = 100


class Stopping:
    """A stop that was wanted and is repeated until the board says FAULT."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self.wanted = ""
        """Why; empty where no stop is wanted"""
        self._asked_ms = -RETRY_STOP_MS

    def want(self, reason: str, now_ms: int) -> None:
        self.wanted = reason
        self._asked_ms = now_ms

    @property
    def reached(self) -> bool:
        return self._link.mcu_state == p.FAULT

    def step(self, now_ms: int) -> None:
        waited = not 0 <= now_ms - self._asked_ms < RETRY_STOP_MS
        if self.wanted and not self.reached and self._link.alive and waited:
            self._asked_ms = now_ms
            self._link.order(p.STOP)


class ArmingAtStart:
    """`--arm`: once, as soon as the board said HELLO and rests; `armed` is called when it is."""

    def __init__(self, link: Link, pending: bool, armed: Callable[[], None]) -> None:
        self._link, self._armed = link, armed
        self.pending = pending
        self._asked = False

    def step(self) -> None:
        if not self.pending or self._asked or not self._link.ready:
            return
        if self._link.mcu_state == p.ARMED:
            self.pending = False
            return
        kinds = {p.FAULT: p.CLEAR, p.DISARMED: p.ARM}
        if self._link.mcu_state in kinds:
            self._asked = True
            self._link.order(kinds[self._link.mcu_state], self._answered)

    def _answered(self, code: int | None) -> None:
        self._asked = False
        if code == p.OK and self._link.mcu_state == p.ARMED and self.pending:
            self.pending = False
            self._armed()
