"""What is in the house, and that a connection goes to the address that was judged."""

import socket
from typing import Any

import pytest

from runtime.addresses import connect, in_house, outside
from runtime.contracts.errors import TalkerError


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.9.9.9", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.20"),
        *("169.254.3.4", "::1", "fd12::1", "fe80::1%eth0", "::ffff:192.168.1.2"),
    ],
)
def test_in_the_house(address: str) -> None:
    assert in_house(address)


@pytest.mark.parametrize(
    "address",
    [
        *("8.8.8.8", "172.32.0.1", "192.169.0.1", "100.64.0.1", "0.0.0.0", "224.0.0.1", "169.255.0.1"),
        *("2001:db8::1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::a00:1", "2002:a00:1::1", "::"),
    ],
)
def test_outside(address: str) -> None:
    assert not in_house(address)


def rows(*addresses: str) -> list[tuple[Any, ...]]:
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80)) for address in addresses]


def test_one_address_outside_makes_the_name_outside() -> None:
    assert outside("pet.example", 80, lambda host, port: rows("10.0.0.1", "93.184.216.34")) == [
        "93.184.216.34"
    ]
    with pytest.raises(TalkerError, match=r"93\.184\.216\.34, outside of the house"):
        connect(
            "pet.example",
            80,
            0.1,
            leave_house=False,
            lookup=lambda host, port: rows("10.0.0.1", "93.184.216.34"),
        )


def test_the_name_is_looked_up_once_and_the_judged_address_dialled() -> None:
    """A name that means another machine a moment later (rebinding) leads nowhere else."""
    answers = [rows("127.0.0.1"), rows("93.184.216.34")]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        found = connect("pet.example", port, 2, leave_house=False, lookup=lambda host, p: answers.pop(0))
        with found:
            assert found.getpeername() == ("127.0.0.1", port)
    assert len(answers) == 1


def test_the_next_address_is_tried() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        lookup = lambda host, p: rows("127.0.0.2", "127.0.0.1")  # noqa: E731
        connect("pet.example", port, 2, leave_house=False, lookup=lookup).close()


def test_what_cannot_be_found_or_reached_is_told() -> None:
    def unknown(host: str, port: int) -> list[tuple[Any, ...]]:
        raise socket.gaierror("no such name")

    with pytest.raises(TalkerError, match=r"cannot be looked up .*dialogue\.server"):
        connect("pet.example", 80, 1, leave_house=False, lookup=unknown)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(TalkerError, match="does not answer"):
        connect("127.0.0.1", port, 1, leave_house=False)
