"""`everpaw metrics`: every robot of a broker as OpenMetrics, for Prometheus to fetch.

One line a robot and figure, read from what the watcher heard last. A robot that is away keeps its `up` line
only, so that an old voltage never looks like a new one.
"""

import argparse
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from runtime.broker import require_free
from runtime.contracts import messages as m
from runtime.contracts.reports import HostTelemetry
from runtime.eyes.pet import Pet
from runtime.eyes.watcher import Watcher, add_broker, watcher_of

DEFAULT_PORT = 9843
HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Figure:
    """One gauge; `read` gives None where a robot has no such sensor or did not tell."""

    name: str
    help: str
    read: Callable[[Pet], float | None]


def _of(name: str, model: type[m.Message], field: str, scale: float = 1.0) -> Callable[[Pet], float | None]:
    def read(pet: Pet) -> float | None:
        message = pet.of(name, model)
        value = None if message is None else getattr(message, field)
        return None if value is None else float(value) * scale

    return read


def _state(word: str) -> Callable[[Pet], float | None]:
    def read(pet: Pet) -> float | None:
        body = pet.of("state/body", m.BodyState)
        return None if body is None else float(body.mcu_state == word)

    return read


LINK, HOST_ = m.LinkTelemetry, HostTelemetry
FIGURES: tuple[Figure, ...] = (
    Figure("mind_alive", "1 while the mind runs", lambda pet: float(pet.mind_alive)),
    Figure("board_alive", "1 while the microcontroller answers", _of("state/body", m.BodyState, "mcu_alive")),
    Figure("fault", "1 while a fault is latched", _state("FAULT")),
    Figure("armed", "1 while the motors hold", _state("ARMED")),
    Figure(
        "commands_dropped", "Commands the bridge dropped", _of("state/body", m.BodyState, "commands_dropped")
    ),
    Figure("supply_volts", "Battery", _of("tele/link", LINK, "supply_mv", 1e-3)),
    Figure("board_celsius", "Temperature of the board", _of("tele/link", LINK, "temperature_c")),
    Figure("link_crc_errors", "Broken frames since the bridge started", _of("tele/link", LINK, "crc_errors")),
    Figure("link_round_trip_seconds", "Serial heartbeat", _of("tele/link", LINK, "round_trip_ms", 1e-3)),
    Figure("host_celsius", "Temperature of the computer", _of("tele/host", HOST_, "temperature_c")),
    Figure("host_cpu_ratio", "Share of all cores", _of("tele/host", HOST_, "cpu_percent", 0.01)),
    Figure("mind_cpu_ratio", "Share of one core", _of("tele/host", HOST_, "mind_cpu_percent", 0.01)),
    Figure(
        "mind_memory_bytes", "Of the mind and its children", _of("tele/host", HOST_, "mind_memory_mb", 2**20)
    ),
    Figure("memory_free_bytes", "Left on the computer", _of("tele/host", HOST_, "memory_free_mb", 2**20)),
    Figure("disk_free_bytes", "Left for data", _of("tele/host", HOST_, "disk_free_mb", 2**20)),
    Figure("events_waiting", "Events the broker has not taken", _of("tele/host", HOST_, "events_waiting")),
    Figure("valence", "Mood, -1 sad to 1 happy", _of("state/mind", m.MindState, "valence")),
    Figure("arousal", "Mood, -1 sleepy to 1 excited", _of("state/mind", m.MindState, "arousal")),
)


class Robots(Collector):
    """Collects at the moment of the fetch."""

    def __init__(self, pets: Callable[[], list[Pet]]) -> None:
        self._pets = pets

    def collect(self) -> Iterator[Metric]:
        pets = self._pets()
        up = GaugeMetricFamily("everpaw_up", "1 while the robot's bridge is heard", labels=["robot"])
        for pet in pets:
            up.add_metric([pet.robot], float(pet.online))
        yield up
        online = [pet for pet in pets if pet.online]
        for figure in FIGURES:
            family = GaugeMetricFamily(f"everpaw_{figure.name}", figure.help, labels=["robot"])
            for pet in online:
                if (value := figure.read(pet)) is not None:
                    family.add_metric([pet.robot], value)
            yield family
        yield _latencies(online)
        yield _versions(online)


def _latencies(pets: list[Pet]) -> Metric:
    family = GaugeMetricFamily(
        "everpaw_stage_seconds",
        "From the end of the last word to each stage, over the last turns",
        labels=["robot", "stage", "quantile"],
    )
    for pet in pets:
        for stage, told in (pet.latency.stages if pet.latency else {}).items():
            family.add_metric([pet.robot, stage, "0.5"], told.p50_ms / 1e3)
            family.add_metric([pet.robot, stage, "0.95"], told.p95_ms / 1e3)
    return family


def _versions(pets: list[Pet]) -> Metric:
    family = GaugeMetricFamily("everpaw_info", "Versions", labels=["robot", "version", "pack"])
    for pet in pets:
        if meta := pet.of("meta/robot", m.RobotMeta):
            family.add_metric([pet.robot, meta.runtime_version, meta.pack_sha256[:12]], 1.0)
    return family


def serve(watcher: Watcher, port: int) -> tuple[int, Callable[[], None]]:
    """(the port it listens on, what ends it)."""
    registry = CollectorRegistry()
    registry.register(Robots(lambda: list(watcher.pets.values())))
    server, thread = start_http_server(port, HOST, registry)

    def end() -> None:
        server.shutdown()
        thread.join(timeout=2)

    return int(server.server_port), end


def main(argv: list[str]) -> int:
    """`everpaw metrics`."""
    parser = argparse.ArgumentParser(
        prog="everpaw metrics", description="All robots of a broker, for Prometheus to fetch."
    )
    add_broker(parser)
    parser.add_argument(
        "--port", default=DEFAULT_PORT, type=int, help="where Prometheus fetches; 0: a free one"
    )
    args = parser.parse_args(argv)
    require_free(args.port)
    watcher = watcher_of(args)
    port, end = serve(watcher, args.port)
    print(f"everpaw: metrics at http://{HOST}:{port}/metrics ; Ctrl-C ends", file=sys.stderr, flush=True)
    try:
        threading.Event().wait()
    finally:
        end()
        watcher.close()
    return 0
