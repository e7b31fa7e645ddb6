"""The pet's own will: what it remembers of itself, and what everything that happens does to it. Pure.

No clock: `passed` is told how many seconds went by and which hour it is; everything else happens at that
age. Same seed, same calls: same drives, same acts. The owner goes before it all: while it is spoken to,
answers, was halted or was told to stay, no act begins.
"""

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from runtime.life import drives as d
from runtime.life.acts import (
    ANYTHING_SAID,
    ASLEEP,
    HAPPENED,
    HEARD,
    LIE,
    OCCASIONS,
    POSTURE_OF,
    REACTIONS,
    STAND,
    Act,
)
from runtime.life.chooser import Choice, Mind, Rules, choose, is_quiet
from runtime.life.day import liveliness

STILL_S = 60.0
"""After a halt; the bridge holds to the same"""
STAYS_S = 300.0
"""After "stay": it keeps its place, though it may look about once the stillness is over"""
KEEPS_S = 90.0
"""An ordered posture is not left of its own will for so long"""
GLAD_S = 600.0
"""How long it is glad of having met somebody"""
FIRST_S = 15.0
"""After its start it looks about before it does anything"""
RETRY_S = 20.0
"""After the body refused an act"""


@dataclass(frozen=True, slots=True)
class State:
    """All that is remembered; ages are seconds of its own life."""

    seed: int
    drives: Mapping[str, float] = field(default_factory=d.newborn)
    age_s: float = 0.0
    posture: str = STAND
    doing: str = ""
    why: str = ""
    free_at_s: float = FIRST_S
    """Next moment it thinks of something to do"""
    attends_until_s: float = 0.0
    still_until_s: float = 0.0
    keeps_until_s: float = 0.0
    somebody_at_s: float = -1e6
    """When it was last spoken to or touched"""
    bids: int = 0
    """Acts meant for somebody since then, unanswered"""
    last_s: Mapping[str, float] = field(default_factory=dict)
    """Act -> when it did it last"""
    met_s: Mapping[str, float] = field(default_factory=dict)
    """Occasion -> when it was last"""
    turns: Mapping[str, int] = field(default_factory=dict)
    """Act -> how often, for the skills it takes in turn"""
    draws: int = 0
    """Decisions so far; with the seed they are all the chance there is"""

    @property
    def asleep(self) -> bool:
        return self.posture == ASLEEP


def passed(
    state: State, dt_s: float, hour: float | None, feeling: tuple[float, float], rules: Rules
) -> tuple[State, Choice | None]:
    """`dt_s` seconds later, and what it would do now, if anything. `feeling`: (valence, arousal)."""
    moved = d.passed(state.drives, dt_s, asleep=state.asleep, hour=hour, of=rules.nature)
    state = replace(state, age_s=state.age_s + dt_s, drives=moved)
    if state.age_s < max(state.free_at_s, state.attends_until_s, state.still_until_s):
        return state, None
    chance = random.Random(f"{state.seed} {state.draws}")
    choice = choose(_mind(state, hour, feeling, rules), rules, chance)
    if choice.act is None:
        idle_s = 60.0 if state.asleep else 8.0
        return replace(
            state, draws=state.draws + 1, doing="", why=choice.why, free_at_s=state.age_s + idle_s
        ), None
    return begun(state, choice, chance.uniform(0.6, 1.4), feeling[1]), choice


def begun(state: State, choice: Choice, patience: float, arousal: float) -> State:
    """It does what it chose."""
    act = choice.act
    assert act is not None
    pause_s = {ASLEEP: 90.0, LIE: 30.0}.get(act.leaves or state.posture, 16.0) * (1.2 - 0.6 * arousal)
    return replace(
        did(state, act),
        why=choice.why,
        draws=state.draws + 1,
        bids=state.bids + act.bid,
        free_at_s=state.age_s + act.lasts_s + patience * pause_s,
    )


def did(state: State, act: Act) -> State:
    """What an act leaves behind."""
    return replace(
        state,
        doing=act.name,
        drives=d.eased(state.drives, act.eases),
        posture=act.leaves or state.posture,
        last_s={**state.last_s, act.name: state.age_s},
        turns={**state.turns, act.name: state.turns.get(act.name, 0) + 1},
    )


def refused(state: State, why: str) -> State:
    """The body did not do it; it tries something later."""
    return replace(state, doing="", why=why, free_at_s=state.age_s + RETRY_S)


