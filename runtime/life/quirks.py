"""Quirks of one animal as acts of its own will: "spins before meals", "barks at the postman".

A persona names movement, sound and occasion; the rest is as with every act: it is chosen, never forced, gives
way to orders, and keeps to quiet hours. Where no steps are allowed the next movement of the list stands in.
"""

from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from runtime.life.acts import AWAKE, OCCASIONS, POSTURE_OF, STAND, UP, Act

WIDTH_H, WEIGHT = 0.4, 0.9
"""About an hour of the day"""
TIRED_S = 2_400.0
GAIT_MS = 3_000
STRIDES = frozenset({"spin", "trot", "turn_around", "walk"})
"""Movements that leave the spot"""
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{1,48}$")]


class Quirk(BaseModel):
    """One `[[quirk]]` of a persona."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    says: Annotated[str, Field(min_length=2, max_length=240)]
    """The sentence of the card that it comes from"""
    movements: Annotated[tuple[Name, ...], Field(min_length=1, max_length=4)]
    """The first that pack and settings allow"""
    sounds: Annotated[tuple[Name, ...], Field(max_length=4)] = ()
    hours: Annotated[tuple[Annotated[float, Field(ge=0, lt=24)], ...], Field(max_length=4)] = ()
    after: Annotated[tuple[Name, ...], Field(max_length=8)] = ()
    """What happens, or is said, before it: OCCASIONS"""


def acts_of(
    quirks: Sequence[Quirk], movements: frozenset[str] | None = None, *, locomotion: bool
) -> tuple[Act, ...]:
    """An act each, in their order; what no movement is left for is left out."""
    acts: dict[str, Act] = {}
    for quirk in quirks:
        left = [
            name
            for name in quirk.movements
            if (movements is None or name in movements) and (locomotion or name not in STRIDES)
        ]
        if left and (quirk.hours or OCCASIONS.intersection(quirk.after)):
            act = _act(quirk, left[0], len(acts))
            acts[act.name] = act
    return tuple(acts.values())


def _act(quirk: Quirk, movement: str, number: int) -> Act:
    stride = movement in STRIDES
    return Act(
        f"quirk {number + 1}: {movement}",
        (movement,),
        {"rest": -0.2},
        {"play": -0.1, "curiosity": -0.1},
        hours=tuple((hour, WIDTH_H, WEIGHT) for hour in quirk.hours),
        begins=UP if stride else AWAKE,
        leaves=STAND if stride else POSTURE_OF.get(movement, ""),
        lasts_s=6.0,
        tired_s=TIRED_S,
        gait_ms=GAIT_MS if stride else 0,
        after=tuple(sorted(OCCASIONS.intersection(quirk.after))),
        sounds=quirk.sounds,
    )
