"""`everpaw fleet`: so many simulated robots on one broker of this computer, and what it bears.

Each robot has a connection of its own and tells `tele/link` at the given rate; one watcher takes all of it.
The robots are plain sockets in one process, because a client library with a thread each would measure itself;
their own cost is told apart from the broker's. Latency is from a robot's send to the watcher's receipt.
"""

import argparse
import asyncio
import json
import resource
import struct
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from runtime.broker import Broker, run_broker
from runtime.contracts import messages as m
from runtime.contracts.errors import ConfigError
from runtime.contracts.topics import PREFIX, encode
from runtime.process import cpu_s, resident_mb

ROBOTS = (50, 100, 200, 400, 700, 1_000)
RATE_HZ = 10.0
_CONNACK = 4
_OTHER_FILES = 50
"""Handles of a process beside its connections"""


@dataclass(slots=True)
class Run:
    """One number of robots; shares are of one core."""

    robots: int
    rate_hz: float
    sent: int = 0
    delivered: int = 0
    p50_ms: float = 0.0
    p95_ms: float = 0.0
    broker_cpu: float = 0.0
    broker_mb: float = 0.0
    generator_cpu: float = 0.0
    late_ms: float = field(default=0.0)
    """How far behind its own pace the generator was, in the mean: a figure beside it is the generator's"""

    @property
    def knee(self) -> bool:
        """More than a hundredth lost, or a twentieth later than 100 ms."""
        return self.delivered < 0.99 * self.sent or self.p95_ms > 100


def connect_packet(client_id: str) -> bytes:
    """MQTT 3.1.1 CONNECT, clean session, 60 s keepalive."""
    body = b"\x00\x04MQTT\x04\x02\x00\x3c" + _text(client_id)
    return b"\x10" + _length(len(body)) + body


def publish_packet(topic: str, payload: bytes) -> bytes:
    """PUBLISH of QoS 0."""
    body = _text(topic) + payload
    return b"\x30" + _length(len(body)) + body


def subscribe_packet(pattern: str) -> bytes:
    """SUBSCRIBE of QoS 0, packet 1."""
    body = b"\x00\x01" + _text(pattern) + b"\x00"
    return b"\x82" + _length(len(body)) + body


def _text(text: str) -> bytes:
    raw = text.encode()
    return struct.pack(">H", len(raw)) + raw


def _length(count: int) -> bytes:
    out = bytearray()
    while True:
        count, digit = divmod(count, 128)
        out.append(digit | (0x80 if count else 0))
        if not count:
            return bytes(out)


