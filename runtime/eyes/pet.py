"""What is known of one robot from its topics, and in one word how it is."""

import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from runtime.contracts import messages as m
from runtime.contracts.reports import BodyMeta, DayState, LatencyTelemetry, PrivacyState
from runtime.contracts.topics import TOPICS
from runtime.history import figures_of

SILENT_S = 5.0
"""Without a word of the robot's clock for so long it counts as away; the bridge tells it every second"""
DAY_SAMPLES = 8_640
"""One in ten seconds"""
SAMPLE_S = 10.0
TALK = 60
Level = Literal["good", "busy", "warn", "bad"]
M = TypeVar("M", bound=m.Message)


@dataclass(frozen=True, slots=True)
class Status:
    """`key` is one of the words of runtime/dashboard/words.toml."""

    key: str
    level: Level
    detail: str = ""


@dataclass(slots=True)
class Series:
    """At most one sample in `SAMPLE_S`, of the last day: (wall clock, value)."""

    samples: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=DAY_SAMPLES))

    def add(self, at_s: float, value: float) -> None:
        if self.samples and 0 <= at_s - self.samples[-1][0] < SAMPLE_S:
            self.samples[-1] = (self.samples[-1][0], value)
        else:
            self.samples.append((at_s, value))


@dataclass(slots=True)
class Pet:
    """The newest message of each name, and what was before as far as a page shows it."""

    robot: str
    last: dict[str, m.Message] = field(default_factory=dict)
    heard_s: float = float("-inf")
    """When `state/clock` was last heard live, monotonic clock here"""
    talk: deque[tuple[float, m.TurnEvent]] = field(default_factory=lambda: deque(maxlen=TALK))
    series: dict[str, Series] = field(default_factory=dict)
    acks: deque[m.Ack] = field(default_factory=lambda: deque(maxlen=20))
    _clock_wall_s: float | None = None
    """Wall clock here when that was"""

    def of(self, name: str, model: type[M]) -> M | None:
        """The newest message of `name`; None where none came."""
        found = self.last.get(name)
        return found if isinstance(found, model) else None

    def take(self, name: str, message: m.Message, *, retained: bool, wall_s: float) -> None:
        """A message of the robot; events are the log's, but for the talk."""
        self.last[name] = message
        if name == "state/clock" and not retained:
            self.heard_s, self._clock_wall_s = time.monotonic(), wall_s
        match message:
            case m.TurnEvent():
                self.talk.append((wall_s, message))
            case m.Ack():
                self.acks.append(message)
        for figure, value in figures_of(message).items():
            self.series.setdefault(figure, Series()).add(wall_s, value)

    def forget(self, erased: Iterable[str]) -> None:
        """What the robot erased is kept here no longer either."""
        classes = set(erased)
        if classes & {"memory", "lessons"}:
            self.talk.clear()
        for name, of in (("ack/memory", "memory"), ("ack/lessons", "lessons"), ("event/turn", "events")):
            if of in classes:
                self.last.pop(name, None)

    def curve(self, figure: str) -> list[tuple[float, float]]:
        """(wall clock, value) of the last day: what was heard here, and before that what the robot tells."""
        heard = list(self.series[figure].samples) if figure in self.series else []
        day, clock = self.of("state/day", DayState), self.of("state/clock", m.Clock)
        if day is None or clock is None or self._clock_wall_s is None:
            return heard
        end_s = self._clock_wall_s - (clock.mono_ms - day.mono_ms) / 1e3
        values = day.series.get(figure, [])
        first_s = end_s - day.step_s * (len(values) - 0.5)  # a mean stands in the middle of its step
        told = [(first_s + day.step_s * n, value) for n, value in enumerate(values) if value is not None]
        return [(at_s, value) for at_s, value in told if not heard or at_s < heard[0][0]] + heard

    @property
    def name(self) -> str:
        meta = self.of("meta/robot", m.RobotMeta)
        return meta.pack_name if meta else self.robot

    @property
    def online(self) -> bool:
        """Its bridge was heard within the last seconds."""
        return time.monotonic() - self.heard_s < SILENT_S

    @property
    def mind_alive(self) -> bool:
        presence = self.of("state/runtime", m.Presence)
        return presence is not None and presence.alive

    @property
    def status(self) -> Status:
        """What matters most comes first."""
        body, mind = self.of("state/body", m.BodyState), self.of("state/mind", m.MindState)
        if not self.online:
            return Status("away", "bad")
        if body is None or not body.mcu_alive:
            return Status("no_board", "bad")
        if body.mcu_state == "FAULT":
            return Status("stopped", "bad", body.fault)
        if body.unfit:
            return Status("unfit", "bad", body.unfit)
        if not self.mind_alive:
            return Status("no_mind", "bad")
        if body.mcu_state != "ARMED":
            return Status("not_armed", "warn", body.fault)
        if body.activity:
            return Status("moving", "busy", body.activity)
        return Status("awake" if mind is None or mind.awake else "asleep", "good", mind.mood if mind else "")

    def skills(self) -> list[str]:
        meta = self.of("meta/robot", m.RobotMeta)
        return sorted(meta.skills) if meta else []

    @property
    def privacy(self) -> PrivacyState | None:
        return self.of("state/privacy", PrivacyState)

    @property
    def body_meta(self) -> BodyMeta | None:
        return self.of("meta/body", BodyMeta)

    @property
    def latency(self) -> LatencyTelemetry | None:
        return self.of("tele/latency", LatencyTelemetry)


WATCHED = tuple(sorted({row.kind for row in TOPICS.values()} - {"request", "cmnd"}))
