"""Which network addresses are in the house, and connections that lead nowhere else.

A name is looked up once, every address it stands for is judged, and the connection is made to a judged
address by its number: a name that stands for something else a moment later changes nothing.
"""

import socket
from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

from runtime.contracts.errors import TalkerError

HOUSE = tuple(
    ip_network(network)
    for network in (
        "127.0.0.0/8",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "169.254.0.0/16",
        "::1/128",
        "fc00::/7",
        "fe80::/10",
    )
)
"""Loopback, private and link-local; all else is outside"""
Lookup = Callable[[str, int], Iterable[tuple[Any, ...]]]
"""As socket.getaddrinfo: rows of (family, type, protocol, name, (address, port, ...))"""


def in_house(address: str) -> bool:
    """`address` by number. A zone ("fe80::1%eth0") and an IPv4 address in IPv6 clothes are seen through."""
    plain = ip_address(address.partition("%")[0])
    if isinstance(plain, IPv6Address) and plain.ipv4_mapped is not None:
        plain = plain.ipv4_mapped
    same_kind = IPv4Address if isinstance(plain, IPv4Address) else IPv6Address
    return any(plain in network for network in HOUSE if isinstance(network.network_address, same_kind))


def _lookup(host: str, port: int) -> Iterable[tuple[Any, ...]]:
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)


def addresses_of(host: str, port: int, lookup: Lookup = _lookup) -> list[str]:
    """By number, in the order to try them; TalkerError where the name is unknown."""
    try:
        rows = list(lookup(host, port))
    except (OSError, UnicodeError) as error:
        raise TalkerError(
            f"the name {host!r} cannot be looked up ({error}); check dialogue.server"
        ) from error
    return list(dict.fromkeys(str(row[4][0]) for row in rows))


def outside(host: str, port: int, lookup: Lookup = _lookup) -> list[str]:
    """The addresses of `host` that are not in the house."""
    return [address for address in addresses_of(host, port, lookup) if not in_house(address)]


def connect(
    host: str, port: int, timeout_s: float, *, leave_house: bool, lookup: Lookup = _lookup
) -> socket.socket:
    """A connection to `host`; TalkerError where none of its addresses answers.

    Unless `leave_house`, a name with a single address outside of the house is refused as a whole.
    """
    addresses = addresses_of(host, port, lookup)
    public = [address for address in addresses if not in_house(address)]
    if public and not leave_house:
        raise TalkerError(f"{host} leads to {public[0]}, outside of the house, and nobody consented to that")
    reason: OSError | None = None
    for address in addresses:
        try:
            return socket.create_connection((address, port), timeout_s)
        except OSError as error:
            reason = error
    raise TalkerError(f"{host}:{port} does not answer ({reason}); is the server running there?")
