"""The serial line to the microcontroller, seen from the bridge.

Threads: none; the bridge's loop calls `poll` whenever `fileno` is readable or time has passed. STREAM frames
(setpoints) are newest-wins and never resent. RELIABLE ones go one at a time, are resent every 40 ms and fail
after two seconds. A silent board is asked until it answers; one that restarted, or whose port went away and
came back, is greeted anew and found disarmed. Every queue is bounded; a full line drops frames, never waits.
"""

import logging
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from firmware_bridge import codec
from firmware_bridge.agreement import Agreement
from firmware_bridge.heartbeat import Heartbeat
from firmware_bridge.mcu import protocol as p
from firmware_bridge.orders import Answered, Orders
from firmware_bridge.port import Port
from runtime.contracts.body import Body
from runtime.contracts.errors import LinkError

log = logging.getLogger(__name__)

BAUDS = (460_800, 115_200, 921_600)
"""Tried in turn where a board does not answer; a USB port takes any"""
PROBE_S = 0.6
REOPEN_S = 0.25
ALIVE_S = 0.5
"""A board that has said nothing for this long counts as dead"""


@dataclass(slots=True)
class Counters:
    """Since the link was made."""

    sent: int = 0
    received: int = 0
    bad: int = 0
    streamed: int = 0
    unsent: int = 0
    """Frames that a full line did not take"""
    reopened: int = 0


