"""A process that tells safety events through an outbox as fast as it may, until somebody kills it.

`python -m tests.fakes.teller PORT FOLDER FIRST COUNT`; each number is printed when `publish` has returned.
"""

import sys
import time
from pathlib import Path

from runtime.bus import Bus
from runtime.contracts import messages as m
from runtime.outbox import Outbox


def main(port: int, folder: Path, first: int, count: int) -> None:
    bus = Bus("rex", port=port).connect(60.0)
    outbox = Outbox(bus, folder, "mind", lambda: 1.8e9).start()
    for number in range(first, first + count):
        outbox.publish("event/safety", m.SafetyEvent(kind="halt", detail=str(number), mono_ms=number))
        print(number, flush=True)
        time.sleep(0.002)
    outbox.close()
    bus.close()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
