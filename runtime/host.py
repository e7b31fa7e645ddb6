"""The computer's figures for `tele/host`, from /proc and /sys alone, and the turns' for `tele/latency`."""

import os
import shutil
import time
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from runtime.body import mono_ms
from runtime.contracts.reports import HostTelemetry, LatencyTelemetry, StageLatency
from runtime.process import TICK_S, children, cpu_s, resident_mb

TURNS = 100
"""So many of the last of each stage are counted"""


@dataclass(slots=True)
class HostWatch:
    """`sample` gives shares of the time since the sample before."""

    kept_in: Path
    """A folder of the disk whose room is told"""
    waiting: Callable[[], int] = lambda: 0
    dropped: Callable[[], int] = lambda: 0
    _began_s: float = field(default_factory=time.monotonic)
    _machine: tuple[float, float] = (0.0, 0.0)
    _mind: tuple[float, float] = (0.0, 0.0)

    def __post_init__(self) -> None:
        self._machine, self._mind = machine_cpu_s(), (_mind_cpu_s(), time.monotonic())

    def sample(self) -> HostTelemetry:
        machine, mind = machine_cpu_s(), (_mind_cpu_s(), time.monotonic())
        (busy, total), (used, now_s) = _less(machine, self._machine), _less(mind, self._mind)
        self._machine, self._mind = machine, mind
        free_mb = shutil.disk_usage(_existing(self.kept_in)).free / 2**20
        return HostTelemetry(
            cpu_percent=round(min(100.0, 100 * busy / total if total else 0.0), 1),
            mind_cpu_percent=round(max(0.0, 100 * used / now_s) if now_s else 0.0, 1),
            mind_memory_mb=round(resident_mb() + sum(map(_child_mb, children())), 1),
            memory_free_mb=round(available_mb(), 1),
            disk_free_mb=round(free_mb, 1),
            temperature_c=warmest_c(),
            uptime_s=round(mind[1] - self._began_s, 1),
            events_waiting=self.waiting(),
            messages_dropped=self.dropped(),
            mono_ms=mono_ms(),
        )


@dataclass(slots=True)
class Latencies:
    """Stage -> its last latencies, milliseconds."""

    _stages: dict[str, deque[float]] = field(default_factory=lambda: defaultdict(lambda: deque(maxlen=TURNS)))

    def add(self, timings_ms: Mapping[str, float]) -> None:
        for stage, latency_ms in timings_ms.items():
            self._stages[stage].append(latency_ms)

    def telemetry(self) -> LatencyTelemetry:
        stages = {name: _summary(list(values)) for name, values in list(self._stages.items())}
        return LatencyTelemetry(stages=stages, mono_ms=mono_ms())


def _summary(values_ms: list[float]) -> StageLatency:
    ordered = sorted(values_ms)
    p50_ms, p95_ms = (round(ordered[int(share * (len(ordered) - 1) + 0.5)], 1) for share in (0.5, 0.95))
    return StageLatency(p50_ms=p50_ms, p95_ms=p95_ms, n=len(ordered))


def machine_cpu_s() -> tuple[float, float]:
    """(busy, all) seconds of all cores since the machine started."""
    ticks = [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    idle = ticks[3] + ticks[4]
    return (sum(ticks) - idle) * TICK_S, sum(ticks) * TICK_S


def available_mb() -> float:
    """Memory that programs may still take."""
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) / 1024
    return 0.0


def warmest_c() -> float | None:
    """None where the machine has no sensor, as in a container."""
    found = []
    for sensor in Path("/sys/class/thermal").glob("thermal_zone*/temp"):
        try:
            found.append(int(sensor.read_text()) / 1000)
        except (OSError, ValueError):  # a sensor of a part that sleeps refuses to be read
            continue
    return round(max(found), 1) if found else None


def _mind_cpu_s() -> float:
    times = os.times()
    return (
        time.process_time() + times.children_user + times.children_system + sum(map(_child_cpu_s, children()))
    )


def _child_cpu_s(pid: int) -> float:
    try:
        return cpu_s(pid)
    except OSError:  # it ended meanwhile
        return 0.0


def _child_mb(pid: int) -> float:
    try:
        return resident_mb(pid)
    except OSError:
        return 0.0


def _less(after: tuple[float, float], before: tuple[float, float]) -> tuple[float, float]:
    return after[0] - before[0], after[1] - before[1]


def _existing(folder: Path) -> Path:
    return next(path for path in (folder, *folder.parents) if path.exists())
