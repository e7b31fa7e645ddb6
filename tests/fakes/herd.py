"""Many plain robots (runtime.eyes.traffic) that find their broker again whenever it is gone.

`python -m tests.fakes.herd PORT ROBOTS RATE_HZ`; they live on until ended.
"""

import sys
import time
from contextlib import closing

from runtime.eyes.load import room_for
from runtime.eyes.traffic import Herd

AN_HOUR_S = 3_600.0


def main(port: int, robots: int, rate_hz: float) -> None:
    room_for(robots)
    while True:
        try:
            with closing(Herd("127.0.0.1", port, robots)) as herd:
                herd.tell(rate_hz, AN_HOUR_S)
        except OSError:
            time.sleep(0.2)


if __name__ == "__main__":
    port, robots, rate_hz = sys.argv[1:]
    main(int(port), int(robots), float(rate_hz))
