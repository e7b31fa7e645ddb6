"""Is the board awake, in this session and this life? A challenge five times a second, and its proof.

An echoing line, a buffer that plays back old frames or another board cannot answer. The same exchange tells
round trip and the offset of the two clocks; the offset is for logs only, nothing is ever timed by it.
"""

import secrets
from collections import OrderedDict, deque

from firmware_bridge.codec import Pong
from firmware_bridge.mcu import protocol as p
from firmware_bridge.mcu.frames import proof

PERIOD_S = 0.2
PROVEN_S = 1.0
"""A proof counts for this long"""
WAITING_LIMIT = 8
SAMPLES = 32


class Heartbeat:
    """Times are seconds of the caller's monotonic clock."""

    def __init__(self) -> None:
        self.sent = self.proven = self.wrong = 0
        self._waiting: OrderedDict[int, tuple[int, float]] = OrderedDict()
        """Sequence number -> (challenge, when it left)"""
        self._samples: deque[tuple[float, float]] = deque(maxlen=SAMPLES)
        """(round trip, offset), milliseconds"""
        self._proven_at_s = float("-inf")
        self._sent_at_s = float("-inf")
        self._seq = 0

    def begin(self, now_s: float) -> None:
        """HELLO was answered: its random session number was the first challenge."""
        self._waiting.clear()
        self._samples.clear()
        self._proven_at_s = now_s

    def alive(self, now_s: float) -> bool:
        return 0 <= now_s - self._proven_at_s < PROVEN_S

    def challenge(self, now_s: float) -> tuple[int, int] | None:
        """(sequence number, challenge) of a PING that is due, else None."""
        if 0 <= now_s - self._sent_at_s < PERIOD_S:
            return None
        self._sent_at_s = now_s
        self._seq = (self._seq + 1) & 0xFF
        challenge = secrets.randbits(32)
        self._waiting[self._seq] = challenge, now_s
        if len(self._waiting) > WAITING_LIMIT:
            self._waiting.popitem(last=False)
        self.sent += 1
        return self._seq, challenge

    def answer(self, pong: Pong, session: int, boot_id: int, now_s: float) -> bool:
        """Whether `pong` proves that the board is awake."""
        challenge, sent_at_s = self._waiting.pop(pong.seq, (None, 0.0))
        if challenge is None or pong.boot_id != boot_id or pong.proof != proof(challenge, session, boot_id):
            self.wrong += 1
            return False
        self.proven += 1
        self._proven_at_s = now_s
        middle_ms = (sent_at_s + now_s) * 500
        self._samples.append(((now_s - sent_at_s) * 1000, middle_ms - pong.tick * p.TICK_MS))
        return True

    @property
    def round_trip_ms(self) -> float | None:
        """Median of the last SAMPLES exchanges; None before the first."""
        if not self._samples:
            return None
        ordered = sorted(trip for trip, _ in self._samples)
        return ordered[len(ordered) // 2]

    @property
    def clock_offset_ms(self) -> float | None:
        """Our clock less the board's, from the quickest of the last exchanges. For logs only."""
        return min(self._samples)[1] if self._samples else None
