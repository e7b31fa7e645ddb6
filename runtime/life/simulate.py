"""Simulated days of a pet's own will, thousands of times faster than they pass. No body, no clock.

One step is a second, as on the robot, and runs the same functions.
"""

from dataclasses import dataclass, field

from runtime.life import will
from runtime.life.acts import Act
from runtime.life.chooser import Choice, Rules
from runtime.life.drives import DRIVES, strongest
from runtime.life.household import DAY_S, GAIT_OF, SKILL_OF, Event
from runtime.mind.emotion import Emotion

FOLLOW_UP_S = 8.0
SAMPLE_S = 300
STEP_S = 1
"""As on the robot"""


@dataclass(frozen=True, slots=True)
class Deed:
    """One act of its own will, and how things stood when it began."""

    at_s: float
    act: Act
    why: str
    drive: str
    """The strongest one, before the act eased it"""
    in_quiet_hours: bool
    held: bool
    """It was attending or told to be still: never true where the lanes hold"""

    @property
    def hour(self) -> float:
        return self.at_s % DAY_S / 3_600


@dataclass(frozen=True, slots=True)
class Sample:
    """How it was at one moment, for the picture."""

    at_s: float
    drives: tuple[float, ...]
    """In the order of DRIVES"""
    valence: float
    arousal: float
    posture: str
    mood: str


@dataclass(slots=True)
class Days:
    """What came of them."""

    deeds: list[Deed] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    seconds: int = 0
    asleep_s: int = 0


def live(days: int, seed: int, rules: Rules, events: list[Event], step_s: int = STEP_S) -> Days:
    """Live through `events` in steps of `step_s` seconds; the first is midnight."""
    emotion, state = Emotion(seed), will.State(seed)
    seen, waiting = Days(events=events), list(reversed(events))
    temperament = (emotion.temperament.valence, emotion.temperament.arousal)
    for second in range(0, days * DAY_S, step_s):
        hour = second % DAY_S / 3_600
        while waiting and waiting[-1].at_s <= second:
            before = state
            state, choice = _meet(state, emotion, waiting.pop(), hour, rules)
            _note(seen, second, before, choice, hour, rules)
        emotion.leaning = will.leaning(state, hour, temperament)
        emotion.tick(step_s)
        before = state
        state, choice = will.passed(state, step_s, hour, (emotion.valence, emotion.arousal), rules)
        _note(seen, second, before, choice, hour, rules, step_s)
        seen.asleep_s += step_s * state.asleep
        if second % SAMPLE_S == 0:
            drives = tuple(state.drives[name] for name in DRIVES)
            seen.samples.append(
                Sample(second, drives, emotion.valence, emotion.arousal, state.posture, emotion.mood)
            )
    seen.seconds = days * DAY_S
    return seen


def _meet(
    state: will.State, emotion: Emotion, event: Event, hour: float, rules: Rules
) -> tuple[will.State, Choice | None]:
    if event.kind == "said":
        emotion.hear(event.what)
        skill, gait = SKILL_OF.get(event.what or "", ""), event.what in GAIT_OF
        return will.heard(state, event.what, skill, gait=gait, follow_up_s=FOLLOW_UP_S), None
    if event.kind == "halt":
        return will.halted(state), None
    if event.kind == "noise":
        emotion.hear("startle")
    return will.happened(state, event.kind, hour, rules)


def _note(
    seen: Days,
    second: int,
    before: will.State,
    choice: Choice | None,
    hour: float,
    rules: Rules,
    passed_s: int = 0,
) -> None:
    if choice is None or choice.act is None:
        return
    held = before.age_s + passed_s < max(before.attends_until_s, before.still_until_s)
    in_quiet_hours = rules.quiet_hours.holds(hour)
    seen.deeds.append(Deed(second, choice.act, choice.why, strongest(before.drives), in_quiet_hours, held))
