"""A gait told by its feet: how far and how high they step, and how the body shifts over them.

The joints follow by inverse kinematics. Millimetres and shares of a step; axes as in firmware_bridge.legs.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Protocol

from firmware_bridge.legs import LEGS, angles, foot, geometry_of
from runtime.contracts.body import Body, Pose

SAMPLES = 120
"""Of a step, for its peaks"""


@dataclass(frozen=True, slots=True)
class Stride:
    """Stands and ends in the body's rest pose; `sway` are joints that swing once a step."""

    body: Body
    period_s: float
    duty: float
    """Share of a step in which a foot is on the ground"""
    phase: Mapping[str, float]
    """Leg -> where in the step it begins, 0..1"""
    stride_mm: float
    """Way of a foot on the ground at full speed ahead"""
    lift_mm: float
    forward: float
    """-1 (backwards) to 1"""
    turn: float
    """-1 (right) to 1 (left)"""
    shift_mm: float = 0.0
    """The body goes this far back before a front foot lifts, and ahead before a rear one: twice a step"""
    shift_phase: float = 0.0
    sway: Mapping[str, float] = field(default_factory=dict)

    @property
    def stance(self) -> Pose:
        return self.body.rest

    def stride(self, leg: str, turn: float) -> float:
        """Signed way of a leg's foot: the outer side of a curve steps further."""
        side = -1.0 if leg.endswith("left") else 1.0
        return self.stride_mm * min(max(self.forward + side * turn, -1.0), 1.0)

    def is_down(self, leg: str, cycle: float) -> bool:
        return (cycle + self.phase[leg]) % 1.0 < self.duty

    def foot(self, leg: str, cycle: float, turn: float, amount: float) -> tuple[float, float]:
        """(x, z) of a foot from its hip, `cycle` steps after the start; `amount` of stepping, 0 to 1."""
        rest = self.body.rest
        home_x, home_z = foot(geometry_of(self.body), rest[f"{leg}_hip"], rest[f"{leg}_knee"])
        part = (cycle + self.phase[leg]) % 1.0
        if part < self.duty:
            share, lift = 0.5 - part / self.duty, 0.0
        else:
            air = (part - self.duty) / (1.0 - self.duty)
            share, lift = _swing(air, self.duty), math.sin(math.pi * air) ** 2
        shift = self.shift_mm * math.cos(2 * math.pi * (2 * cycle + self.shift_phase))
        x = home_x + amount * (share * self.stride(leg, turn) + shift)
        return x, home_z - amount * lift * self.lift_mm

    def pose(self, cycle: float, turn: float, amount: float) -> Pose:
        geometry, pose = geometry_of(self.body), dict(self.stance)
        for leg in LEGS:
            hip, knee = angles(geometry, *self.foot(leg, cycle, turn, amount))
            pose |= {f"{leg}_hip": hip, f"{leg}_knee": knee}
        for joint, amplitude in self.sway.items():
            pose[joint] += amount * amplitude * math.sin(2 * math.pi * cycle)
        return pose

    def peak_share(self, body: Body) -> float:
        """Highest joint speed of a step at speed 1, as a share of what the joint may do."""
        return max(peaks(self, body, turn)[0] for turn in (-1.0, 0.0, 1.0))

    def peaks(self, turn: float = 0.0) -> tuple[float, float]:
        """Highest joint speed and acceleration, as shares of what the joints may do."""
        return peaks(self, self.body, turn)


class Posed(Protocol):
    """A step that tells its poses."""

    @property
    def period_s(self) -> float: ...

    def pose(self, cycle: float, turn: float, amount: float) -> Pose: ...


def peaks(gait: Posed, body: Body, turn: float) -> tuple[float, float]:
    """Highest joint speed and acceleration of a step at speed 1, as shares of what the joints may do."""
    dt_s = gait.period_s / SAMPLES
    poses = [gait.pose(step / SAMPLES, turn, 1.0) for step in range(SAMPLES + 2)]
    speed = accel = 0.0
    for joint in body.joints:
        speeds = [(b[joint.name] - a[joint.name]) / dt_s for a, b in pairwise(poses)]
        speed = max(speed, *(abs(value) / joint.max_speed_deg_s for value in speeds))
        accels = [abs(b - a) / dt_s / joint.max_accel_deg_s2 for a, b in pairwise(speeds)]
        accel = max(accel, *accels)
    return speed, accel


def _swing(air: float, duty: float) -> float:
    """From -0.5 to 0.5, leaving and meeting the ground at the ground's own speed."""
    slope = -(1.0 - duty) / duty
    bow = air * (1.0 - air) * (1.0 - 2.0 * air)
    return -0.5 + air * air * (3.0 - 2.0 * air) + slope * bow
