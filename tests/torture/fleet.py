"""A broker killed under a fleet's load.

Every robot tells `tele/link` ten times a second and events between it, and a crowd of plain robots tells as
much around them; one watcher, as a page has it, reads them all. The broker is killed without warning, is away
for a while, and comes back empty; at the end each event of each robot must stand once in the watcher's log.
`python -m tests.torture.fleet --help`.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

from runtime.broker import run_broker
from runtime.eyes.watcher import Watcher

ROBOTS_A_PROCESS = 25
AWAY_S = 1.5
SETTLE_S = 120.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """`told` events in all; how many of them the watcher lacks, and how many it has twice."""

    told: int
    lost: int
    doubled: int
    took_s: float


def run(robots: int, events: int, kills: int, crowd: int = 0) -> Outcome:
    """Raises where a robot's process fails."""
    begin_s = time.monotonic()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="everpaw-")))
        broker = stack.enter_context(run_broker(kind="mosquitto"))
        port, pid = broker.port, broker.pid
        watcher = stack.enter_context(closing(Watcher("127.0.0.1", port).start()))
        firsts = range(0, robots, ROBOTS_A_PROCESS)
        fleets = [
            _fleet(port, folder, first, min(ROBOTS_A_PROCESS, robots - first), events) for first in firsts
        ]
        stack.callback(lambda: [fleet.kill() for fleet in fleets])
        fleets += [_crowd(port, crowd)] if crowd else []
        names = [f"fleet-{number}" for number in range(robots)]
        for kill in range(kills):
            wanted = robots * events * (kill + 1) // (kills + 1)
            _until(lambda wanted=wanted: sum(len(_numbers(watcher, name)) for name in names) >= wanted)
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            time.sleep(AWAY_S)
            pid = stack.enter_context(run_broker(port, kind="mosquitto")).pid
        _until(lambda: all(len(set(_numbers(watcher, name))) == events for name in names), must=False)
        assert all(fleet.poll() is None for fleet in fleets), "a robot's process failed"
        found = [_numbers(watcher, name) for name in names]
    lost = sum(events - len(set(numbers)) for numbers in found)
    doubled = sum(len(numbers) - len(set(numbers)) for numbers in found)
    return Outcome(robots * events, lost, doubled, time.monotonic() - begin_s)


def _fleet(port: int, folder: Path, first: int, robots: int, events: int) -> "subprocess.Popen[bytes]":
    numbers = map(str, (port, folder, first, robots, events))
    return subprocess.Popen([sys.executable, "-m", "tests.fakes.fleet", *numbers])


def _crowd(port: int, robots: int) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-m", "tests.fakes.herd", str(port), str(robots), "10"])


def _numbers(watcher: Watcher, robot: str) -> list[int]:
    return [int(row.payload["detail"]) for row in watcher.events.search(robot, limit=100_000)]


def _until(true, must: bool = True) -> None:  # type: ignore[no-untyped-def]
    give_up_s = time.monotonic() + SETTLE_S
    while not true():
        if time.monotonic() > give_up_s:
            assert not must, f"not within {SETTLE_S:g} s"
            return
        time.sleep(0.2)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.torture.fleet", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--robots", type=int, default=100)
    parser.add_argument("--events", type=int, default=60, help="of each robot")
    parser.add_argument("--kills", type=int, default=3, help="of the broker")
    parser.add_argument("--crowd", type=int, default=0, help="of plain robots at 10 Hz around them")
    args = parser.parse_args(argv)
    came = run(args.robots, args.events, args.kills, args.crowd)
    print(
        f"{args.robots} robots in a crowd of {args.crowd}, {came.told} events,"
        f" the broker killed {args.kills} times: {came.lost} lost, {came.doubled} doubled;"
        f" {came.took_s:.0f} s"
    )
    return int(came.lost + came.doubled > 0)


if __name__ == "__main__":
    sys.exit(main())
