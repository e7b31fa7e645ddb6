"""The host's side of the frames, sans I/O: bytes in, messages out, what is unfinished is kept.

There is one implementation of the wire, mcu/frames.py; this file gives its frames types and units.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from firmware_bridge.mcu import protocol as p
from firmware_bridge.mcu.frames import WIRE_MAX, Decoder, encode
from runtime.contracts.body import CDEG

_I16 = (-32_768, 32_767)


@dataclass(frozen=True, slots=True)
class Frame:
    """One good frame as it came from the wire."""

    ver: int
    kind: int
    seq: int
    boot_id: int
    ack: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Hello:
    """Who the board is."""

    boot_id: int
    session: int
    protocol: int
    firmware: int
    firmware_hash: bytes
    dictionary: bytes
    limits: bytes
    joints: int
    tick_ms: int
    senses: int


@dataclass(frozen=True, slots=True)
class Result:
    """Answer to the reliable frame whose sequence number is `seq`."""

    seq: int
    request: int
    code: int
    state: int


@dataclass(frozen=True, slots=True)
class State:
    """What the board did: angles after clamp and slew."""

    boot_id: int
    state: int
    reason: int
    tick: int
    setpoint_seq: int
    setpoint_age_ticks: int
    clamped: int
    refused: int
    bad_frames: int
    angles_deg: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Pong:
    """Answer to the challenge of the PING whose sequence number is `seq`; `tick` is the board's clock."""

    boot_id: int
    seq: int
    proof: int
    tick: int


@dataclass(frozen=True, slots=True)
class Senses:
    """What the board feels; bits as in the dictionary's `senses`, reasons as in its `reasons`."""

    boot_id: int
    senses: int
    unfit: int
    supply_mv: int
    temperature_c: int
    roll_deg: int
    pitch_deg: int
    touch: int
    flags: int
    silent: int
    stalled: int
    late: int
    stale: int


Received = Hello | Result | State | Pong | Senses


def frame_bytes(kind: int, seq: int, boot_id: int, payload: bytes = b"", ack: int = 0, ver: int = 0) -> bytes:
    """One frame, ready for the wire."""
    out = bytearray(WIRE_MAX)
    return bytes(out[: encode(out, kind, seq, boot_id, ack, payload, ver)])


def hello_ask(session: int, limits: bytes) -> bytes:
    """Payload of HELLO_ASK."""
    return struct.pack(p.HELLO_ASK_FORMAT, session, p.VERSION, p.DICTIONARY_HASH, limits)


def ping(challenge: int) -> bytes:
    """Payload of PING."""
    return struct.pack(p.PING_FORMAT, challenge)


def tighten(joint: int, row: Sequence[int]) -> bytes:
    """Payload of TIGHTEN: `row` is (min, max, speed, accel) in the firmware's units."""
    return struct.pack(p.TIGHTEN_FORMAT, joint, *row)


def setpoint(angles_deg: Sequence[float], ttl_ms: int, echo: int) -> bytes:
    """Payload of SETPOINT; angles in the body's joint order, `echo` the tick of the newest STATE heard."""
    angles = [min(max(round(angle * CDEG), _I16[0]), _I16[1]) for angle in angles_deg]
    return struct.pack(f"{p.SETPOINT_FORMAT}{len(angles)}h", ttl_ms, echo & 0xFFFF, *angles)


class FrameReader:
    """Splits a stream into frames; what a line has garbled is counted in `bad` and skipped."""

    def __init__(self) -> None:
        self._decoder = Decoder()

    @property
    def good(self) -> int:
        return self._decoder.good

    @property
    def bad(self) -> int:
        return self._decoder.bad

    def feed(self, data: bytes) -> list[Frame]:
        """The frames completed by `data`."""
        decoder, frames = self._decoder, []
        for byte in data:
            if decoder.feed(byte):
                payload = bytes(decoder.payload[: decoder.size])
                frames.append(
                    Frame(decoder.ver, decoder.kind, decoder.seq, decoder.boot_id, decoder.ack, payload)
                )
        return frames


def read_message(frame: Frame) -> Received | None:
    """The board's message in a frame; None for a kind or size this host does not know."""
    if frame.kind == p.HELLO and len(frame.payload) == p.HELLO_SIZE:
        return Hello(frame.boot_id, *struct.unpack(p.HELLO_FORMAT, frame.payload))
    if frame.ver != p.VERSION:
        return None
    if frame.kind == p.RESULT and len(frame.payload) == p.RESULT_SIZE:
        return Result(frame.ack, *struct.unpack(p.RESULT_FORMAT, frame.payload))
    if frame.kind == p.PONG and len(frame.payload) == p.PONG_SIZE:
        return Pong(frame.boot_id, frame.ack, *struct.unpack(p.PONG_FORMAT, frame.payload))
    if frame.kind == p.SENSES and len(frame.payload) == p.SENSES_SIZE:
        return Senses(frame.boot_id, *struct.unpack(p.SENSES_FORMAT, frame.payload))
    rest = len(frame.payload) - p.STATE_SIZE
    if frame.kind == p.STATE and rest >= 0 and rest % 2 == 0:
        angles = struct.unpack_from(f"<{rest // 2}h", frame.payload, p.STATE_SIZE)
        in_degrees = tuple(angle / CDEG for angle in angles)
        fields: list[Any] = [*struct.unpack_from(p.STATE_FORMAT, frame.payload), in_degrees]
        return State(frame.boot_id, *fields)
    return None