class Link:
    """`path` is a serial port or pty; `clock` gives monotonic seconds; a pack asks for `narrowed`."""

    def __init__(
        self, path: str, body: Body, clock: Callable[[], float], narrowed: Body | None = None
    ) -> None:
        self.path = path
        self.counters = Counters()
        self.heartbeat = Heartbeat()
        self.hello: codec.Hello | None = None
        self.state: codec.State | None = None
        self.senses: codec.Senses | None = None
        self.mcu_state: int | None = None
        """The board's latest word on its state, from whatever frame came last"""
        self._agreement = Agreement(body, narrowed)
        self._joints = len(body.joints)
        self._clock = clock
        self._port: Port | None = None
        self._reader = codec.FrameReader()
        self._heard_at_s = float("-inf")
        self._reopen_at_s = float("-inf")
        self._probe_at_s = float("inf")
        self._baud = 0
        self._complained = False
        self._session = 0
        self._stream_seq = 0
        self.orders = Orders(self._send_order)

    @property
    def mismatch(self) -> str:
        """Why this board may not be armed, and which side to flash; empty where all agrees."""
        return self._agreement.mismatch

    @property
    def ready(self) -> bool:
        """HELLO was exchanged, everything agrees, and the board was heard and proved awake lately."""
        return (
            self.hello is not None
            and self._agreement.settled
            and self.alive
            and self.heartbeat.alive(self._clock())
        )

    @property
    def alive(self) -> bool:
        return 0 <= self._clock() - self._heard_at_s < ALIVE_S

    @property
    def boot_id(self) -> int:
        return self.hello.boot_id if self.hello else 0

    @property
    def baud(self) -> int:
        return BAUDS[self._baud]

    def fileno(self) -> int | None:
        """To select on, or None while the port is away."""
        return self._port.fileno() if self._port is not None else None

    def open(self) -> None:
        """Open the port now; LinkError where it cannot be."""
        self._port = Port(self.path, self.baud)
        self._greet()

    def close(self) -> None:
        if self._port is not None:
            self._port.close()
            self._port = None

    def poll(self) -> list[codec.Received]:
        """Read what is there, send what is due, reopen a lost port; the messages that came."""
        now_s = self._clock()
        if self._port is None:
            self._reopen(now_s)
        received = self._read(now_s)
        self._probe(now_s)
        self._challenge(now_s)
        if self.hello is not None and not self.orders:
            self._agreement.enforce(self.order)
        if self._port is not None:
            self.orders.step(now_s)
        return received

    def stream(self, angles_deg: Sequence[float], ttl_ms: int) -> int | None:
        """Send a setpoint; its sequence number, or None where no board is ready for it."""
        if not self.ready or self.state is None:
            return None
        self._stream_seq = (self._stream_seq + 1) & 0xFF
        payload = codec.setpoint(angles_deg, ttl_ms, self.state.tick)
        self._write(codec.frame_bytes(p.SETPOINT, self._stream_seq, self.boot_id, payload))
        self.counters.streamed += 1
        return self._stream_seq

    def order(self, kind: int, answered: Answered = lambda code: None, payload: bytes = b"") -> None:
        """Queue a reliable order. STOP overtakes and discards every other one, and leaves at once."""
        self.orders.add(kind, answered, payload)
        if self._port is not None:
            self.orders.step(self._clock())

    def _send_order(self, kind: int, seq: int, payload: bytes) -> None:
        self._write(codec.frame_bytes(kind, seq, self.boot_id, payload))

    def _greet(self) -> None:
        """Start a session: nothing of the one before counts any more."""
        self.orders.fail()
        self.hello = self.state = self.senses = self.mcu_state = None
        self._agreement.forget()
        self._session = secrets.randbelow(0xFFFF) + 1
        self._stream_seq = 0
        self._probe_at_s = self._clock() + PROBE_S
        payload = codec.hello_ask(self._session, self._agreement.limits)
        self.order(p.HELLO_ASK, payload=payload)

    def _reopen(self, now_s: float) -> None:
        if 0 <= self._reopen_at_s - now_s <= REOPEN_S:
            return
        self._reopen_at_s = now_s + REOPEN_S
        try:
            self.open()
            self._complained = False
            self.counters.reopened += 1
        except LinkError as error:
            if not self._complained:
                log.warning("%s; trying on", error)
            self._complained = True

    def _lose(self, error: Exception) -> None:
        log.warning("the port %s went away (%s); it is opened again when it comes back", self.path, error)
        self.close()
        self.orders.fail()
        self.hello = self.state = self.senses = self.mcu_state = None
        self._heard_at_s = float("-inf")
        self._reopen_at_s = self._clock() + REOPEN_S

    def _probe(self, now_s: float) -> None:
        """No HELLO came: another speed, perhaps."""
        if self._port is None or self.hello is not None or now_s < self._probe_at_s:
            return
        self._baud = (self._baud + 1) % len(BAUDS)
        self._probe_at_s = now_s + PROBE_S
        try:
            self._port.baud = self.baud
        except (OSError, ValueError) as error:
            self._lose(error)

    def _challenge(self, now_s: float) -> None:
        if self.hello is None or self._port is None:
            return
        due = self.heartbeat.challenge(now_s)
        if due is not None:
            seq, challenge = due
            self._write(codec.frame_bytes(p.PING, seq, self.boot_id, codec.ping(challenge)))

    def _read(self, now_s: float) -> list[codec.Received]:
        if self._port is None:
            return []
        try:
            data = self._port.read()
        except OSError as error:
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
        if isinstance(message, codec.Pong):
            return self.heartbeat.answer(message, self._session, self.boot_id, now_s)
        if isinstance(message, codec.Senses):
            self.senses = message
        elif len(message.angles_deg) != self._joints:
            return False
        else:
            self.state = message
            self.mcu_state = message.state
        self._heard_at_s = now_s
        return True

    def _take_hello(self, hello: codec.Hello, now_s: float) -> bool:
        if hello.session != self._session or self.hello is not None:
            return False
        self._heard_at_s = now_s
        self.heartbeat.begin(now_s)
        self.hello = hello
        self.orders.greeted()
        self._agreement.compare(hello)
        return True

    def _take_result(self, result: codec.Result) -> bool:
        if self.hello is not None and result.code in (p.NOT_GREETED, p.OTHER_BOOT):
            self._greet()
            return False
        if not self.orders.awaits(result):
            return False
        self.mcu_state = result.state
        self.orders.take(result)
        return True

    def _write(self, data: bytes) -> None:
        if self._port is None:
            return
        try:
            if self._port.write(data):
                self.counters.sent += 1
            else:
                self.counters.unsent += 1  # newest wins, and reliable frames come again
        except OSError as error:
            self._lose(error)
