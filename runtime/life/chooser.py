"""The choice among the acts: what the drives, the hour and the mood say for each, less what it did of late.

The highest sum wins if it is worth moving for; chance only breaks near ties, so that what it does says
something about why. A pure function of its arguments.
"""

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass

from runtime.life.acts import ACTS, ASLEEP, Act
from runtime.life.day import QuietHours, bump
from runtime.life.drives import Nature, strongest

NOISE = 0.05
WORTH = 0.38
"""Least sum worth moving for"""
WEARY = 0.9
"""Taken off right after the same act"""
FIRST, OTHERS = 1.4, 0.6
"""How much the strongest drive is heard beside the others"""
QUIET_PEACE = 0.5
"""A stronger wish for peace than this is as good as quiet hours"""
SETTLES = 0.7
"""Added to what settles it, where it is to be quiet"""
OCCASION, OCCASION_S = 1.3, 240.0
"""How strongly what just happened speaks for an act that follows it, and for how long"""
COMPANY_S = 1_200.0
"""Somebody who spoke or touched it longer ago may have left: nothing is meant for them"""


NO_QUIET = QuietHours()


@dataclass(frozen=True, slots=True)
class Rules:
    """What the settings and the pack allow."""

    nature: Nature
    quiet_hours: QuietHours = NO_QUIET
    locomotion: bool = False
    sleep: bool = True
    movements: frozenset[str] | None = None
    """Skills and gaits of the pack; None: all"""
    quirks: tuple[Act, ...] = ()
    """What this one animal does besides"""

    @property
    def acts(self) -> tuple[Act, ...]:
        """All that it may choose among."""
        return (*ACTS, *self.quirks)

    def has(self, act: Act) -> bool:
        return self.movements is None or self.movements.issuperset(act.skills)

    @property
    def wants_a_clock(self) -> bool:
        return self.quiet_hours != NO_QUIET


@dataclass(frozen=True, slots=True)
class Mind:
    """What the choice is made from."""

    drives: Mapping[str, float]
    posture: str
    hour: float | None
    feeling: tuple[float, float]
    """(valence, arousal)"""
    ages_s: Mapping[str, float]
    """Act -> seconds since it did it"""
    somebody_s: float
    """Since somebody spoke to it or touched it"""
    bids: int
    since_s: Mapping[str, float]
    """Occasion -> seconds since it was"""
    keeps: bool
    """An ordered posture is kept"""


@dataclass(frozen=True, slots=True)
class Choice:
    """`act` None: nothing is worth moving for."""

    act: Act | None
    why: str
    worth: float = 0.0


def is_quiet(drives: Mapping[str, float], hour: float | None, rules: Rules) -> bool:
    """Quiet hours, a wish for peace, or no way to know that the house is awake."""
    hours = rules.wants_a_clock if hour is None else rules.quiet_hours.holds(hour)
    return hours or drives["peace"] > QUIET_PEACE


def choose(mind: Mind, rules: Rules, chance: random.Random) -> Choice:
    """What it does now. Draws as many numbers whatever is allowed, so that a rule changes no later chance."""
    noise = {act.name: chance.uniform(0, NOISE) for act in ACTS}
    quiet = is_quiet(mind.drives, mind.hour, rules)
    best = Choice(None, "asleep" if mind.posture == ASLEEP else "quiet" if quiet else "content", WORTH)
    for act in rules.acts:
        if not allowed(act, mind, rules, quiet=quiet):
            continue
        terms = reasons(act, mind)
        worth = sum(terms.values()) + noise.get(act.name, NOISE / 2) + SETTLES * quiet
        if worth > best.worth:
            best = Choice(act, max(terms, key=lambda name: terms[name]), worth)
    return best


def allowed(act: Act, mind: Mind, rules: Rules, *, quiet: bool) -> bool:
    """Whether posture, rules and manners let it."""
    if mind.posture not in act.begins or (act.gait_ms and not rules.locomotion) or not rules.has(act):
        return False
    if quiet and not act.quiet:
        return False
    if act.leaves == ASLEEP and not rules.sleep:
        return False
    if mind.keeps and act.leaves not in ("", mind.posture):
        return False
    return not act.bid or mind.somebody_s < COMPANY_S


def reasons(act: Act, mind: Mind) -> dict[str, float]:
    """What speaks for the act and against it, by name."""
    first = strongest(mind.drives)
    terms = {
        name: weight * mind.drives[name] ** 2 * (FIRST if name == first else OTHERS)
        for name, weight in act.wants.items()
    }
    if mind.hour is not None:
        terms["the hour"] = sum(weight * bump(mind.hour, at, width) for at, width, weight in act.hours)
    if act.after:
        shortest = min(mind.since_s.get(what, math.inf) for what in act.after)
        terms["the occasion"] = OCCASION * math.exp(-shortest / OCCASION_S)
    terms["mood"] = act.mood[0] * mind.feeling[0] + act.mood[1] * mind.feeling[1]
    tired_s = act.tired_s * 2.0 ** min(mind.bids, 6) if act.bid else act.tired_s
    terms["did it of late"] = act.bias - WEARY * math.exp(-mind.ages_s[act.name] / tired_s)
    return terms
