"""The few packets of MQTT 3.1.1 that a load generator needs, as bytes."""

import struct


def connect_packet(client_id: str) -> bytes:
    """MQTT 3.1.1 CONNECT, clean session, 60 s keepalive."""
    body = b"\x00\x04MQTT\x04\x02\x00\x3c" + _text(client_id)
    return b"\x10" + _length(len(body)) + body


def publish_packet(topic: str, payload: bytes) -> bytes:
    """PUBLISH of QoS 0."""
    body = _text(topic) + payload
    return b"\x30" + _length(len(body)) + body


def subscribe_packet(pattern: str) -> bytes:
    """SUBSCRIBE of QoS 0, packet 1."""
    body = b"\x00\x01" + _text(pattern) + b"\x00"
    return b"\x82" + _length(len(body)) + body


def _text(text: str) -> bytes:
    raw = text.encode()
    return struct.pack(">H", len(raw)) + raw


def _length(count: int) -> bytes:
    out = bytearray()
    while True:
        count, digit = divmod(count, 128)
        out.append(digit | (0x80 if count else 0))
        if not count:
            return bytes(out)


def packet_end(buffer: bytes, at: int) -> int | None:
    """Where the packet at `at` ends; None while it is not all there."""
    length, shift = 0, 0
    for place in range(at + 1, len(buffer)):
        digit = buffer[place]
        length |= (digit & 0x7F) << shift
        shift += 7
        if not digit & 0x80:
            end = place + 1 + length
            return end if end <= len(buffer) else None
    return None
