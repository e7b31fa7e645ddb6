"""The small movements of a living thing, laid under every pose: breath, glances, weight, bearing. No I/O.

`Idle.tick` is one fiftieth of a second; same seed, settings and ticks give the same offsets. Degrees. Nothing
here knows a joint's range: the player keeps the sum inside. Breath lasts 2.5 to 5 s as a resting dog's does;
between glances the head is still, since eyes and heads move in jumps and not in waves. While somebody speaks
to the pet head and tail are quiet, so that no servo sings into the microphone, and the breath goes on.
"""

import math
import random
from dataclasses import dataclass

from firmware_bridge.motion import LEGS, smooth
from runtime.contracts.body import Pose

TICK_S = 0.02
RISE_S, FALL_S = 1.5, 0.6
"""How long the small movements take to come up after a movement, and to give way to one"""
BEARING_DEG_S = 10.0
"""Fastest change of how the head is carried and how far the legs give"""
BREATH_DEG = {"hip": 0.7, "knee": 1.4, "head_tilt": 1.2}
"""At full depth, each way"""
GLANCE_PAN_DEG, GLANCE_TILT_DEG, TAIL_DEG = 4.0, 2.0, 2.0
"""At full alertness, each way"""
SHIFT_DEG = 0.6
"""Of a hip, twice that of a knee: one side gives, the other stretches"""
HIP_DEG = BREATH_DEG["hip"] + SHIFT_DEG
"""Most that a hip moves, each way; a knee twice that; the bearing comes on top"""
ASLEEP = 0.05
"""Less alertness than this, and nothing but the breath moves"""


@dataclass(frozen=True, slots=True)
class IdleSettings:
    """What the mind asks for in `cmnd/idle`; units as there."""

    enabled: bool = True
    listening: bool = False
    breath_hz: float = 0.3
    breath_depth: float = 0.6
    alertness: float = 0.5
    head_deg: float = 0.0
    crouch_deg: float = 0.0
    seed: int = 0


@dataclass(slots=True)
class _Glide:
    """From one value to the next in `take_s`, without a jerk, then still until it is told to go on."""

    start: float = 0.0
    end: float = 0.0
    take_s: float = 1.0
    gone_s: float = 1.0

    def go(self, end: float, take_s: float) -> None:
        self.start, self.end, self.take_s, self.gone_s = self.value, end, take_s, 0.0

    def tick(self) -> None:
        self.gone_s = min(self.gone_s + TICK_S, self.take_s)

    @property
    def value(self) -> float:
        return self.start + (self.end - self.start) * smooth(self.gone_s / self.take_s)


class Idle:
    """`offsets` after each `tick`. `settings` may be replaced at any moment; what follows blends in."""

    def __init__(self, settings: IdleSettings | None = None) -> None:
        self.settings = settings or IdleSettings()
        self._chance = random.Random(self.settings.seed)
        self._level = 0.0
        self._phase = 0.0
        self._breath_hz, self._depth = self.settings.breath_hz, self.settings.breath_depth
        self._pan, self._tilt, self._lean = _Glide(), _Glide(), _Glide()
        self._glance_in_s = self._shift_in_s = 0.0
        self._head_deg = self._crouch_deg = 0.0

    def change(self, settings: IdleSettings) -> None:
        """A new seed begins a new life of glances; all else blends."""
        if settings.seed != self.settings.seed:
            self._chance = random.Random(settings.seed)
        self.settings = settings

    def tick(self, *, at_rest: bool, standing: bool) -> None:
        """`at_rest`: no movement is under way; `standing`: the legs carry the body in their plain stance."""
        step = TICK_S / RISE_S if at_rest and self.settings.enabled else -TICK_S / FALL_S
        self._level = min(max(self._level + step, 0.0), 1.0)
        blend = TICK_S / RISE_S
        self._breath_hz += (self.settings.breath_hz - self._breath_hz) * blend
        self._depth += (self.settings.breath_depth - self._depth) * blend
        self._phase = (self._phase + self._breath_hz * TICK_S) % 1.0
        self._look()
        self._shift(standing)
        bearing = self.settings if self.settings.enabled else IdleSettings()
        self._head_deg = _towards(self._head_deg, bearing.head_deg)
        self._crouch_deg = _towards(self._crouch_deg, bearing.crouch_deg if standing else 0.0)

    @property
    def offsets(self) -> Pose:
        """Joint -> degrees beside the pose that is held or played."""
        amount = smooth(self._level)
        breath = amount * self._depth * math.sin(2 * math.pi * self._phase)
        lean = amount * SHIFT_DEG * self._lean.value
        pose: Pose = {}
        for leg in LEGS:
            side = lean if leg.endswith("left") else -lean
            hip = self._crouch_deg + side
            pose[f"{leg}_hip"] = hip + BREATH_DEG["hip"] * breath
            pose[f"{leg}_knee"] = 2 * hip + BREATH_DEG["knee"] * breath
        pan, tilt = amount * self._pan.value, amount * self._tilt.value
        pose["head_pan"] = pan
        pose["head_tilt"] = self._head_deg + tilt + BREATH_DEG["head_tilt"] * breath
        pose["tail"] = -TAIL_DEG * pan / GLANCE_PAN_DEG
        return pose

    def _look(self) -> None:
        """A glance now and then, far and often where it is alert; back to the middle where it listens."""
        self._pan.tick()
        self._tilt.tick()
        self._glance_in_s -= TICK_S
        alertness = self.settings.alertness
        if self.settings.listening or alertness < ASLEEP:
            if self._pan.end or self._tilt.end:
                self._turn_head(0.0, 0.0)
        elif self._glance_in_s <= 0:
            self._turn_head(self._chance.uniform(-1, 1) * alertness, self._chance.uniform(-1, 1) * alertness)
            self._glance_in_s = 0.8 + min(self._chance.expovariate(0.2 + alertness), 6.0)

    def _turn_head(self, pan: float, tilt: float) -> None:
        take_s = 0.2 + 0.2 * abs(pan)
        self._pan.go(GLANCE_PAN_DEG * pan, take_s)
        self._tilt.go(GLANCE_TILT_DEG * tilt, take_s)

    def _shift(self, standing: bool) -> None:
        self._lean.tick()
        self._shift_in_s -= TICK_S
        if not standing or self.settings.listening or self.settings.alertness < ASLEEP:
            if self._lean.end:
                self._lean.go(0.0, 2.0)
        elif self._shift_in_s <= 0:
            self._lean.go(self._chance.uniform(-1, 1), 2.0)
            self._shift_in_s = self._chance.uniform(10, 40)


def _towards(value: float, wanted: float) -> float:
    """Slowly, and slower near the end."""
    way = (wanted - value) / 0.5
    return value + min(max(way, -BEARING_DEG_S), BEARING_DEG_S) * TICK_S
