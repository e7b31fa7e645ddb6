"""What a mood looks like: how fast and wide the pet moves, how it breathes and carries its head.

Valence and arousal in -1..1. Lively moods are quick and wide, low ones slow and small; a sad head hangs, a
happy one is up. All within the ranges of the contracts' commands, which the bridge narrows further.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Colour:
    """Multiplies what a movement was asked with."""

    speed: float = 1.0
    amplitude: float = 1.0


PLAIN = Colour()


@dataclass(frozen=True, slots=True)
class Bearing:
    """The part of `cmnd/idle` that the mood decides; units as there."""

    breath_hz: float
    breath_depth: float
    alertness: float
    head_deg: float
    crouch_deg: float


def colour(valence: float, arousal: float) -> Colour:
    """How a movement is played in this mood."""
    return Colour(
        speed=_within(1 + 0.3 * arousal + 0.1 * valence, 0.7, 1.3),
        amplitude=_within(1 + 0.25 * arousal + 0.35 * valence, 0.6, 1.35),
    )


def bearing(valence: float, arousal: float, *, asleep: bool) -> Bearing:
    """How it holds itself and breathes. Asleep: slow, shallow, nothing but the breath."""
    if asleep:
        return Bearing(0.2, 0.35, 0.0, 0.0, 0.0)
    return Bearing(
        breath_hz=round(_within(0.3 + 0.12 * arousal, 0.2, 0.4), 2),
        breath_depth=round(_within(0.6 + 0.3 * arousal, 0.35, 1.0), 2),
        alertness=round(_within(0.5 + 0.5 * arousal, 0.1, 1.0), 1),
        head_deg=float(round(_within(9 * valence + 3 * arousal, -12, 12))),
        crouch_deg=float(round(_within(-6 * valence - 2 * max(arousal, 0), 0, 6))),
    )


def _within(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)
