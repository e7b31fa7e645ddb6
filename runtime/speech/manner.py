"""How a mood changes a call: pitch, pace, loudness, how many calls and how far apart.

Of dogs it is published that low and harsh barks in quick succession read as a threat, high and tonal ones
as fear or despair, and ones of middle pitch with long pauses as play (Pongrácz 2005, 2006); of robots, that
short low calls read as well-meant and high ones as strongly felt (Korcsok 2020). So gladness is short and a
little lower, excitement higher and closer together, and no mood of this pet is low, harsh and hasty at once.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass

MOST_SEMITONES = 2.0
SHORTEST, LONGEST = 0.85, 1.2
"""A variation stays within these of the recording; beyond, it would be another animal"""
_WANDER_SEMITONES, _WANDER_PACE, _TILT_SEMITONES = 0.9, 0.06, 0.5


@dataclass(frozen=True, slots=True)
class Manner:
    semitones: float = 0.0
    pace: float = 1.0
    """Length as a share of the recording's"""
    gain_db: float = -2.0
    calls: tuple[int, int] = (1, 1)
    """Fewest and most calls of one bout, where the sound is a single call"""
    gap_s: tuple[float, float] = (0.4, 0.7)
    """Between two calls of a bout"""


MANNERS: Mapping[str, Manner] = {
    "calm": Manner(),
    "happy": Manner(-0.4, 0.93, -1.0, (1, 2), (0.3, 0.45)),
    "excited": Manner(0.9, 0.9, 0.0, (2, 3), (0.2, 0.32)),
    "sad": Manner(0.7, 1.1, -4.0, (1, 1), (0.7, 1.1)),
    "sleepy": Manner(-0.9, 1.12, -7.0, (1, 1), (0.8, 1.2)),
    "curious": Manner(0.3, 1.0, -2.0, (1, 1), (0.4, 0.7)),
    "startled": Manner(1.0, 0.88, 0.0, (1, 2), (0.18, 0.3)),
}


@dataclass(frozen=True, slots=True)
class Variation:
    """One call's own."""

    semitones: tuple[float, float]
    """At its begin and at its end"""
    pace: float
    gain_db: float


def manner_of(mood: str) -> Manner:
    """The calm one for a mood that is not known."""
    return MANNERS.get(mood, MANNERS["calm"])


def varied(manner: Manner, chance: random.Random) -> Variation:
    """A call in this manner, never the same and never out of bounds."""
    middle = manner.semitones + chance.uniform(-_WANDER_SEMITONES, _WANDER_SEMITONES)
    tilt = chance.uniform(-_TILT_SEMITONES, _TILT_SEMITONES)
    pace = manner.pace * (1 + chance.uniform(-_WANDER_PACE, _WANDER_PACE))
    ends = (_within(middle - tilt), _within(middle + tilt))
    return Variation(ends, min(max(pace, SHORTEST), LONGEST), manner.gain_db + chance.uniform(-1.5, 0.0))


def _within(semitones: float) -> float:
    return min(max(semitones, -MOST_SEMITONES), MOST_SEMITONES)
