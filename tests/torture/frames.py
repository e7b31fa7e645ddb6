"""Mutated frames into the decoder: no crash, no wrong accept, the next good frame taken, memory flat.

`python -m tests.torture frames`: a million; MicroPython's decoder gets the very same bytes.
"""

import random
import tempfile
import tracemalloc
from functools import partial
from pathlib import Path

from firmware_bridge import codec
from tests.firmware_bridge import micropython
from tests.firmware_bridge.test_frames import SENT, mutate
from tests.torture.ledger import Piece, Proof, Row, Verdict

COUNT, BATCH = 1_000_000, 20_000
MOST_GROWN_BYTES = 2_000
"""Of MicroPython's heap, over a batch"""

DECODE = """
import binascii, gc, json
from mcu.frames import Decoder
job = json.load(open("/job.json"))
good = [binascii.unhexlify(f) for f in job["good"]]
known = set(job["known"])
decoder, wrong, lost, number = Decoder(), 0, 0, 0
head = frame = size = None
"""
MEASURE = "gc.collect(); before = gc.mem_alloc()"
WORK = """
with open("/bytes", "rb") as stream:
    while True:
        size = stream.read(2)
        if not size:
            break
        for byte in stream.read(size[0] | size[1] << 8):
            if decoder.feed(byte):
                head = bytes((decoder.kind, decoder.seq, decoder.ack))
                frame = head + bytes(decoder.payload[: decoder.size])
                wrong += binascii.hexlify(frame).decode() not in known
        decoder.feed(0)
        hits = 0
        for byte in good[number % len(good)]:
            hits += decoder.feed(byte)
        lost += hits != 1
        number += 1
"""
REPORT = """
gc.collect()
grown = gc.mem_alloc() - before
print(json.dumps({"wrong": wrong, "lost": lost, "frames": number, "grown": grown}))
"""


def spoilt(count: int, seed: int) -> list[bytes]:
    rng = random.Random(seed)
    return [mutate(SENT[number % len(SENT)], rng.choice(SENT), rng) for number in range(count)]


def cpython(count: int, seed: int) -> dict[str, int]:
    """Figures of CPython's decoder; all but `frames` should be 0."""
    good = {frame for wire in SENT for frame in codec.FrameReader().feed(wire)}
    reader = codec.FrameReader()
    wrong = lost = 0
    tracemalloc.start()
    for number, wire in enumerate(spoilt(count, seed)):
        wrong += sum(frame not in good for frame in reader.feed(wire))
        reader.feed(b"\0")
        lost += len(reader.feed(SENT[number % len(SENT)])) != 1
        if number == count // 2:
            half = tracemalloc.get_traced_memory()[0]
    grown = tracemalloc.get_traced_memory()[0] - half
    tracemalloc.stop()
    return {"wrong": wrong, "lost": lost, "frames": count, "grown": int(grown > 1_000_000)}


def micro(count: int, seed: int, folder: Path) -> dict[str, object]:
    """The same of MicroPython's decoder."""
    known = [
        (bytes((frame.kind, frame.seq, frame.ack)) + frame.payload).hex()
        for wire in SENT
        for frame in codec.FrameReader().feed(wire)
    ]
    data = b"".join(len(wire).to_bytes(2, "little") + wire for wire in spoilt(count, seed))
    job = {"good": [wire.hex() for wire in SENT], "known": known}
    return micropython.run(folder, [DECODE, MEASURE, WORK, REPORT], job, {"/bytes": data}, timeout_s=900)


def batch(count: int, seed: int) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder:
        return {"cpython": cpython(count, seed), "micropython": micro(count, seed, Path(folder))}


def pieces(short: bool) -> list[Piece]:
    count, size = (3_000, 3_000) if short else (COUNT, BATCH)
    return [Piece(str(at), partial(batch, min(size, count - at), at)) for at in range(0, count, size)]


def judge(rows: list[Row]) -> Verdict:
    found = [result for row in rows for result in row.values()]
    wrong, lost = (sum(int(result[what]) for result in found) for what in ("wrong", "lost"))
    grown = max(int(row["micropython"]["grown"]) for row in rows)
    leaks = sum(int(row["cpython"]["grown"]) for row in rows) + int(grown > MOST_GROWN_BYTES)
    frames = sum(int(row["cpython"]["frames"]) for row in rows)
    figures = (
        f"{frames:,} spoilt frames into each decoder: {wrong} wrong, {lost} good ones lost, grown {grown} B"
    )
    return Verdict(wrong + lost + leaks, figures)


PROOF = Proof(
    "frames",
    "spoilt frames are never taken for others, and the next good one is taken",
    (
        "firmware_bridge/mcu/frames.py",
        "firmware_bridge/mcu/protocol.py",
        "firmware_bridge/codec.py",
        "tests/torture/frames.py",
        "tests/firmware_bridge/test_frames.py",
    ),
    pieces,
    judge,
)
