"""What the pet wants: six drives that rise with time and are eased by acts and company. Pure functions.

A drive is 0 (content) to 1 (strong). It moves towards a level that depends on whether the pet is awake and on
the hour, with a time constant of its own; an exponential, so any step of time gives the same path. A strong
wish for company makes the pet look for somebody; it never makes it sad, and it never says so.
"""

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from runtime.life.day import liveliness, sleepiness

HOUR_S = 3_600.0
Drives = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Tide:
    """Where a drive goes, and how slowly."""

    level: float
    tau_s: float
    lively: float = 0.0
    """Added to the level at the lively hours of a day"""
    sleepy: float = 0.0
    """Added at its sleepy hours"""


AWAKE: Mapping[str, Tide] = {
    "rest": Tide(0.3, 4 * HOUR_S, sleepy=0.65),
    "play": Tide(0.25, 1.0 * HOUR_S, lively=0.65),
    "company": Tide(0.75, 1.2 * HOUR_S),
    "curiosity": Tide(0.7, 0.25 * HOUR_S, lively=0.15),
    "comfort": Tide(0.62, 0.6 * HOUR_S),
    "peace": Tide(0.0, 0.5 * HOUR_S),
}
ASLEEP: Mapping[str, Tide] = {
    "rest": Tide(0.02, 1.5 * HOUR_S, sleepy=0.55),
    "play": Tide(0.15, 2 * HOUR_S, lively=0.2),
    "company": Tide(0.5, 6 * HOUR_S),
    "curiosity": Tide(0.3, 1 * HOUR_S),
    "comfort": Tide(0.85, 2 * HOUR_S),
    "peace": Tide(0.0, 1 * HOUR_S),
}
DRIVES = tuple(AWAKE)
STYLES: Mapping[str, tuple[str, float]] = {
    "energy": ("play", 1.0),
    "sociability": ("company", 1.0),
    "curiosity": ("curiosity", 1.0),
    "calmness": ("rest", 1.0),
}
"""A persona's style number (0..1, 0.5 is ordinary) -> the drive it raises or lowers"""


@dataclass(frozen=True, slots=True)
class Nature:
    """How strong each drive is in this one animal; 1 is ordinary."""

    gain: Mapping[str, float]


def nature(seed: int, style: Mapping[str, float] | None = None) -> Nature:
    """Of the seed, as two puppies of a litter differ, and of a persona's style numbers."""
    chance = random.Random(f"nature {seed}")
    gain = {name: chance.uniform(0.88, 1.12) for name in DRIVES}
    for word, number in (style or {}).items():
        if word in STYLES:
            name, weight = STYLES[word]
            gain[name] *= 1 + 0.6 * weight * (number - 0.5)
    return Nature(gain)


def newborn() -> Drives:
    """As after a good night."""
    return dict.fromkeys(DRIVES, 0.2) | {"peace": 0.0}


def passed(drives: Drives, dt_s: float, *, asleep: bool, hour: float | None, of: Nature) -> Drives:
    """The drives `dt_s` seconds later; `hour` None: the time of day is not known."""
    moved, gain = {}, of.gain
    for name, level, tau_s in _tides(asleep, None if hour is None else int(hour * 60)):
        was = drives[name]
        moved[name] = was + (min(gain[name] * level, 1.0) - was) * _share(dt_s, tau_s)
    return moved


@lru_cache(maxsize=4_096)
def _tides(asleep: bool, minute: int | None) -> tuple[tuple[str, float, float], ...]:
    """(drive, where it goes, time constant) at a minute of the day."""
    lively, sleepy = (0.4, 0.2) if minute is None else (liveliness(minute / 60), sleepiness(minute / 60))
    table = ASLEEP if asleep else AWAKE
    return tuple((n, t.level + t.lively * lively + t.sleepy * sleepy, t.tau_s) for n, t in table.items())


@lru_cache(maxsize=256)
def _share(dt_s: float, tau_s: float) -> float:
    return -math.expm1(-dt_s / tau_s)


def eased(drives: Drives, by: Mapping[str, float]) -> Drives:
    """Each drive moved by so much: down by a share of what there is, up by a share of the room above."""
    moved = dict(drives)
    for name, amount in by.items():
        room = 1 - moved[name] if amount > 0 else moved[name]
        moved[name] = min(max(moved[name] + amount * room, 0.0), 1.0)
    return moved


def strongest(drives: Drives) -> str:
    """The drive that is felt most."""
    return max(DRIVES, key=lambda name: drives[name])
