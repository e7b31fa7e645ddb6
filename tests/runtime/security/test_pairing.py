"""Pairing: the right code within three tries and five minutes, and nothing to learn for anybody else."""

import socket
import threading
from contextlib import closing
from pathlib import Path

import pytest

from runtime.contracts.errors import TrustError
from runtime.security import bundle, door
from runtime.security.certificates import new_key, read_certificate, request
from runtime.security.house import House
from runtime.security.pairing import CODE_LIFE_S, Join, Offer, Visit, new_code
from tests.runtime.security.broker import NOW, make_house

pytest.importorskip("spake2")
CODE = "12345678"


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def house(tmp_path: Path) -> House:
    return make_house(tmp_path / "broker", 8883)


def offer(house: House, clock: Clock) -> Offer:
    def certify(asked: bytes) -> dict[str, str]:
        certificate = house.certify("phone", "page", (), NOW, asked).decode()
        return {
            "certificate": certificate,
            "authority": (house.folder / "ca.crt").read_text(),
            "port": "8883",
        }

    return Offer(CODE, clock, certify)


def meet(offered: Offer, code: str) -> dict[str, str]:
    visit, side = Visit(offered), Join(code, request(new_key()))
    return side.take(visit.finish(side.ask(visit.greet(side.hello()))))


def test_the_right_code_gives_a_certificate_of_that_name(house: House) -> None:
    offered = offer(house, Clock())
    told = meet(offered, "1234 5678")
    certificate = read_certificate(told["certificate"].encode(), "the phone")
    assert certificate.subject.rfc4514_string() == "CN=phone"
    assert offered.over == "somebody paired"
    with pytest.raises(TrustError, match="somebody paired"):
        meet(offered, CODE)


def test_three_wrong_codes_and_the_right_one_is_worth_nothing(house: House) -> None:
    offered = offer(house, Clock())
    for _ in range(3):
        with pytest.raises(TrustError, match="wrong code"):
            meet(offered, "00000000")
    with pytest.raises(TrustError, match="3 wrong codes"):
        meet(offered, CODE)
    assert house.register.valid("phone") is None


def test_a_code_ends(house: House) -> None:
    clock = Clock()
    offered = offer(house, clock)
    clock.now_s = CODE_LIFE_S
    with pytest.raises(TrustError, match="nobody came"):
        meet(offered, CODE)


def test_who_answers_without_the_code_is_no_house(house: House) -> None:
    clock = Clock()
    liar = Offer("87654321", clock, lambda asked: {"certificate": "", "authority": ""})
    side, visit = Join(CODE, request(new_key())), Visit(liar)
    ask = side.ask(visit.greet(side.hello()))
    with pytest.raises(TrustError):
        visit.finish(ask)
    with pytest.raises(TrustError, match="does not open"):
        side.take(b'{"answer": "' + b"00" * 40 + b'"}\n')


def test_what_goes_over_the_line_holds_neither_code_nor_name(house: House) -> None:
    visit, side = Visit(offer(house, Clock())), Join(CODE, request(new_key()))
    hello = side.hello()
    greeted = visit.greet(hello)
    ask = side.ask(greeted)
    line = hello + greeted + ask + visit.finish(ask)
    assert CODE.encode() not in line
    assert b"BEGIN" not in line
    assert CODE.encode().hex().encode() not in line


BROKEN = [b"", b"[]\n", b'{"pake": 7}\n', b'{"pake": "zz"}\n', b'{"pake": "00"}\n', b"\xff\n"]


@pytest.mark.parametrize("line", BROKEN)
def test_broken_lines_cost_no_try_and_break_nothing(house: House, line: bytes) -> None:
    offered = offer(house, Clock())
    with pytest.raises(TrustError):
        Visit(offered).greet(line)
    assert offered.tries_left == 3
    assert meet(offered, CODE)["port"] == "8883"


def test_over_sockets(house: House, tmp_path: Path) -> None:
    refusals: list[str] = []
    opened = door.open_door("127.0.0.1", 0)
    with closing(opened.server):
        offered = offer(house, Clock())
        serving = threading.Thread(target=opened.serve, args=(offered, refusals.append))
        serving.start()
        with pytest.raises(TrustError, match="wrong code"):
            door.join("127.0.0.1", opened.port, "11111111", tmp_path / "no")
        with closing(socket.create_connection(("127.0.0.1", opened.port))) as rude:
            rude.sendall(b"GET / HTTP/1.1\r\n")
        told = door.join("127.0.0.1", opened.port, CODE, tmp_path / "phone")
        serving.join(5)
    assert told == {"port": "8883"}
    assert bundle.context(tmp_path / "phone") is not None
    assert not (tmp_path / "no").exists()
    assert len(refusals) == 2


def test_codes_are_eight_digits() -> None:
    codes = {new_code() for _ in range(50)}
    assert len(codes) > 45
    assert all(len(code) == 8 and code.isdigit() for code in codes)
