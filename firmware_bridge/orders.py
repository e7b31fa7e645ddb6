"""The RELIABLE orders of a link: stop and wait, resent every 40 ms, failed after two seconds, bounded."""

import logging
import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from firmware_bridge import codec
from firmware_bridge.mcu import protocol as p

log = logging.getLogger(__name__)

RESEND_S = 0.04
GIVE_UP_S = 2.0
QUEUE_LIMIT = 16

Answered = Callable[[int | None], None]
"""Called once with the result's code, or None where the board never answered"""
Send = Callable[[int, int, bytes], None]
"""(kind, sequence number, payload) -> on the wire, as far as there is one"""


@dataclass(slots=True)
class _Order:
    kind: int
    payload: bytes
    answered: Answered
    seq: int = -1
    sent_at_s: float = 0.0
    give_up_at_s: float = 0.0


class Orders:
    """A HELLO waits until it is answered or the session ends; everything else gives up."""

    def __init__(self, send: Send) -> None:
        self.resends = 0
        self.given_up = 0
        self._send = send
        self._seq = secrets.randbelow(256)
        self._waiting: deque[_Order] = deque()

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def add(self, kind: int, answered: Answered, payload: bytes = b"") -> None:
        """Queue an order; STOP discards every other one but HELLO and goes first."""
        if kind == p.STOP:
            self.fail(keep_hello=True)
            self._waiting.appendleft(_Order(kind, payload, answered))
        elif len(self._waiting) >= QUEUE_LIMIT:
            log.warning("%d orders wait for the board; one more is refused", QUEUE_LIMIT)
            answered(None)
        else:
            self._waiting.append(_Order(kind, payload, answered))

    def fail(self, *, keep_hello: bool = False) -> None:
        """Nothing that waits will be answered any more."""
        waiting, self._waiting = self._waiting, deque()
        for order in waiting:
            if keep_hello and order.kind == p.HELLO_ASK:
                self._waiting.append(order)
            else:
                order.answered(None)

    def greeted(self) -> None:
        self._waiting = deque(order for order in self._waiting if order.kind != p.HELLO_ASK)

    def awaits(self, result: codec.Result) -> bool:
        """Whether `result` answers the order that is on its way."""
        first = self._waiting[0] if self._waiting else None
        return first is not None and first.seq == result.seq and first.kind == result.request

    def take(self, result: codec.Result) -> None:
        """The answer that is awaited came."""
        self._waiting.popleft().answered(result.code)

    def step(self, now_s: float) -> None:
        """Send the first one where it is new or unanswered for RESEND_S."""
        if not self._waiting:
            return
        order = self._waiting[0]
        if order.seq < 0:
            self._seq = (self._seq + 1) & 0xFF
            order.seq = self._seq
            order.give_up_at_s = now_s + GIVE_UP_S
        elif 0 <= now_s - order.sent_at_s < RESEND_S:
            return
        elif not 0 <= order.give_up_at_s - now_s <= GIVE_UP_S and order.kind != p.HELLO_ASK:
            self._waiting.popleft()
            self.given_up += 1
            order.answered(None)
            return
        else:
            self.resends += 1
        order.sent_at_s = now_s
        self._send(order.kind, order.seq, order.payload)
