"""`everpaw fleet`: so many simulated robots on one broker of this computer, and what it bears.

Each robot has a connection of its own and tells `tele/link` at the given rate; one reader takes all of it.
The robots are plain sockets in one process and the reader is another, because a client library with a thread
each would measure itself; what both cost is told apart from the broker's. Latency is from a robot's send to
the reader's receipt.
"""

import argparse
import asyncio
import json
import multiprocessing
import resource
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from runtime.broker import Broker, run_broker
from runtime.contracts import messages as m
from runtime.contracts.errors import ConfigError
from runtime.contracts.topics import PREFIX, encode
from runtime.eyes.packets import connect_packet, packet_end, publish_packet, subscribe_packet
from runtime.picture_file import picture
from runtime.process import cpu_s, resident_mb

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

ROBOTS = (50, 100, 200, 400, 700, 1_000)
RATE_HZ = 10.0
_CONNACK = 4
_SENT = b'"clock_offset_ms":'
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
    reader_cpu: float = 0.0
    late_ms: float = field(default=0.0)
    """How far behind its own pace the generator was, in the mean: a figure beside it is the generator's"""

    @property
    def knee(self) -> bool:
        """More than a hundredth lost, or a twentieth later than 100 ms."""
        return self.delivered < 0.99 * self.sent or self.p95_ms > 100


