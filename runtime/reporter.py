"""Telemetry of the mind at its own pace: a thread that tells `tele/host` and `tele/latency`."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from runtime.bus import Bus
from runtime.host import HostWatch, Latencies

log = logging.getLogger(__name__)

PERIOD_S = 2.0


@contextmanager
def reporting(bus: Bus, watch: HostWatch, latencies: Latencies) -> Iterator[None]:
    """Tell both while the block runs. A figure that cannot be read is logged once and ends no pet."""
    ended = threading.Event()

    def report() -> None:
        complained = False
        while not ended.wait(PERIOD_S):
            try:
                bus.publish("tele/host", watch.sample())
                bus.publish("tele/latency", latencies.telemetry())
            except (OSError, ValueError, IndexError) as error:
                if not complained:
                    log.warning("no figures of this computer (%s); the pet goes on without", error)
                complained = True

    thread = threading.Thread(target=report, name="reporter", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(timeout=1)
