"""Telemetry of the mind at its own pace: a thread that tells `tele/host`, `tele/latency` and `state/day`."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from runtime.bus import Bus, Delivery, decode
from runtime.contracts import messages as m
from runtime.contracts.errors import MessageError
from runtime.history import History
from runtime.host import HostWatch, Latencies

log = logging.getLogger(__name__)

PERIOD_S = 2.0


@contextmanager
def reporting(
    bus: Bus, watch: HostWatch, latencies: Latencies, feels: Callable[[], m.MindState]
) -> Iterator[None]:
    """Tell all of it while the block runs. A figure that cannot be read is logged once and ends no pet."""
    ended, day = threading.Event(), History()

    def hear(delivery: Delivery) -> None:
        try:
            day.take(decode(delivery, m.LinkTelemetry))
        except MessageError as error:
            log.debug("%s", error)

    def tell() -> None:
        host = watch.sample()
        bus.publish("tele/host", host)
        bus.publish("tele/latency", latencies.telemetry())
        for message in (host, feels()):
            day.take(message)
        if (told := day.turn()) is not None:
            bus.publish("state/day", told)

    def report() -> None:
        complained = False
        while not ended.wait(PERIOD_S):
            try:
                tell()
            except (OSError, ValueError, IndexError) as error:
                if not complained:
                    log.warning("no figures of this computer (%s); the pet goes on without", error)
                complained = True

    bus.subscribe("tele/link", hear)
    thread = threading.Thread(target=report, name="reporter", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(timeout=1)
