"""The golden frames: `python -m tests.firmware_bridge.golden` writes them anew, on purpose."""

import json
import random
from pathlib import Path
from typing import TypedDict

from firmware_bridge.codec import frame_bytes
from firmware_bridge.mcu import protocol as p

PATH = Path(__file__).parents[1] / "golden" / "frames.json"
KINDS = (
    p.HELLO_ASK,
    p.ARM,
    p.DISARM,
    p.HALT,
    p.STOP,
    p.CLEAR,
    p.SETPOINT,
    p.PING,
    p.TIGHTEN,
    p.PONG,
    p.SENSES,
    p.HELLO,
    p.RESULT,
    p.STATE,
    0,
    255,
)


class Vector(TypedDict):
    kind: int
    seq: int
    boot_id: int
    ack: int
    payload: str
    """Hex"""
    wire: str
    """Hex, with the closing zero"""


def make(count: int = 240) -> list[Vector]:
    """Every kind, every payload length, payloads of zeros, of 0xff, and random ones."""
    rng = random.Random(3)
    vectors = []
    for number in range(count):
        size = number % (p.PAYLOAD_MAX + 1)
        fill = number % 4
        payload = bytes(size) if fill == 0 else b"\xff" * size if fill == 1 else rng.randbytes(size)
        kind, seq, ack = KINDS[number % len(KINDS)], rng.randrange(256), rng.randrange(256)
        boot_id = (0, 0xFFFF, 0x0100, rng.randrange(0x10000))[number % 4]
        wire = frame_bytes(kind, seq, boot_id, payload, ack)
        vectors.append(
            Vector(kind=kind, seq=seq, boot_id=boot_id, ack=ack, payload=payload.hex(), wire=wire.hex())
        )
    return vectors


def load() -> list[Vector]:
    vectors: list[Vector] = json.loads(PATH.read_text())
    return vectors


if __name__ == "__main__":
    PATH.write_text("[\n" + ",\n".join(json.dumps(vector) for vector in make()) + "\n]\n")