async def _open(broker: Broker, client_id: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection(broker.host, broker.port)
    writer.write(connect_packet(client_id))
    await reader.readexactly(_CONNACK)
    return reader, writer


async def _packet(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """(type, body) of the next one."""
    kind = (await reader.readexactly(1))[0] >> 4
    length, shift = 0, 0
    while True:
        digit = (await reader.readexactly(1))[0]
        length |= (digit & 0x7F) << shift
        shift += 7
        if not digit & 0x80:
            return kind, await reader.readexactly(length)


async def _watch(reader: asyncio.StreamReader, lags_ms: list[float]) -> None:
    while True:
        kind, body = await _packet(reader)
        if kind == 3:
            now_ms = time.monotonic() * 1e3
            payload = body[2 + struct.unpack(">H", body[:2])[0] :]
            lags_ms.append(now_ms - json.loads(payload)["clock_offset_ms"])


async def _robot(
    broker: Broker, number: int, run: Run, begin_s: float, seconds: float, late_s: list[float]
) -> None:
    _, writer = await _open(broker, f"load-{number}")
    topic = f"{PREFIX}/load-{number}/tele/link"
    link = m.LinkTelemetry(
        frames_sent=1, frames_received=1, crc_errors=0, resends=0, stream_hz=50.0, mono_ms=0, supply_mv=7_600
    )
    # Spread over the period, as robots are.
    due_s = begin_s + (number % 97) / 97 / run.rate_hz
    while due_s < begin_s + seconds:
        await asyncio.sleep(max(0.0, due_s - time.monotonic()))
        now_s = time.monotonic()
        late_s.append(now_s - due_s)
        # The field that no reader times by carries the moment of sending, to a microsecond.
        writer.write(publish_packet(topic, encode(link.model_copy(update={"clock_offset_ms": now_s * 1e3}))))
        run.sent += 1
        due_s += 1 / run.rate_hz
    await writer.drain()
    await asyncio.sleep(1.0)
    writer.close()


async def measure(broker: Broker, robots: int, rate_hz: float, seconds: float) -> Run:
    """One row."""
    run, lags_ms, late_s = Run(robots, rate_hz), list[float](), list[float]()
    reader, writer = await _open(broker, "load-watcher")
    writer.write(subscribe_packet(f"{PREFIX}/+/tele/link"))
    await _packet(reader)
    watching = asyncio.create_task(_watch(reader, lags_ms))
    begin_s = time.monotonic() + 1.0 + robots / 400
    assert broker.pid is not None
    broker_s, own_s = cpu_s(broker.pid), time.process_time()
    await asyncio.gather(*(_robot(broker, n, run, begin_s, seconds, late_s) for n in range(robots)))
    spent_s = time.monotonic() - begin_s
    run.broker_cpu = round((cpu_s(broker.pid) - broker_s) / spent_s, 3)
    run.generator_cpu = round((time.process_time() - own_s) / spent_s, 3)
    run.broker_mb = round(resident_mb(broker.pid), 1)
    watching.cancel()
    writer.close()
    ordered = sorted(lags_ms) or [float("inf")]
    run.delivered = len(lags_ms)
    run.p50_ms, run.p95_ms = (round(ordered[int(q * (len(ordered) - 1))], 2) for q in (0.5, 0.95))
    run.late_ms = round(1e3 * sum(late_s) / max(1, len(late_s)), 2)
    return run


def table(runs: Sequence[Run]) -> str:
    """The rows as text."""
    heads = [*("robots", "sent/s", "delivered", "p50 ms", "p95 ms"), *("broker core", "broker MB")]
    heads += ["generator core", "behind ms"]
    lines = ["".join(f"{head:>15}" for head in heads)]
    for run in runs:
        share = f"{100 * run.delivered / max(1, run.sent):.2f} %"
        cells: list[object] = [run.robots, f"{run.robots * run.rate_hz:.0f}", share, run.p50_ms, run.p95_ms]
        cells += [run.broker_cpu, run.broker_mb, run.generator_cpu, run.late_ms]
        lines.append("".join(f"{cell:>15}" for cell in cells))
    knee = next((run.robots for run in runs if run.knee), None)
    lines.append(f"the knee: {knee} robots" if knee else f"no knee up to {runs[-1].robots} robots")
    return "\n".join(lines)


def _counts(text: str) -> tuple[int, ...]:
    counts = tuple(int(word) if word.isdecimal() else 0 for word in text.split(","))
    if min(counts) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: give whole numbers from 1, as 10,100,1000")
    return counts


def _above_zero(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above zero")
    return number


def _room_for(robots: int) -> None:
    """Lets this process and its broker hold so many connections; ConfigError where the system does not."""
    wanted, (soft, hard) = robots + _OTHER_FILES, resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and wanted > hard:
        raise ConfigError(f"{robots} robots need {wanted} open files, {hard} are allowed here (ulimit -Hn)")
    if soft != resource.RLIM_INFINITY and wanted > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def main(argv: list[str]) -> int:
    """`everpaw fleet`."""
    parser = argparse.ArgumentParser(prog="everpaw fleet", description="Simulated robots on one broker.")
    parser.add_argument("--robots", default=ROBOTS, type=_counts, help="numbers, as 10,100,1000")
    parser.add_argument("--rate", default=RATE_HZ, type=_above_zero, help="messages a second and robot")
    parser.add_argument("--seconds", default=10.0, type=_above_zero, help="of each number")
    parser.add_argument("--json", type=Path, metavar="FILE", help="the rows, for another program")
    args = parser.parse_args(argv)
    _room_for(max(args.robots))
    runs: list[Run] = []
    for robots in args.robots:
        with run_broker(kind="mosquitto") as broker:
            print(f"everpaw: {robots} robots for {args.seconds:g} s", file=sys.stderr)
            runs.append(asyncio.run(measure(broker, robots, args.rate, args.seconds)))
    print(table(runs))
    if args.json is not None:
        args.json.write_text(json.dumps([asdict(run) for run in runs], indent=1) + "\n")
    return 0