async def _open(broker: Broker, client_id: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection(broker.host, broker.port)
    writer.write(connect_packet(client_id))
    await reader.readexactly(_CONNACK)
    return reader, writer


class _Reader(asyncio.Protocol):
    """Takes PUBLISH packets as fast as they come, and notes how old each is."""

    def __init__(self) -> None:
        self.lags_ms: list[float] = []
        self._rest = b""

    def data_received(self, data: bytes) -> None:
        now_ms = time.monotonic() * 1e3
        buffer, at = self._rest + data, 0
        while (end := packet_end(buffer, at)) is not None:
            mark = buffer.find(_SENT, at, end)
            if mark > 0:
                sent_ms = buffer[mark + len(_SENT) : buffer.find(b",", mark)]
                self.lags_ms.append(now_ms - float(sent_ms))
            at = end
        self._rest = buffer[at:]


def _read(host: str, port: int, pipe: "Connection") -> None:
    """The reader's process: says when it has subscribed, and at the end what came and what that cost."""

    async def watch() -> None:
        loop = asyncio.get_running_loop()
        transport, reader = await loop.create_connection(_Reader, host, port)
        transport.write(connect_packet("load-watcher"))
        transport.write(subscribe_packet(f"{PREFIX}/+/tele/link"))
        await asyncio.sleep(0.5)
        own_s = time.process_time()
        pipe.send(None)
        await loop.run_in_executor(None, pipe.recv)
        pipe.send((reader.lags_ms, time.process_time() - own_s))

    asyncio.run(watch())


def _template() -> tuple[bytes, bytes]:
    """A robot's message before and behind the moment of sending."""
    link = m.LinkTelemetry(
        frames_sent=1, frames_received=1, crc_errors=0, resends=0, stream_hz=50.0, mono_ms=0, supply_mv=7_600
    )
    # The field that no reader times by carries the moment of sending, to a microsecond.
    mark = 1_000_000_000.125
    before, mark_text, behind = encode(link.model_copy(update={"clock_offset_ms": mark})).partition(
        str(mark).encode()
    )
    assert before.endswith(_SENT), before
    assert mark_text, "the mark is written as it is read"
    return before, behind


async def _send(writers: Sequence[asyncio.StreamWriter], run: Run, begin_s: float, seconds: float) -> float:
    """Every robot's messages in turn, spread evenly over the period; how late each was in the mean, s."""
    before, behind = _template()
    topics = [f"{PREFIX}/load-{number}/tele/link" for number in range(len(writers))]
    late_s, count = 0.0, round(seconds * run.rate_hz) * len(writers)
    gap_s = 1 / run.rate_hz / len(writers)
    for number in range(count):
        due_s = begin_s + number * gap_s
        now_s = time.monotonic()
        if now_s < due_s:
            await asyncio.sleep(due_s - now_s)
            now_s = time.monotonic()
        elif number % 50 == 0:  # behind: the loop must turn all the same
            await asyncio.sleep(0)
        late_s += now_s - due_s
        payload = b"%s%.3f%s" % (before, now_s * 1e3, behind)
        writers[number % len(writers)].write(publish_packet(topics[number % len(writers)], payload))
        run.sent += 1
    return late_s / max(1, count)


async def measure(broker: Broker, robots: int, rate_hz: float, seconds: float) -> Run:
    """One row."""
    run = Run(robots, rate_hz)
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    reader = multiprocessing.get_context("spawn").Process(
        target=_read, args=(broker.host, broker.port, theirs), daemon=True
    )
    reader.start()
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(None, ours.recv)
    writers = [(await _open(broker, f"load-{number}"))[1] for number in range(robots)]
    assert broker.pid is not None
    broker_s, own_s, begin_s = cpu_s(broker.pid), time.process_time(), time.monotonic()
    run.late_ms = round(1e3 * await _send(writers, run, begin_s, seconds), 2)
    await asyncio.sleep(1.0)
    spent_s = time.monotonic() - begin_s - 1.0
    run.broker_cpu = round((cpu_s(broker.pid) - broker_s) / spent_s, 3)
    run.generator_cpu = round((time.process_time() - own_s) / spent_s, 3)
    run.broker_mb = round(resident_mb(broker.pid), 1)
    ours.send(None)
    lags_ms, reader_s = await loop.run_in_executor(None, ours.recv)
    reader.join()
    for writer in writers:
        writer.close()
    run.reader_cpu = round(reader_s / spent_s, 3)
    ordered = sorted(lags_ms) or [float("inf")]
    run.delivered = len(lags_ms)
    run.p50_ms, run.p95_ms = (round(ordered[int(q * (len(ordered) - 1))], 2) for q in (0.5, 0.95))
    return run


def table(runs: Sequence[Run]) -> str:
    """The rows as text."""
    heads = [*("robots", "sent/s", "delivered", "p50 ms", "p95 ms"), *("broker core", "broker MB")]
    heads += ["reader core", "generator core", "behind ms"]
    lines = ["".join(f"{head:>15}" for head in heads)]
    for run in runs:
        share = f"{100 * run.delivered / max(1, run.sent):.2f} %"
        cells: list[object] = [run.robots, f"{run.robots * run.rate_hz:.0f}", share, run.p50_ms, run.p95_ms]
        cells += [run.broker_cpu, run.broker_mb, run.reader_cpu, run.generator_cpu, run.late_ms]
        lines.append("".join(f"{cell:>15}" for cell in cells))
    knee = next((run.robots for run in runs if run.knee), None)
    lines.append(f"the knee: {knee} robots" if knee else f"no knee up to {runs[-1].robots} robots")
    return "\n".join(lines)


def _draw(runs: Sequence[Run], path: Path) -> None:
    robots = [run.robots for run in runs]
    with picture(path, 8.0, 4.0) as figure:
        late, cores = figure.subplots(1, 2)
        for name, values in (("median", [r.p50_ms for r in runs]), ("95 %", [r.p95_ms for r in runs])):
            late.plot(robots, values, marker="o", label=name)
        late.set(xlabel="robots", ylabel="from send to receipt, ms", ylim=(0, None))
        for name, values in (
            ("broker", [r.broker_cpu for r in runs]),
            ("reader", [r.reader_cpu for r in runs]),
            ("generator", [r.generator_cpu for r in runs]),
        ):
            cores.plot(robots, values, marker="o", label=name)
        cores.set(xlabel="robots", ylabel="cores", ylim=(0, None))
        for axes in (late, cores):
            axes.legend()
            axes.grid(alpha=0.3)


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
    parser.add_argument("--plot", type=Path, metavar="FILE", help="a picture of them")
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
    if args.plot is not None:
        _draw(runs, args.plot)
    return 0
