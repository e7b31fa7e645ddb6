"""How structured a life is: entropies and mutual information, beside what chance alone would give. Bits."""

import math
import random
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from runtime.life.simulate import Days

SHUFFLES = 20
GOALS = {"hour": 0.3, "drive": 0.5}
"""Least information that an hour or a drive should give about the act, beyond chance"""


@dataclass(frozen=True, slots=True)
class Tie:
    """How much one thing says about the act."""

    entropy: float
    information: float
    by_chance: float
    """The same with the acts shuffled: what so few samples show where there is nothing"""

    @property
    def beyond_chance(self) -> float:
        return self.information - self.by_chance


@dataclass(frozen=True, slots=True)
class Figures:
    """What a life was like, in numbers."""

    deeds: int
    acts: int
    """Different ones"""
    act_entropy: float
    hour: Tie
    drive: Tie
    asleep_h: float
    """A day"""
    deeds_an_hour: float
    """While awake"""
    in_quiet_hours: int
    loud_in_quiet_hours: int
    """Anything but lying down and going to sleep"""
    while_held: int
    """Begun while it was attending or told to be still"""
    moods: dict[str, float]
    """Mood -> share of the time"""

    @property
    def good(self) -> bool:
        """Structured, and within its rules."""
        tied = self.hour.beyond_chance >= GOALS["hour"] and self.drive.beyond_chance >= GOALS["drive"]
        return tied and not self.loud_in_quiet_hours and not self.while_held


def figures(seen: Days) -> Figures:
    acts = [deed.act.name for deed in seen.deeds]
    moods = Counter(sample.mood for sample in seen.samples)
    awake_h = (seen.seconds - seen.asleep_s) / 3_600
    return Figures(
        deeds=len(acts),
        acts=len(set(acts)),
        act_entropy=entropy(acts),
        hour=tie([int(deed.hour) for deed in seen.deeds], acts),
        drive=tie([deed.drive for deed in seen.deeds], acts),
        asleep_h=seen.asleep_s / seen.seconds * 24,
        deeds_an_hour=len(acts) / max(awake_h, 1e-9),
        in_quiet_hours=sum(deed.in_quiet_hours for deed in seen.deeds),
        loud_in_quiet_hours=sum(deed.in_quiet_hours and not deed.act.quiet for deed in seen.deeds),
        while_held=sum(deed.held for deed in seen.deeds),
        moods={mood: count / len(seen.samples) for mood, count in moods.most_common()},
    )


def entropy(values: Sequence[Hashable]) -> float:
    """Of the values' frequencies, bits."""
    return -sum(n / len(values) * math.log2(n / len(values)) for n in Counter(values).values())


def information(first: Sequence[Hashable], second: Sequence[Hashable]) -> float:
    """How many bits one sequence tells about the other, element by element; never below 0."""
    joint = list(zip(first, second, strict=True))
    return max(entropy(first) + entropy(second) - entropy(joint), 0.0) if joint else 0.0


def tie(what: Sequence[Hashable], acts: Sequence[str]) -> Tie:
    chance, shuffled = random.Random(0), list(acts)
    by_chance = 0.0
    for _ in range(SHUFFLES):
        chance.shuffle(shuffled)
        by_chance += information(what, shuffled) / SHUFFLES
    return Tie(entropy(what), information(what, acts), by_chance)
