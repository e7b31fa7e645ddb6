"""The serial line to the microcontroller, seen from the bridge.

Threads: none; the bridge's loop calls `poll` whenever `fileno` is readable or time has passed. STREAM frames
(setpoints) are newest-wins and never resent. RELIABLE ones go one at a time, are resent every 40 ms and fail
after a second. A port that goes away is opened again; then HELLO starts anew and the board is found disarmed.
"""

import logging
import secrets
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import serial

from firmware_bridge import codec
from firmware_bridge.mcu import protocol as p
from runtime.contracts.body import Body
from runtime.contracts.errors import LinkError

log = logging.getLogger(__name__)

BAUD = 460_800
RESEND_S = 0.04
GIVE_UP_S = 1.0
REOPEN_S = 0.25
ALIVE_S = 0.5
"""A board that has said nothing for this long counts as dead"""
QUEUE_LIMIT = 16

Answered = Callable[[int | None], None]
"""Called once with the result's code, or None where the board never answered"""


@dataclass(slots=True)
class Counters:
    """Since the link was made."""

    sent: int = 0
    received: int = 0
    bad: int = 0
    resends: int = 0
    streamed: int = 0


@dataclass(slots=True)
class _Reliable:
    kind: int
    payload: bytes
    answered: Answered
    seq: int = -1
    sent_at_s: float = 0.0
    give_up_at_s: float = 0.0


