"""`everpaw fleet`: so many simulated robots on one broker of this computer, and what it bears.

Each robot has a connection of its own and tells `tele/link` at the given rate; each reader, as a dashboard is
one, takes all of it (runtime.eyes.traffic). What robots and readers cost is told apart from the broker's.
"""

import argparse
import json
import resource
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path

from runtime.broker import Broker, run_broker
from runtime.contracts.errors import BusError, ConfigError
from runtime.eyes.traffic import Herd, Read, readers
from runtime.picture_file import picture
from runtime.process import cpu_s, resident_mb

ROBOTS = (50, 100, 200, 400, 700, 1_000)
RATE_HZ = 10.0
_DRAIN_S = 1.0
"""What was sent last may take so long"""
_BEHIND_MS = 20.0
_OTHER_FILES = 50
"""Handles of a process beside its connections"""


@dataclass(slots=True)
class Run:
    """One number of robots at one rate; shares are of one core."""

    robots: int
    rate_hz: float
    readers: int = 1
    offered: int = 0
    """By the generator's own pace"""
    sent: int = 0
    """Taken by the broker"""
    delivered: int = 0
    p50_ms: float = 0.0
    p95_ms: float = 0.0
    broker_cpu: float = 0.0
    broker_mb: float = 0.0
    generator_cpu: float = 0.0
    reader_cpu: float = 0.0
    late_ms: float = 0.0
    """How far behind its own pace the generator was, in the mean: a figure beside it is the generator's"""

    @property
    def per_second(self) -> float:
        """Messages of all robots."""
        return self.robots * self.rate_hz

    @property
    def knee(self) -> bool:
        """More than a hundredth lost, or a twentieth later than 100 ms."""
        return self.delivered < 0.99 * self.offered * self.readers or self.p95_ms > 100


def measure(broker: Broker, robots: int, rate_hz: float, seconds: float, watching: int = 1) -> Run:
    """One row."""
    run = Run(robots, rate_hz, watching)
    assert broker.pid is not None
    try:
        with (
            readers(broker.host, broker.port, watching) as pipes,
            closing(Herd(broker.host, broker.port, robots)) as herd,
        ):
            broker_s, own_s, begin_s = cpu_s(broker.pid), time.process_time(), time.monotonic()
            told = herd.tell(rate_hz, seconds)
            spent_s, own_s = time.monotonic() - begin_s, time.process_time() - own_s
            time.sleep(_DRAIN_S)
            run.broker_cpu = round((cpu_s(broker.pid) - broker_s) / spent_s, 3)
            run.broker_mb = round(resident_mb(broker.pid), 1)
            for pipe in pipes:
                pipe.send(None)
            came: list[Read] = [pipe.recv() for pipe in pipes]
    except (OSError, EOFError) as error:
        raise BusError(f"the broker did not bear {robots} robots at {rate_hz:g} Hz ({error})") from error
    run.offered, run.sent, run.late_ms = told.offered, told.sent, round(1e3 * told.late_s, 2)
    run.generator_cpu = round(own_s / spent_s, 3)
    run.reader_cpu = round(sum(read.cpu_s for read in came) / spent_s, 3)
    ordered = sorted(lag for read in came for lag in read.lags_ms) or [float("inf")]
    run.delivered = sum(len(read.lags_ms) for read in came)
    run.p50_ms, run.p95_ms = (round(ordered[int(q * (len(ordered) - 1))], 2) for q in (0.5, 0.95))
    return run


def table(runs: Sequence[Run]) -> str:
    """The rows as text."""
    heads = [*("robots", "sent/s", "delivered", "p50 ms", "p95 ms"), *("broker core", "broker MB")]
    heads += ["reader core", "generator core", "behind ms"]
    lines = ["".join(f"{head:>15}" for head in heads)]
    for run in runs:
        share = f"{100 * run.delivered / max(1, run.offered * run.readers):.2f} %"
        cells: list[object] = [run.robots, f"{run.per_second:.0f}", share, run.p50_ms, run.p95_ms]
        cells += [run.broker_cpu, run.broker_mb, run.reader_cpu, run.generator_cpu, run.late_ms]
        lines.append("".join(f"{cell:>15}" for cell in cells))
    return "\n".join([*lines, _knee(runs)])


def _knee(runs: Sequence[Run]) -> str:
    found = next((run for run in runs if run.knee), None)
    if found is None:
        return f"no knee up to {runs[-1].robots} robots, {runs[-1].per_second:.0f} messages a second"
    whose = "" if found.late_ms < _BEHIND_MS else "; the generator's own, which fell behind its pace"
    return f"the knee: {found.robots} robots, {found.per_second:.0f} messages a second{whose}"


def _draw(runs: Sequence[Run], path: Path) -> None:
    told = [run.per_second / 1_000 for run in runs]
    knee = next((run.per_second / 1_000 for run in runs if run.knee), None)
    with picture(path, 8.0, 4.0) as figure:
        late, cores = figure.subplots(1, 2)
        for name, values in (("median", [r.p50_ms for r in runs]), ("95 %", [r.p95_ms for r in runs])):
            late.plot(told, values, marker="o", label=name)
        late.set(xlabel="thousand messages a second", ylabel="from send to receipt, ms", yscale="log")
        for name, values in (
            ("broker", [r.broker_cpu for r in runs]),
            ("readers", [r.reader_cpu for r in runs]),
            ("generator", [r.generator_cpu for r in runs]),
        ):
            cores.plot(told, values, marker="o", label=name)
        cores.set(xlabel="thousand messages a second", ylabel="cores", ylim=(0, None))
        for axes in (late, cores):
            if knee is not None:
                axes.axvline(knee, color="tab:red", linestyle=":", label="knee")
            axes.legend()
            axes.grid(alpha=0.3)


def _counts(text: str) -> tuple[int, ...]:
    counts = tuple(int(word) if word.isdecimal() else 0 for word in text.split(","))
    if min(counts) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: give whole numbers from 1, as 10,100,1000")
    return counts


def _rates(text: str) -> tuple[float, ...]:
    return tuple(map(_above_zero, text.split(",")))


def _above_zero(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above zero")
    return number


def room_for(robots: int) -> None:
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
    parser.add_argument(
        "--rate", default=(RATE_HZ,), type=_rates, help="messages a second and robot, or several, as 10,20,40"
    )
    parser.add_argument("--readers", default=1, type=int, choices=range(1, 9), help="each takes all of it")
    parser.add_argument("--seconds", default=10.0, type=_above_zero, help="of each number")
    parser.add_argument("--json", type=Path, metavar="FILE", help="the rows, for another program")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="a picture of them")
    args = parser.parse_args(argv)
    room_for(max(args.robots))
    runs: list[Run] = []
    for robots, rate_hz in sorted(product(args.robots, args.rate), key=lambda row: row[0] * row[1]):
        with run_broker(kind="mosquitto") as broker:
            print(f"everpaw: {robots} robots at {rate_hz:g} Hz for {args.seconds:g} s", file=sys.stderr)
            runs.append(measure(broker, robots, rate_hz, args.seconds, args.readers))
    print(table(runs))
    if args.json is not None:
        args.json.write_text(json.dumps([asdict(run) for run in runs], indent=1) + "\n")
    if args.plot is not None:
        _draw(runs, args.plot)
    return 0
