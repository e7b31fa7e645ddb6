"""Frames on the serial line: COBS( ver | type | seq | boot_id | ack | payload | crc32 ) 0x00, little-endian.

Runs unchanged on CPython and MicroPython. Memory is bounded: a decoder owns one buffer of the largest frame.
"""

import binascii

from . import protocol

HEADER = 6
"""Bytes before the payload"""
TRAILER = 4
PAYLOAD_MAX = protocol.PAYLOAD_MAX
RAW_MAX = HEADER + PAYLOAD_MAX + TRAILER
WIRE_MAX = RAW_MAX + 2
"""COBS adds one byte to so short a frame, and the zero ends it"""


def encode(out: bytearray, kind: int, seq: int, boot_id: int, ack: int, payload: bytes, ver: int = 0) -> int:
    """Write one frame into `out` (at least WIRE_MAX bytes); returns its length. ValueError if too long."""
    size = len(payload)
    if size > PAYLOAD_MAX:
        raise ValueError(f"payload of {size} bytes; at most {PAYLOAD_MAX}")
    raw = bytearray(HEADER + size + TRAILER)
    raw[0] = ver or protocol.VERSION
    raw[1] = kind
    raw[2] = seq
    raw[3] = boot_id & 0xFF
    raw[4] = boot_id >> 8
    raw[5] = ack
    for i in range(size):
        raw[HEADER + i] = payload[i]
    crc = binascii.crc32(memoryview(raw)[: HEADER + size])
    for i in range(TRAILER):
        raw[HEADER + size + i] = (crc >> (8 * i)) & 0xFF
    return _stuff(out, raw)


def _stuff(out: bytearray, raw: bytearray) -> int:
    """COBS: no zero inside, one at the end. Frames are shorter than COBS's longest run."""
    code_at = 0
    at = 1
    for byte in raw:
        if byte:
            out[at] = byte
        else:
            out[code_at] = at - code_at
            code_at = at
        at += 1
    out[code_at] = at - code_at
    out[at] = 0
    return at + 1


def proof(challenge: int, session: int, boot_id: int) -> int:
    """What only a board that is awake, in this session and this life, can answer to a challenge."""
    heard = bytearray(8)
    for i in range(4):
        heard[i] = challenge >> 8 * i & 0xFF
    heard[4] = session & 0xFF
    heard[5] = session >> 8
    heard[6] = boot_id & 0xFF
    heard[7] = boot_id >> 8
    return binascii.crc32(protocol.DICTIONARY_HASH, binascii.crc32(heard))


class Decoder:
    """Bytes in, one good frame at a time out; everything else is counted and forgotten.

    After `feed` returned True the frame's fields stand in the attributes until the next call.
    """

    def __init__(self) -> None:
        self.ver = 0
        self.kind = 0
        self.seq = 0
        self.boot_id = 0
        self.ack = 0
        self.payload = bytearray(PAYLOAD_MAX)
        self.size = 0
        """Bytes of the payload in use"""
        self.good = 0
        self.bad = 0
        """Frames that were cut, too long, wrongly stuffed or had a wrong checksum"""
        self._wire = bytearray(WIRE_MAX)
        self._raw = bytearray(RAW_MAX)
        self._n = 0
        self._lost = False

    def feed(self, byte: int) -> bool:
        """Take one byte; True when it completed a good frame."""
        if byte:
            if self._n < WIRE_MAX - 1:
                self._wire[self._n] = byte
                self._n += 1
            else:
                self._lost = True
            return False
        n, lost = self._n, self._lost
        self._n = 0
        self._lost = False
        if n == 0 and not lost:
            return False
        if not lost and self._open(self._unstuff(n)):
            self.good += 1
            return True
        self.bad += 1
        return False

    def _unstuff(self, n: int) -> int:
        """Undo COBS of the first `n` wire bytes; length of the raw frame, or 0 where it cannot be one."""
        wire, raw = self._wire, self._raw
        at = size = 0
        while at < n:
            end = at + wire[at]
            if end > n:
                return 0
            at += 1
            while at < end:
                raw[size] = wire[at]
                size += 1
                at += 1
            if at < n:
                raw[size] = 0
                size += 1
        return size

    def _open(self, size: int) -> bool:
        raw = self._raw
        end = size - TRAILER
        if end < HEADER:
            return False
        crc = binascii.crc32(memoryview(raw)[:end])
        for i in range(TRAILER):
            if raw[end + i] != (crc >> (8 * i)) & 0xFF:
                return False
        self.ver = raw[0]
        self.kind = raw[1]
        self.seq = raw[2]
        self.boot_id = raw[3] | raw[4] << 8
        self.ack = raw[5]
        self.size = end - HEADER
        for i in range(self.size):
            self.payload[i] = raw[HEADER + i]
        return True
