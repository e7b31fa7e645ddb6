"""Simulated robots and readers for `everpaw fleet`, lean enough to leave the processor to the broker.

Robots are plain sockets of one thread, readers processes of their own, because a client library with a thread
each would measure itself. A message carries the moment of its sending; how old it is at the reader's receipt
is its latency.
"""

import multiprocessing
import re
import select
import socket
import time
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runtime.contracts import messages as m
from runtime.contracts.topics import PREFIX, encode
from runtime.eyes.packets import connect_packet, publish_packet, subscribe_packet

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

_CONNACK = 4
_CONNECT_S = 30.0
_TICK_S = 0.001
_FIELD = b'"clock_offset_ms":'
"""That no reader times by; it carries the moment of sending"""
_AHEAD_MS = 1e12
"""Added to that moment, so that it always has as many digits, to a microsecond"""
_MARK = re.compile(_FIELD + rb"(\d{13}\.\d{3}),")
_READ_BYTES = 1 << 18


def joined(host: str, port: int, client_id: str) -> socket.socket:
    """A connection that the broker has taken; OSError where it does not."""
    line = socket.create_connection((host, port), _CONNECT_S)
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    line.sendall(connect_packet(client_id))
    if len(line.recv(_CONNACK, socket.MSG_WAITALL)) < _CONNACK:
        raise ConnectionError(f"the broker at {host}:{port} closed a connection at once")
    return line


@dataclass(slots=True)
class Told:
    """What a herd told: `offered` by its pace, `sent` as far as the broker took it; seconds behind, mean."""

    offered: int = 0
    sent: int = 0
    late_s: float = 0.0


class Herd:
    """So many robots, each with a connection of its own, that tell `tele/link`."""

    def __init__(self, host: str, port: int, robots: int) -> None:
        self._lines: list[socket.socket] = []
        try:
            for number in range(robots):
                self._lines.append(joined(host, port, f"load-{number}"))
                self._lines[-1].setblocking(False)
        except OSError:
            self.close()
            raise
        packets = [_packet(number).partition(b"%.3f" % _AHEAD_MS) for number in range(robots)]
        self._packets = [(before, behind) for before, _, behind in packets]

    def tell(self, rate_hz: float, seconds: float) -> Told:
        """Every robot in turn, spread evenly over the period; OSError where the broker is gone."""
        told, late_s, begin_s = Told(), 0.0, time.monotonic()
        count, gap_s = round(seconds * rate_hz) * len(self._lines), 1 / rate_hz / len(self._lines)
        while told.offered < count:
            due = min(count, int((time.monotonic() - begin_s) / gap_s) + 1)
            if due <= told.offered:
                time.sleep(_TICK_S)
            for number in range(told.offered, due):
                now_s = time.monotonic()
                late_s += now_s - begin_s - number * gap_s
                told.sent += self._send(number % len(self._lines), now_s)
            told.offered = max(told.offered, due)
        told.late_s = late_s / max(1, count)
        return told

    def _send(self, robot: int, now_s: float) -> bool:
        before, behind = self._packets[robot]
        packet = b"%b%.3f%b" % (before, _AHEAD_MS + now_s * 1e3, behind)
        line = self._lines[robot]
        try:
            sent = line.send(packet)
        except BlockingIOError:  # the broker does not read it any more
            return False
        if sent < len(packet):
            line.setblocking(True)
            line.sendall(packet[sent:])
            line.setblocking(False)
        return True

    def close(self) -> None:
        for line in self._lines:
            line.close()


def _packet(number: int) -> bytes:
    link = m.LinkTelemetry(
        frames_sent=1, frames_received=1, crc_errors=0, resends=0, stream_hz=50.0, mono_ms=0, supply_mv=7_600
    )
    payload = encode(link.model_copy(update={"clock_offset_ms": _AHEAD_MS + 0.125}))
    payload = payload.replace(_FIELD + b"%.3f" % (_AHEAD_MS + 0.125), _FIELD + b"%.3f" % _AHEAD_MS)
    assert _MARK.search(payload), payload
    return publish_packet(f"{PREFIX}/load-{number}/tele/link", payload)


@dataclass(frozen=True, slots=True)
class Read:
    """Ages of what came, milliseconds, and what reading it cost."""

    lags_ms: "array[float]"
    cpu_s: float


class Ages:
    """How old each message of a stream is, however the line cuts it."""

    def __init__(self) -> None:
        self.lags_ms = array("d")
        self._rest = b""

    def feed(self, data: bytes, now_ms: float) -> None:
        """What came, and when, by this computer's monotonic clock."""
        buffer, end, base_ms = self._rest + data, 0, now_ms + _AHEAD_MS
        for mark in _MARK.finditer(buffer):
            self.lags_ms.append(base_ms - float(mark[1]))
            end = mark.end()
        self._rest = buffer[end:]


def _read(host: str, port: int, number: int, pipe: "Connection") -> None:
    """A reader's process: says when it has subscribed, and once it is asked what came."""
    with joined(host, port, f"load-watcher-{number}") as line:
        line.sendall(subscribe_packet(f"{PREFIX}/+/tele/link"))
        time.sleep(0.5)
        own_s, ages = time.process_time(), Ages()
        pipe.send(None)
        both = line.fileno(), pipe.fileno()
        while (ready := select.select(both, [], [])[0]) != [pipe.fileno()]:
            data = line.recv(_READ_BYTES) if line.fileno() in ready else b""
            if not data:
                break
            ages.feed(data, time.monotonic() * 1e3)
        pipe.send(Read(ages.lags_ms, time.process_time() - own_s))


@contextmanager
def readers(host: str, port: int, count: int) -> Iterator[list["Connection"]]:
    """So many, each of which takes all that the herd tells; `send` to one asks it for its `Read`."""
    context = multiprocessing.get_context("spawn")
    pipes = [context.Pipe() for _ in range(count)]
    processes = [
        context.Process(target=_read, args=(host, port, number, theirs), daemon=True)
        for number, (_, theirs) in enumerate(pipes)
    ]
    for process in processes:
        process.start()
    try:
        for ours, _ in pipes:
            ours.recv()
        yield [ours for ours, _ in pipes]
    finally:
        for process in processes:
            process.kill()
            process.join()
