"""The hours of a day: when a dog is lively, when it sleeps, and when the house wants quiet.

Hours are local, 0 <= hour < 24. Dogs are lively twice a day, some hours after dawn and before dusk, rest at
noon and sleep through the night.
"""

import math
import re
from dataclasses import dataclass

from runtime.contracts.errors import ConfigError

LIVELY_AT = ((8.0, 1.8), (18.0, 2.2))
"""(hour, width) of the two peaks"""
NOON = (13.5, 1.4)
_QUIET = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)-([01]?\d|2[0-3]):([0-5]\d)")


def bump(hour: float, centre: float, width: float) -> float:
    """1 at `centre`, falling to both sides round the clock."""
    away = abs((hour - centre + 12) % 24 - 12)
    return math.exp(-0.5 * (away / width) ** 2)


def liveliness(hour: float) -> float:
    """0 (night) to 1 (the two peaks of a day)."""
    return max(bump(hour, centre, width) for centre, width in LIVELY_AT)


def sleepiness(hour: float) -> float:
    """0 (awake all through) to 1 (the middle of the night); a little at noon."""
    night = math.pow(0.5 + 0.5 * math.cos(2 * math.pi * (hour - 2.5) / 24), 1.5)
    return max(night, 0.4 * bump(hour, *NOON))


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From `start` to `end`, over midnight where that is how they lie; empty where both are equal."""

    start: float = 0.0
    end: float = 0.0

    def holds(self, hour: float) -> bool:
        return (hour - self.start) % 24 < (self.end - self.start) % 24

    @classmethod
    def read(cls, text: str) -> "QuietHours":
        """`22:00-07:00`, or nothing for none; ConfigError otherwise."""
        if not text:
            return cls()
        found = _QUIET.fullmatch(text)
        if not found:
            raise ConfigError(f"life.quiet_hours = {text!r} is not of the form 22:00-07:00")
        h1, m1, h2, m2 = (int(number) for number in found.groups())
        return cls(h1 + m1 / 60, h2 + m2 / 60)
