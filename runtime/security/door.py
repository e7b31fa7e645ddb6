"""Sockets of the pairing: the house waits for one joiner, a joiner calls a house."""

import socket
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from runtime.contracts.errors import TrustError
from runtime.security import bundle
from runtime.security.certificates import key_pem, new_key, request
from runtime.security.pairing import MAX_LINE_BYTES, Join, Offer, Visit, refusal

LINE_S = 10.0
"""Longest wait for a line of somebody who is connected"""
PORT = 8884


@dataclass(frozen=True, slots=True)
class Door:
    """Where joiners knock; one at a time, the others wait."""

    server: socket.socket

    @property
    def port(self) -> int:
        return int(self.server.getsockname()[1])

    def serve(self, offer: Offer, tell: Callable[[str], None]) -> bool:
        """Answer joiners until one has paired (True) or the offer is over; `tell` hears of every refusal."""
        self.server.settimeout(0.2)
        while not offer.over:
            try:
                connection, _ = self.server.accept()
            except TimeoutError:
                continue
            with closing(connection):
                try:
                    _receive(connection, Visit(offer))
                except TrustError as error:
                    tell(str(error))
                    _send_quietly(connection, refusal(str(error)))
                except OSError as error:
                    tell(f"somebody went away in the middle ({error})")
        return offer.taken


def open_door(listen: str, port: int) -> Door:
    """TrustError where the port cannot be had."""
    try:
        return Door(socket.create_server((listen, port)))
    except (OSError, OverflowError) as error:
        raise TrustError(f"{listen}:{port} cannot be used ({error}); give another --pairing-port") from error


def join(host: str, port: int, code: str, folder: Path) -> dict[str, str]:
    """Pair with the house at `host`: the bundle into `folder`; returns what else the house told."""
    if (folder / bundle.CERTIFICATE).exists():
        raise TrustError(f"{folder} holds a certificate already; give a new folder")
    key = new_key()
    side = Join(code, request(key))
    try:
        with closing(socket.create_connection((host, port), LINE_S)) as connection:
            connection.sendall(side.hello())
            connection.sendall(side.ask(_line_of(connection)))
            told = side.take(_line_of(connection))
    except OSError as error:
        raise TrustError(
            f"no house answers at {host}:{port} ({error}); start `everpaw security pair` there first"
        ) from error
    bundle.write(folder, told.pop("authority").encode(), told.pop("certificate").encode(), key_pem(key))
    return told


def _receive(connection: socket.socket, visit: Visit) -> None:
    connection.sendall(visit.greet(_line_of(connection)))
    connection.sendall(visit.finish(_line_of(connection)))


def _line_of(connection: socket.socket) -> bytes:
    """One line; TrustError where it is too long or takes too long, so that nobody holds the door."""
    give_up_s = time.monotonic() + LINE_S
    line = b""
    while not line.endswith(b"\n"):
        left = give_up_s - time.monotonic()
        if left <= 0 or len(line) > MAX_LINE_BYTES:
            raise TrustError(f"the other side sent no line of the pairing in {LINE_S:.0f} s")
        connection.settimeout(left)
        part = connection.recv(4_096)
        if not part:
            raise TrustError("the other side hung up")
        line += part
    return line


def _send_quietly(connection: socket.socket, line: bytes) -> None:
    try:
        connection.sendall(line)
    except OSError:
        return
