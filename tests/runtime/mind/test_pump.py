"""Pieces from a slow maker."""

import threading
import time
from collections.abc import Iterator

import pytest

from runtime.mind.pump import AHEAD, LateError, Pump


def soon() -> float:
    return time.monotonic() + 5


def all_of(pump: Pump) -> list[str]:
    pieces = []
    while (piece := pump.next(soon())) is not None:
        pieces.append(piece)
    return pieces


def test_pieces_come_in_order() -> None:
    many = [str(n) for n in range(3 * AHEAD)]
    assert all_of(Pump(lambda: iter(many))) == many


def test_an_error_comes_where_it_happened() -> None:
    def broken() -> Iterator[str]:
        yield "a"
        raise ValueError("b")

    pump = Pump(broken)
    assert pump.next(soon()) == "a"
    with pytest.raises(ValueError, match="b"):
        pump.next(soon())


def test_it_does_not_wait_longer_than_told() -> None:
    release = threading.Event()

    def stuck() -> Iterator[str]:
        release.wait(5)
        yield "late"

    pump = Pump(stuck)
    began = time.monotonic()
    with pytest.raises(LateError):
        pump.next(began + 0.05)
    assert time.monotonic() - began < 1
    pump.close()
    release.set()


def test_closing_lets_the_taker_go_and_stops_the_maker() -> None:
    made, ended = [], threading.Event()

    def endless() -> Iterator[str]:
        try:
            while True:
                made.append("x")
                yield "x"
        finally:
            ended.set()

    pump = Pump(endless)
    assert pump.next(soon()) == "x"
    pump.close()
    assert pump.next(soon()) is None
    assert ended.wait(5)
    assert len(made) <= AHEAD + 3


def test_a_maker_that_cannot_begin_is_an_error_too() -> None:
    def cannot() -> Iterator[str]:
        raise OSError("no model")

    with pytest.raises(OSError, match="no model"):
        Pump(cannot).next(soon())