def waited(state: State, for_s: float) -> State:
    """Nothing of its own for so long: the body cannot."""
    return replace(state, free_at_s=max(state.free_at_s, state.age_s + for_s))


def attended(state: State, for_s: float) -> State:
    """Somebody speaks to it, or it answers: it is awake and waits for so long after this moment."""
    return replace(
        state,
        posture=LIE if state.asleep else state.posture,
        doing="",
        attends_until_s=max(state.attends_until_s, state.age_s + for_s),
        somebody_at_s=state.age_s,
        bids=0,
    )


def heard(state: State, intent: str | None, skill: str, *, gait: bool, follow_up_s: float) -> State:
    """It understood `intent` and does `skill` for it (empty: nothing), a walk if `gait`."""
    state = attended(state, follow_up_s)
    moved = d.eased(d.eased(state.drives, ANYTHING_SAID), HEARD.get(intent, {}))
    keeps_s = STAYS_S if intent == "stay" else KEEPS_S if skill in POSTURE_OF else 0.0
    return replace(
        state,
        drives=moved,
        met_s=_met(state, intent),
        posture=STAND if gait else POSTURE_OF.get(skill, state.posture),
        keeps_until_s=state.age_s + keeps_s,
        still_until_s=state.still_until_s if intent in ("stop", "stay", "crisis") else state.age_s,
    )


def _met(state: State, what: str | None) -> Mapping[str, float]:
    return {**state.met_s, what: state.age_s} if what in OCCASIONS and what is not None else state.met_s


def halted(state: State) -> State:
    """It was told to hold still."""
    return replace(attended(state, 0.0), still_until_s=state.age_s + STILL_S)


def happened(state: State, what: str, hour: float | None, rules: Rules) -> tuple[State, Choice | None]:
    """A noise, a touch, being lifted: what it does to it, and what it does about it at once, if it may."""
    state = replace(state, drives=d.eased(state.drives, HAPPENED.get(what, {})), met_s=_met(state, what))
    if what in ("touch", "lift"):
        state = replace(state, somebody_at_s=state.age_s, bids=0)
    act = REACTIONS.get(what)
    recent = act is not None and state.age_s - state.last_s.get(act.name, -1e6) < act.tired_s
    waits = state.age_s < max(state.attends_until_s, state.still_until_s)
    keeps = act is not None and bool(act.leaves) and state.age_s < state.keeps_until_s
    if act is None or recent or waits or keeps or is_quiet(state.drives, hour, rules):
        return state, None
    if not rules.has(act):
        return state, None
    free_at_s = state.age_s + act.lasts_s + 10.0
    return replace(did(state, act), why=what, free_at_s=free_at_s), Choice(act, what)


def skill_of(state: State, act: Act) -> str:
    """Which of an act's skills it takes this time; `state` after it was done."""
    return act.skills[(state.turns.get(act.name, 1) - 1) % len(act.skills)]


def leaning(state: State, hour: float | None, temperament: tuple[float, float]) -> tuple[float, float]:
    """(valence, arousal) that the drives draw the mood to. Company it lacks never saddens it."""
    valence, arousal = temperament
    if state.asleep:
        return valence, -0.75
    content = 1 - (state.drives["comfort"] + state.drives["rest"] + state.drives["play"]) / 3
    met = 0.15 * math.exp(-(state.age_s - state.somebody_at_s) / GLAD_S)
    lively = 0.25 * (liveliness(hour) if hour is not None else 0.4) + 0.2 * state.drives["play"]
    tired = 0.75 * state.drives["rest"] ** 2 + 0.35 * state.drives["peace"]
    return valence + 0.15 * content + met, min(max(arousal + lively - tired, -0.7), 0.5)


def _mind(state: State, hour: float | None, feeling: tuple[float, float], rules: Rules) -> Mind:
    ages = {act.name: state.age_s - state.last_s.get(act.name, -1e6) for act in rules.acts}
    return Mind(
        drives=state.drives,
        posture=state.posture,
        hour=hour,
        feeling=feeling,
        ages_s=ages,
        somebody_s=state.age_s - state.somebody_at_s,
        bids=state.bids,
        since_s={what: state.age_s - at_s for what, at_s in state.met_s.items()},
        keeps=state.age_s < state.keeps_until_s,
    )
