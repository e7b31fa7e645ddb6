"""The few packets of MQTT 3.1.1 that a load generator needs, as bytes."""

import struct


def connect_packet(client_id: str) -> bytes:
    """MQTT 3.1.1 CONNECT, clean session, without keepalive."""
    body = b"\x00\x04MQTT\x04\x02\x00\x00" + _text(client_id)
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
