"""The microcontroller's side of the link: frames in, guard asked, frames out. No pins and no port in it.

A board or the simulator calls `receive` for every byte, `tick` every 10 ms, and gets bytes through `write`.
Runs unchanged on CPython and MicroPython.
"""

import struct

from . import protocol as p
from .frames import WIRE_MAX, Decoder, encode, proof

STATE_EVERY_TICKS = 3
"""Without setpoints; with them a STATE follows each one that was applied"""
SENSES_EVERY_TICKS = 20
ECHO_TICKS = p.ECHO_MS // p.TICK_MS
_HOST_CALLS = (p.ARM, p.DISARM, p.HALT, p.CLEAR, p.LEAVE)


class Device:
    """`write(buffer, n)` sends the first n bytes of `buffer`; `vitals` judges the board's senses."""

    def __init__(
        self,
        guard: object,
        vitals: object,
        boot_id: int,
        limits_hash: bytes,
        firmware_hash: bytes,
        write: object,
    ) -> None:
        self.guard = guard
        self.vitals = vitals
        self.boot_id = boot_id
        self.decoder = Decoder()
        self.ticks = 0
        """Limits and senses were checked this often; a watchdog is fed where it grew"""
        self.late = 0
        """Ticks that the board's loop missed"""
        self.stale = 0
        self.leaving = False
        """The host asked for MicroPython's prompt"""
        self._limits_hash = limits_hash
        self._firmware_hash = firmware_hash
        self._write = write
        self._out = bytearray(WIRE_MAX)
        self._seq = 0
        self._session = -1
        """Of the host that said HELLO last"""
        self._last_reliable = -1
        self._last_code = 0
        self._stream_seq = -1
        self._applied = False
        self._since_state = 0
        self._angles = [0] * guard.n
        self._angle_format = f"<{guard.n}h"

    def receive(self, byte: int) -> None:
        """One byte from the wire; a good frame is acted on at once."""
        if self.decoder.feed(byte):
            self._act(self.decoder)

    def tick(self) -> None:
        """10 ms have passed: judge the senses, move the guard, tell the host."""
        self.vitals.tick()
        self.guard.tick()
        self.ticks += 1
        if self.ticks % SENSES_EVERY_TICKS == 0:
            self._tell_senses()
        self._since_state += 1
        if self._applied or self._since_state >= STATE_EVERY_TICKS:
            self._tell_state()

    def _act(self, frame: Decoder) -> None:
        if frame.kind == p.HELLO_ASK:
            self._greet(frame)
        elif frame.kind == p.STOP and frame.ver == p.VERSION:
            # Exempt from session, boot and order: whoever it was meant for, it stops.
            self.guard.stop()
            self._answer(frame, p.OK)
        elif frame.ver != p.VERSION:
            return
        elif frame.kind == p.SETPOINT:
            self._take_setpoint(frame)
        elif frame.kind == p.PING:
            self._answer_ping(frame)
        elif frame.kind == p.TIGHTEN or frame.kind in _HOST_CALLS:
            self._obey(frame)

    def _greet(self, frame: Decoder) -> None:
        """HELLO: a new session finds the motors off; the versions are for the host to compare."""
        if frame.size < 2:
            return
        session = frame.payload[0] | frame.payload[1] << 8
        if session != self._session:
            self.guard.disarm(p.NEW_SESSION)
            self.guard.loosen()
            self._session = session
            self._last_reliable = -1
            self._stream_seq = -1
        hello = struct.pack(
            p.HELLO_FORMAT,
            session,
            p.VERSION,
            p.FIRMWARE,
            self._firmware_hash,
            p.DICTIONARY_HASH,
            self._limits_hash,
            self.guard.n,
            p.TICK_MS,
            self.vitals.have,
        )
        self._send(p.HELLO, frame.seq, hello)

    def _obey(self, frame: Decoder) -> None:
        """A reliable order: done once, answered as often as it is resent."""
        if self._session < 0:
            code = p.NOT_GREETED
        elif frame.boot_id != self.boot_id:
            code = p.OTHER_BOOT
        elif frame.size != (p.TIGHTEN_SIZE if frame.kind == p.TIGHTEN else 0):
            code = p.BAD_PAYLOAD
        elif frame.seq == self._last_reliable:
            code = self._last_code
        else:
            code = self._tighten(frame) if frame.kind == p.TIGHTEN else self._order(frame.kind)
            self._last_reliable = frame.seq
            self._last_code = code
        self._answer(frame, code)

    def _order(self, kind: int) -> int:
        if kind == p.ARM:
            return self.guard.arm()
        if kind == p.DISARM:
            return self.guard.disarm()
        if kind == p.HALT:
            return self.guard.halt()
        if kind == p.LEAVE:
            self.leaving = not self.guard.torque
            return p.OK if self.leaving else p.WRONG_STATE
        return self.guard.clear()

    def _tighten(self, frame: Decoder) -> int:
        return self.guard.tighten(*struct.unpack(p.TIGHTEN_FORMAT, bytes(frame.payload[: frame.size])))

    def _answer_ping(self, frame: Decoder) -> None:
        """Prove that this session and this life are awake; who was not greeted here must greet first."""
        if self._session < 0 or frame.boot_id != self.boot_id:
            self._answer(frame, p.NOT_GREETED if self._session < 0 else p.OTHER_BOOT)
        elif frame.size == p.PING_SIZE:
            challenge = (
                frame.payload[0] | frame.payload[1] << 8 | frame.payload[2] << 16 | frame.payload[3] << 24
            )
            answer = proof(challenge, self._session, self.boot_id)
            self._send(p.PONG, frame.seq, struct.pack(p.PONG_FORMAT, answer, self.ticks & 0xFFFFFFFF))

    def _take_setpoint(self, frame: Decoder) -> None:
        """Newest wins: of this session, this boot, ahead of the last one (modulo 256), and fresh.

        Its echo is our own tick as its sender heard it last: a frame that lay in a buffer somewhere is told
        by our clock, not by the sender's.
        """
        wanted = p.SETPOINT_SIZE + 2 * self.guard.n
        if self._session < 0 or frame.boot_id != self.boot_id or frame.size != wanted:
            return
        if self._stream_seq >= 0 and not 0 < (frame.seq - self._stream_seq) & 0xFF < 128:
            return
        echo = frame.payload[2] | frame.payload[3] << 8
        if (self.ticks - echo) & 0xFFFF > ECHO_TICKS:
            self.stale = min(self.stale + 1, 0xFFFF)
            return
        self._stream_seq = frame.seq
        ttl_ms = frame.payload[0] | frame.payload[1] << 8
        for i in range(self.guard.n):
            at = p.SETPOINT_SIZE + 2 * i
            angle = frame.payload[at] | frame.payload[at + 1] << 8
            self._angles[i] = angle - 0x10000 if angle & 0x8000 else angle
        if self.guard.setpoint(self._angles, ttl_ms):
            self._applied = True

    def _answer(self, frame: Decoder, code: int) -> None:
        self._send(p.RESULT, frame.seq, struct.pack(p.RESULT_FORMAT, frame.kind, code, self.guard.state))

    def _tell_state(self) -> None:
        guard = self.guard
        self._applied = False
        self._since_state = 0
        head = struct.pack(
            p.STATE_FORMAT,
            guard.state,
            guard.reason,
            self.ticks & 0xFFFFFFFF,
            max(self._stream_seq, 0),
            min(guard.age, 0xFFFF),
            guard.clamped,
            guard.refused,
            min(self.decoder.bad, 0xFFFF),
        )
        self._send(p.STATE, 0, head + struct.pack(self._angle_format, *guard.position))

    def _tell_senses(self) -> None:
        vitals = self.vitals
        senses = struct.pack(
            p.SENSES_FORMAT,
            vitals.have,
            self.guard.unfit,
            min(max(vitals.supply_mv, 0), 0xFFFF),
            _i8(vitals.temperature_c),
            _i8(vitals.roll_deg),
            _i8(vitals.pitch_deg),
            vitals.touch & 0xFF,
            vitals.flags,
            vitals.silent,
            vitals.stalled,
            min(self.late, 0xFFFF),
            self.stale,
        )
        self._send(p.SENSES, 0, senses)

    def _send(self, kind: int, ack: int, payload: bytes) -> None:
        n = encode(self._out, kind, self._seq, self.boot_id, ack, payload)
        self._seq = (self._seq + 1) & 0xFF
        self._write(self._out, n)


def _i8(value: int) -> int:
    return min(max(value, -128), 127)
