"""Figures of the last day in coarse steps, in memory only: a page that is opened late shows the whole day."""

import threading
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import fmean

from runtime.body import mono_ms
from runtime.contracts import messages as m
from runtime.contracts.reports import DayState, HostTelemetry

STEP_S = 600.0
STEPS = 144
"""A day of them"""


def figures_of(message: m.Message) -> dict[str, float]:
    """What of a message is worth a curve; a figure that has no sensor is left out."""
    found: dict[str, float | None] = {}
    match message:
        case m.MindState():
            found = {"valence": message.valence, "arousal": message.arousal}
        case m.LinkTelemetry():
            volts = message.supply_mv / 1000 if message.supply_mv else None
            found = {"supply_v": volts, "board_c": message.temperature_c}
        case HostTelemetry():
            found = {
                "host_c": message.temperature_c,
                "cpu_percent": message.cpu_percent,
                "memory_mb": message.mind_memory_mb,
            }
    return {name: value for name, value in found.items() if value is not None}


@dataclass(slots=True)
class History:
    """`take` from any thread; `turn` now and then."""

    clock: Callable[[], int] = mono_ms
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _now: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    _steps: deque[dict[str, float]] = field(default_factory=lambda: deque(maxlen=STEPS))
    _began_ms: int | None = None

    def take(self, message: m.Message) -> None:
        with self._lock:
            for name, value in figures_of(message).items():
                self._now[name].append(value)

    def turn(self) -> DayState | None:
        """The day so far, where a step has ended; first an empty one, in place of an earlier life's."""
        now_ms = self.clock()
        with self._lock:
            if self._began_ms is None:
                self._began_ms = now_ms
            elif now_ms - self._began_ms < STEP_S * 1e3:
                return None
            else:
                self._began_ms = now_ms
                self._steps.append({name: round(fmean(values), 2) for name, values in self._now.items()})
                self._now.clear()
            names = sorted({name for step in self._steps for name in step})
            series = {name: [step.get(name) for step in self._steps] for name in names}
        return DayState(step_s=STEP_S, mono_ms=now_ms, series=series)