class Link:
    """`path` is a serial port or pty; `clock` gives monotonic seconds."""

    def __init__(self, path: str, body: Body, clock: Callable[[], float]) -> None:
        self.path = path
        self.counters = Counters()
        self.hello: codec.Hello | None = None
        self.state: codec.State | None = None
        self.mcu_state: int | None = None
        """The board's latest word on its state, from whatever frame came last"""
        self.mismatch = ""
        """Why this board may not be armed, and which side to flash; empty where all agrees"""
        self._body = body
        self._limits = bytes.fromhex(body.limits_hash)
        self._clock = clock
        self._port: serial.Serial | None = None
        self._reader = codec.FrameReader()
        self._heard_at_s = float("-inf")
        self._reopen_at_s = float("-inf")
        self._complained = False
        self._session = 0
        self._stream_seq = 0
        self._reliable_seq = secrets.randbelow(256)
        self._waiting: deque[_Reliable] = deque()

    @property
    def ready(self) -> bool:
        """HELLO was exchanged, everything agrees, and the board was heard lately."""
        return self.hello is not None and not self.mismatch and self.alive

    @property
    def alive(self) -> bool:
        return self._clock() - self._heard_at_s < ALIVE_S

    @property
    def boot_id(self) -> int:
        return self.hello.boot_id if self.hello else 0

    def fileno(self) -> int | None:
        """To select on, or None while the port is away."""
        return int(self._port.fileno()) if self._port is not None else None

    def open(self) -> None:
        """Open the port now; LinkError where it cannot be."""
        try:
            # Exclusive: two bridges on one board would fight over every joint.
            self._port = serial.Serial(self.path, BAUD, timeout=0, write_timeout=0, exclusive=True)
        except (OSError, ValueError) as error:
            raise LinkError(
                f"cannot open {self.path} ({error}); plug the board in, or end the program that uses the port"
            ) from error
        self._port.reset_input_buffer()
        self._greet()

    def close(self) -> None:
        if self._port is not None:
            self._port.close()
            self._port = None

    def poll(self) -> list[codec.Received]:
        """Read what is there, resend what is due, reopen a lost port; the messages that came."""
        now_s = self._clock()
        if self._port is None:
            self._reopen(now_s)
        received = self._read(now_s)
        if self.hello is not None and not self.alive and self._port is not None:
            log.warning("the board at %s fell silent; saying HELLO until it answers", self.path)
            self._greet()
        self._resend(now_s)
        return received

    def stream(self, angles_deg: Sequence[float], ttl_ms: int) -> int | None:
        """Send a setpoint; its sequence number, or None where no board is ready for it."""
        if not self.ready:
            return None
        self._stream_seq = (self._stream_seq + 1) & 0xFF
        self._write(
            codec.frame_bytes(p.SETPOINT, self._stream_seq, self.boot_id, codec.setpoint(angles_deg, ttl_ms))
        )
        self.counters.streamed += 1
        return self._stream_seq

    def order(self, kind: int, answered: Answered = lambda code: None) -> None:
        """Queue a reliable order. STOP overtakes and discards every other one, and leaves at once."""
        if kind == p.STOP:
            self._fail_waiting(keep_hello=True)
        elif len(self._waiting) >= QUEUE_LIMIT:
            log.warning("%d orders wait for the board; one more is refused", QUEUE_LIMIT)
            answered(None)
            return
        self._waiting.append(_Reliable(kind, b"", answered))
        if kind == p.STOP and len(self._waiting) > 1:
            self._waiting.rotate(1)
        self._resend(self._clock())

    def _greet(self) -> None:
        """Start a session: nothing of the one before counts any more."""
        self._fail_waiting()
        self.hello = None
        self.state = None
        self.mcu_state = None
        self.mismatch = ""
        self._session = secrets.randbelow(0xFFFF) + 1
        self._stream_seq = 0
        payload = codec.hello_ask(self._session, self._limits)
        self._waiting.append(_Reliable(p.HELLO_ASK, payload, lambda code: None))
        self._resend(self._clock())

    def _fail_waiting(self, *, keep_hello: bool = False) -> None:
        waiting, self._waiting = self._waiting, deque()
        for order in waiting:
            if keep_hello and order.kind == p.HELLO_ASK:
                self._waiting.append(order)
            else:
                order.answered(None)

    def _reopen(self, now_s: float) -> None:
        if now_s < self._reopen_at_s:
            return
        self._reopen_at_s = now_s + REOPEN_S
        try:
            self.open()
            self._complained = False
        except LinkError as error:
            if not self._complained:
                log.warning("%s; trying on", error)
            self._complained = True

    def _lose(self, error: Exception) -> None:
        log.warning("the port %s went away (%s); it is opened again when it comes back", self.path, error)
        self.close()
        self._fail_waiting()
        self.hello = None
        self.state = None
        self.mcu_state = None
        self._heard_at_s = float("-inf")
        self._reopen_at_s = self._clock() + REOPEN_S

    def _read(self, now_s: float) -> list[codec.Received]:
        if self._port is None:
            return []
        try:
            data: bytes = self._port.read(4096)
        except (OSError, TypeError) as error:  # pyserial raises TypeError where the port closed under it
            self._lose(error)
            return []
        received = []
        for frame in self._reader.feed(data):
            message = codec.read_message(frame)
            if message is not None and self._take(message, now_s):
                received.append(message)
        self.counters.received = self._reader.good
        self.counters.bad = self._reader.bad
        return received

    def _take(self, message: codec.Received, now_s: float) -> bool:
        if isinstance(message, codec.Hello):
            return self._take_hello(message, now_s)
        if isinstance(message, codec.Result):
            self._heard_at_s = now_s
            return self._take_result(message)
        if self.hello is None or self.mismatch:
            return False
        if message.boot_id != self.boot_id:
            log.warning("the board at %s restarted; it stays disarmed", self.path)
            self._greet()
            return False
        if len(message.angles_deg) != len(self._body.joints):
            return False
        self._heard_at_s = now_s
        self.state = message
        self.mcu_state = message.state
        return True

    def _take_hello(self, hello: codec.Hello, now_s: float) -> bool:
        if hello.session != self._session or self.hello is not None:
            return False
        self._heard_at_s = now_s
        self.hello = hello
        self.mismatch = mismatch(hello, self._body)
        if self.mismatch:
            log.error("%s", self.mismatch)
        self._waiting = deque(order for order in self._waiting if order.kind != p.HELLO_ASK)
        self._resend(now_s)
        return True

    def _take_result(self, result: codec.Result) -> bool:
        if not self._waiting or self._waiting[0].seq != result.seq or self._waiting[0].kind != result.request:
            return False
        self.mcu_state = result.state
        self._waiting.popleft().answered(result.code)
        self._resend(self._clock())
        return True

    def _resend(self, now_s: float) -> None:
        """Send the first waiting order where it is new or unanswered for RESEND_S."""
        if not self._waiting or self._port is None:
            return
        order = self._waiting[0]
        if order.seq < 0:
            self._reliable_seq = (self._reliable_seq + 1) & 0xFF
            order.seq = self._reliable_seq
            order.give_up_at_s = now_s + GIVE_UP_S
        elif now_s - order.sent_at_s < RESEND_S:
            return
        elif now_s > order.give_up_at_s and order.kind != p.HELLO_ASK:
            self._waiting.popleft()
            order.answered(None)
            return
        else:
            self.counters.resends += 1
        order.sent_at_s = now_s
        self._write(codec.frame_bytes(order.kind, order.seq, self.boot_id, order.payload))

    def _write(self, data: bytes) -> None:
        if self._port is None:
            return
        try:
            self._port.write(data)
            self.counters.sent += 1
        except serial.SerialTimeoutException:
            return  # the line is full: newest wins, and reliable frames come again
        except OSError as error:
            self._lose(error)


def mismatch(hello: codec.Hello, body: Body) -> str:
    """Why board and bridge must not work together, and which side to flash; empty where they may."""
    if hello.protocol != p.VERSION or hello.dictionary != p.DICTIONARY_HASH:
        what = f"protocol {hello.protocol}, dictionary {hello.dictionary.hex()}"
        ours = f"protocol {p.VERSION}, dictionary {p.DICTIONARY_HASH.hex()}"
        older = hello.protocol < p.VERSION or hello.firmware <= p.FIRMWARE
        cure = "flash the board: everpaw flash board auto" if older else "update everpaw on this computer"
        return f"the board speaks {what}, the bridge {ours}; not arming: {cure}"
    if hello.limits.hex() != body.limits_hash or hello.joints != len(body.joints):
        return (
            f"the board was flashed for limits {hello.limits.hex()}, body {body.name!r} needs"
            f" {body.limits_hash}; not arming: flash the board: everpaw flash board auto"
        )
    return ""
