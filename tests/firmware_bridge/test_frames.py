"""The wire: round trips, cut and garbled frames, golden vectors, and the dictionary both sides share."""

import random
from itertools import pairwise

import pytest

from firmware_bridge import codec, dictionary
from firmware_bridge.mcu import protocol as p
from firmware_bridge.mcu.frames import WIRE_MAX, Decoder
from tests.firmware_bridge import golden

MUTATIONS = 20_000
SENT = [
    codec.frame_bytes(p.ARM, 1, 7),
    codec.frame_bytes(p.HELLO_ASK, 2, 0, codec.hello_ask(513, bytes(8))),
    codec.frame_bytes(p.SETPOINT, 0, 0xFFFF, codec.setpoint([0.0] * 11, 120, 77)),
    codec.frame_bytes(p.SETPOINT, 255, 256, codec.setpoint([-327.68, 327.67, 0.01] * 4, 1, 0xFFFFF)),
    codec.frame_bytes(p.STATE, 9, 0x0A00, bytes(range(96))),
    codec.frame_bytes(p.RESULT, 0, 0, b"\0\0\0", ack=200),
]


def test_golden_vectors_encode_and_decode() -> None:
    vectors = golden.load()
    assert len(vectors) >= 200
    for vector in vectors:
        payload, wire = bytes.fromhex(vector["payload"]), bytes.fromhex(vector["wire"])
        assert (
            codec.frame_bytes(vector["kind"], vector["seq"], vector["boot_id"], payload, vector["ack"])
            == wire
        )
        assert codec.FrameReader().feed(wire) == [
            codec.Frame(p.VERSION, vector["kind"], vector["seq"], vector["boot_id"], vector["ack"], payload)
        ]


def test_frames_hold_no_zero_but_the_last_and_fit_the_buffer() -> None:
    for wire in SENT:
        assert 0 not in wire[:-1]
        assert wire[-1] == 0
        assert len(wire) <= WIRE_MAX


def test_too_long_a_payload_is_refused() -> None:
    with pytest.raises(ValueError, match="97 bytes"):
        codec.frame_bytes(p.STATE, 0, 0, bytes(97))


@pytest.mark.parametrize("wire", SENT)
def test_every_truncated_prefix_is_no_frame_and_the_next_one_is_taken(wire: bytes) -> None:
    for cut in range(len(wire) - 1):
        reader = codec.FrameReader()
        assert reader.feed(wire[:cut]) == []
        assert reader.feed(b"\0") == []
        assert len(reader.feed(SENT[0])) == 1


def mutate(wire: bytes, other: bytes, rng: random.Random) -> bytes:
    """Flip, drop, insert, truncate, splice or garbage."""
    at = rng.randrange(len(wire))
    return (
        wire[:at] + bytes((wire[at] ^ 1 << rng.randrange(8),)) + wire[at + 1 :],
        wire[:at] + wire[at + 1 :],
        wire[:at] + bytes((rng.randrange(256),)) + wire[at:],
        wire[:at] + b"\0",
        wire[:at] + other[rng.randrange(len(other)) :],
        rng.randbytes(rng.randrange(1, 300)) + b"\0",
    )[rng.randrange(6)]


def test_mutated_frames_are_never_taken_for_others() -> None:
    rng = random.Random(5)
    reader = codec.FrameReader()
    good = {frame for wire in SENT for frame in codec.FrameReader().feed(wire)}
    for number in range(MUTATIONS):
        wire = SENT[number % len(SENT)]
        for frame in reader.feed(mutate(wire, rng.choice(SENT), rng)):
            assert frame in good
        reader.feed(b"\0")
        assert len(reader.feed(wire)) == 1, "the next good frame was lost"


def test_a_wrong_checksum_is_counted_and_dropped() -> None:
    for bit in range(8 * (len(SENT[2]) - 1)):
        broken = bytearray(SENT[2])
        broken[bit // 8] ^= 1 << bit % 8
        reader = codec.FrameReader()
        assert reader.feed(bytes(broken)) == []
        assert reader.bad >= 1


def test_an_endless_line_without_a_zero_keeps_memory_bounded() -> None:
    decoder = Decoder()
    for _ in range(100_000):
        decoder.feed(0x55)
    assert decoder.feed(0) is False
    assert decoder.bad == 1


def test_messages_of_unknown_kind_or_size_are_ignored() -> None:
    for kind, size in ((0x33, 0), (p.HELLO, 5), (p.RESULT, 4), (p.STATE, 3), (p.STATE, p.STATE_SIZE + 1)):
        (frame,) = codec.FrameReader().feed(codec.frame_bytes(kind, 0, 0, bytes(size)))
        assert codec.read_message(frame) is None


def test_generated_files_are_current() -> None:
    assert dictionary.stale_files() == [], "run: python -m firmware_bridge.dictionary"


def test_dictionary_is_sound() -> None:
    words = dictionary.load_dictionary()
    ids = [message["id"] for message in words["messages"].values()]
    assert len(ids) == len(set(ids))
    for name, message in words["messages"].items():
        assert message["class"] in {"stream", "reliable", "probe", "reply"}
        assert getattr(p, name) == message["id"]
    for table in ("states", "results", "reasons"):
        assert all(b - a == 1 for a, b in pairwise(words[table].values()))


def test_dictionary_hash_changes_with_every_shared_word_and_not_with_the_firmware() -> None:
    words = dictionary.load_dictionary()
    before = dictionary.dictionary_hash(words)
    assert dictionary.dictionary_hash(words | {"firmware": 99}) == before
    for key in set(words) - {"firmware"}:
        assert dictionary.dictionary_hash(words | {key: "other"}) != before
