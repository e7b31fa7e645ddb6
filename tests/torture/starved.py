"""Ticks of the simulated board on a starved machine: how many are lost, how far apart they come.

`python -m tests.torture.starved [--seconds 8] [--hogs 8]`: the board ticks by itself, then beside
processes that never rest; each time as an ordinary process and as the simulator runs (ahead of others where
that is allowed). Figures only; nothing is asserted. A tick that is lost is time that did not pass for the
guard: a starved simulator stops later by the wall, never by its own clock.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

TICKING = """
import os, sys, threading, time
from firmware_bridge.sim import Ended, SimulatedBoard, open_pty
from firmware_bridge.urgency import be_urgent
how = be_urgent() if sys.argv[1] == "urgent" else "ordinary"
seconds, ended, moments = float(sys.argv[2]), Ended(), []
class Board(SimulatedBoard):
    def moved(self):
        moments.append(time.monotonic())
        ended.asked = moments[-1] - moments[0] >= seconds
with open_pty(None) as (master, _):
    Board(master).run(ended, os.getppid())
gaps = sorted(b - a for a, b in zip(moments, moments[1:]))
lost = 1 - (len(moments) - 1) / ((moments[-1] - moments[0]) / 0.01)
print(how, lost, gaps[len(gaps) * 99 // 100] * 1000, gaps[-1] * 1000)
"""
HOG = "while True: pass"


def measure(seconds: float, hogs: int, *, urgent: bool) -> dict[str, float | int | str]:
    with _hogs(hogs):
        words = [sys.executable, "-c", TICKING, "urgent" if urgent else "ordinary", str(seconds)]
        said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    how, *figures = said.rsplit(maxsplit=3)
    lost, p99_ms, longest_ms = (float(figure) for figure in figures)
    return {
        "how": how,
        "hogs": hogs,
        "load": round(os.getloadavg()[0], 1),
        "lost_percent": round(max(lost, 0.0) * 100, 2),
        "gap_p99_ms": round(p99_ms, 1),
        "gap_longest_ms": round(longest_ms, 1),
    }


@contextmanager
def _hogs(count: int) -> Iterator[None]:
    hogs = [subprocess.Popen([sys.executable, "-c", HOG]) for _ in range(count)]
    time.sleep(0.5 if hogs else 0)
    try:
        yield
    finally:
        for hog in hogs:
            hog.kill()
            hog.wait()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--hogs", type=int, default=8)
    args = parser.parse_args()
    for hogs in (0, args.hogs):
        for urgent in (False, True):
            print(json.dumps(measure(args.seconds, hogs, urgent=urgent)), flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
