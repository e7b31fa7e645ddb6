"""A household for simulated days: who comes home when, what is said to the pet, and what goes bump.

Made from a seed, so that the same week can be lived again. Nothing of it is used on the robot.
"""

import random
from dataclasses import dataclass

DAY_S = 86_400
_SMALL_TALK = ("hello", "praise", "sit", "shake_paw", "ask_feeling", "wag_tail", "love", "thanks", None)
_PLAY = ("play", "spin", "dance", "come", "bark", "praise", "walk")
SKILL_OF = {
    "sit": "sit", "shake_paw": "shake_paw", "hello": "greet", "praise": "happy", "love": "happy",
    "wag_tail": "wag", "play": "bow", "dance": "dance", "sleep": "sleep", "wake_up": "wake_up",
    "settle": "lie", "scold": "cower", "thanks": "wag", "goodbye": "wave",
}  # fmt: skip
"""What the starter pack does for an intent, as far as it matters for the posture"""
GAIT_OF = frozenset({"come", "walk", "spin"})


@dataclass(frozen=True, slots=True)
class Event:
    """`kind`: said (with the intent in `what`), touch, noise or halt."""

    at_s: float
    kind: str
    what: str | None = None


def household(days: int, seed: int) -> list[Event]:
    """Everything that happens in so many days, in order; day 0 is a Monday and begins at midnight."""
    chance = random.Random(f"household {seed}")
    events: list[Event] = []
    for day in range(days):
        events += _day(chance, day * DAY_S, weekend=day % 7 >= 5)
    return sorted(events, key=lambda event: event.at_s)


def _day(chance: random.Random, start_s: float, *, weekend: bool) -> list[Event]:
    up = chance.gauss(8.6 if weekend else 7.0, 0.3)
    events = _talk(chance, start_s, up, 3, ("wake_up", "hello", *_SMALL_TALK))
    if weekend:
        meetings = [up + 2.0, 12.5, 15.5, 17.5, 19.5]
    else:
        events.append(Event(start_s + (up + 1.3) * 3_600, "said", "goodbye"))
        meetings = [17.3, 18.6, 20.0]
    for hour in meetings:
        wanted = _PLAY if chance.random() < 0.4 else _SMALL_TALK
        events += _talk(chance, start_s, hour + chance.gauss(0, 0.4), chance.randint(2, 6), wanted)
    for _ in range(chance.randint(0, 3)):
        events.append(Event(start_s + chance.uniform(8, 22) * 3_600, "noise"))
    for _ in range(chance.randint(1, 4)):
        events.append(Event(start_s + chance.choice(meetings) * 3_600 + chance.uniform(0, 900), "touch"))
    if chance.random() < 0.3:
        events.append(Event(start_s + chance.uniform(17, 21) * 3_600, "said", "settle"))
    if chance.random() < 0.3:
        events.append(Event(start_s + chance.uniform(17, 21) * 3_600, "halt"))
    events.append(Event(start_s + chance.gauss(22.4, 0.2) * 3_600, "said", "sleep"))
    return events


def _talk(
    chance: random.Random, start_s: float, hour: float, turns: int, wanted: tuple[str | None, ...]
) -> list[Event]:
    """A few sentences, some seconds apart."""
    at_s, events = start_s + hour * 3_600, []
    for _ in range(turns):
        events.append(Event(at_s, "said", chance.choice(wanted)))
        at_s += chance.uniform(5, 25)
    return events
