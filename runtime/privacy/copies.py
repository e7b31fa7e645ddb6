"""A copy of all that is kept, handed over to a page by MQTT in parts.

It is sealed for the page that asked (HPKE, RFC 9180: X25519, HKDF-SHA256, AES-256-GCM), so whoever else hears
the topics reads nothing of it; and it is made in memory, so no file of the robot holds it in the clear.
"""

import base64
import binascii
import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from runtime.contracts.errors import EverpawError, FactError
from runtime.contracts.reports import ExportAck
from runtime.contracts.requests import ExportRequest
from runtime.privacy import portable
from runtime.privacy.holdings import Holdings

_log = logging.getLogger(__name__)
PART_BYTES = 9_000
"""Its base64 fits into one message (runtime.contracts.topics.MAX_PAYLOAD_BYTES)"""
MAX_PARTS = 4_096
_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_IN_FLIGHT = 16
_TURN_S, _GIVE_UP_S = 0.01, 30.0

Receipt = Callable[[], bool]
Send = Callable[[str, ExportAck], Receipt | None]
"""As runtime.bus.Bus.send"""


def _bound(robot: str, order: str) -> bytes:
    """What a seal holds for: one robot and one order."""
    return f"everpaw export 1|{robot}|{order}".encode()


def sealed(held: Holdings, robot: str, asked: ExportRequest) -> Iterator[ExportAck]:
    """The parts; FactError where something cannot be read, or there is too much of it."""
    plain = portable.zipped(portable.gather(held, robot))
    key = X25519PublicKey.from_public_bytes(base64.b64decode(asked.key))
    whole = _SUITE.encrypt(plain, key, _bound(robot, asked.id))
    parts = range(0, len(whole), PART_BYTES)
    if len(parts) > MAX_PARTS:
        raise FactError(f"{len(whole)} bytes are too many for a page; on the robot: everpaw privacy export")
    for part, start in enumerate(parts):
        data = base64.b64encode(whole[start : start + PART_BYTES]).decode()
        yield ExportAck(id=asked.id, ok=True, part=part, parts=len(parts), data=data)


@dataclass(slots=True)
class Copier:
    """The robot's side: one copy at a time, on a thread of its own; `told` hears of each that is whole."""

    held: Holdings
    robot: str
    send: Send
    told: Callable[[], object] = lambda: None
    _busy: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, asked: ExportRequest) -> None:
        if not self._busy.acquire(blocking=False):
            self.send("ack/export", ExportAck(id=asked.id, ok=False, reason="busy"))
            return
        threading.Thread(target=self._work, args=(asked,), name="copier", daemon=True).start()

    def _work(self, asked: ExportRequest) -> None:
        try:
            self._hand_over(asked)
            self.told()
        except (EverpawError, OSError, ValueError) as error:  # ValueError: a key that no pair has
            _log.error("no copy was handed over: %s", error)
            self.send("ack/export", ExportAck(id=asked.id, ok=False, reason=str(error)))
        finally:
            self._busy.release()

    def _hand_over(self, asked: ExportRequest) -> None:
        """At the broker's pace, so that nothing else waits behind it."""
        waiting: list[Receipt] = []
        for part in sealed(self.held, self.robot, asked):
            receipt = self.send("ack/export", part)
            if receipt is None:
                raise FactError("the broker takes no more; try again")
            waiting.append(receipt)
            give_up_s = time.monotonic() + _GIVE_UP_S
            while len(waiting) >= _IN_FLIGHT:
                waiting = [one for one in waiting if not one()]
                if time.monotonic() > give_up_s:
                    raise FactError("the broker is gone; try again")
                time.sleep(_TURN_S)


class Incoming:
    """The page's side: the parts of one order, as they come, and what they make."""

    def __init__(self, robot: str, order: str) -> None:
        self.robot, self.order = robot, order
        self.reason = ""
        self.parts = 0
        self.heard_s = time.monotonic()
        self._key = X25519PrivateKey.generate()
        self._got: dict[int, str] = {}

    @property
    def key(self) -> str:
        """For the request."""
        return base64.b64encode(self._key.public_key().public_bytes_raw()).decode()

    @property
    def got(self) -> int:
        return len(self._got)

    @property
    def whole(self) -> bool:
        return 0 < self.parts == len(self._got)

    def take(self, told: ExportAck) -> None:
        """A part, in whatever order; one of another order, or beyond the last, is left alone."""
        if told.id != self.order or self.reason:
            return
        self.heard_s = time.monotonic()
        if not told.ok:
            self.reason = told.reason or "refused"
        elif told.part < told.parts <= MAX_PARTS and self.parts in (0, told.parts):
            self.parts = told.parts
            self._got[told.part] = told.data

    def open(self) -> bytes:
        """The zip; FactError where it is not what the robot sealed for this order."""
        try:
            joined = b"".join(base64.b64decode(self._got[part]) for part in range(self.parts))
            return _SUITE.decrypt(joined, self._key, _bound(self.robot, self.order))
        except (KeyError, binascii.Error, InvalidTag, ValueError) as error:
            raise FactError("the copy came damaged; ask for another one") from error
