"""The kept corpus and some hundred mutants of it, without any fuzzer; `make fuzz` is the long form."""

import random

import pytest

from tests.fuzz.targets import TARGETS, seeds

MUTANTS = {"archive": 150, "wav": 150, "pairing": 60, "config": 150}
_INTERESTING = (b"\x00", b"\xff", b"-1", b'"', b"{", b"[" * 40, b"1e999", b"\xed\xa0\x80", b"../", b"\n")


def mutant(chance: random.Random, parent: bytes, other: bytes, most: int) -> bytes:
    """`parent` with some bytes altered, taken out, put in or taken from `other`."""
    data = bytearray(parent)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(data) + 1)
        match chance.randrange(5):
            case 0 if at < len(data):
                data[at] ^= 1 << chance.randrange(8)
            case 1:
                data[at:at] = chance.choice(_INTERESTING)
            case 2:
                del data[at : at + chance.randint(1, 30)]
            case 3:
                data[at:] = other[chance.randrange(len(other) + 1) :]
            case _:
                data[at : at + 4] = chance.randbytes(4)
    return bytes(data[:most])


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_breaks_a_reader(name: str) -> None:
    target, corpus, chance = TARGETS[name], seeds(name), random.Random(name)
    assert len(corpus) >= 2, f"{name} has no corpus"
    for data in [b"", b"\x00", *corpus]:
        target.read(data)
    for _ in range(MUTANTS.get(name, 300)):
        target.read(mutant(chance, chance.choice(corpus), chance.choice(corpus), target.most))
