"""Robots that tell telemetry ten times a second and events between it, each with an outbox of its own.

`python -m tests.fakes.fleet PORT FOLDER FIRST ROBOTS EVENTS`; they live on, as robots do, until ended.
"""

import sys
import time
from pathlib import Path

from runtime.bus import Bus
from runtime.contracts import messages as m
from runtime.outbox import Outbox

PERIOD_S = 0.1
TELLS_EVERY = 3
"""Periods between two events of a robot"""
_LINK = {"frames_sent": 1, "frames_received": 1, "crc_errors": 0, "resends": 0, "stream_hz": 50.0}


class Robot:
    """One of them; its events are numbered from 0."""

    def __init__(self, port: int, folder: Path, name: str) -> None:
        self.bus = Bus(name, port=port, birth=("state/runtime", m.Presence(alive=True))).connect(60.0)
        self.outbox = Outbox(self.bus, folder / name, "mind", lambda: 1.8e9).start()
        self.told = 0

    def step(self, tick: int, events: int) -> None:
        self.bus.publish("tele/link", m.LinkTelemetry.model_validate({**_LINK, "mono_ms": tick}))
        if tick % TELLS_EVERY == 0 and self.told < events:
            event = m.SafetyEvent(kind="halt", detail=str(self.told), mono_ms=tick)
            self.outbox.publish("event/safety", event)
            self.told += 1


def main(port: int, folder: Path, first: int, robots: int, events: int) -> None:
    fleet = [Robot(port, folder, f"fleet-{number}") for number in range(first, first + robots)]
    begin_s, tick = time.monotonic(), 0
    while True:
        for robot in fleet:
            robot.step(tick, events)
        tick += 1
        time.sleep(max(0.0, begin_s + tick * PERIOD_S - time.monotonic()))


if __name__ == "__main__":
    port, folder, *numbers = sys.argv[1:]
    main(int(port), Path(folder), *map(int, numbers))
