"""Movements as functions of time: `evaluate(t_s)` -> pose in degrees. No clock, no state, no I/O.

A movement starts where the joints are, stays within the body's speeds (slower than asked rather than faster),
and ends at rest. Times are seconds from its start; after `duration_s` the last pose stays.
"""

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Literal, Protocol

from runtime.contracts.body import Body, Joint, Pose
from runtime.contracts.errors import PackError

Ease = Literal["smooth", "linear"]
PEAK_SPEED = {"smooth": 1.875, "linear": 1.0}
"""Highest speed of an eased way, as a multiple of way / time"""
PEAK_ACCEL = 5.774
"""Highest acceleration of a smooth way, as a multiple of way / time^2"""
HEADROOM = 0.9
"""Share of a joint's speed that a movement uses, so that the firmware's own limit does not lag behind it"""
LEGS = ("front_left", "front_right", "rear_left", "rear_right")


class Movement(Protocol):
    @property
    def duration_s(self) -> float: ...

    def evaluate(self, t_s: float) -> Pose:
        """Pose of all joints at `t_s` seconds after the start."""
        ...


def smooth(x: float) -> float:
    """0..1 -> 0..1 without a jerk at either end."""
    x = min(max(x, 0.0), 1.0)
    return x * x * x * (10 - 15 * x + 6 * x * x)


def needed_s(joint: Joint, way_deg: float, ease: Ease, headroom: float = HEADROOM) -> float:
    """Shortest time in which `joint` may go `way_deg`."""
    way = abs(way_deg)
    by_speed = PEAK_SPEED[ease] * way / (headroom * joint.max_speed_deg_s)
    by_accel = math.sqrt(PEAK_ACCEL * way / (headroom * joint.max_accel_deg_s2)) if ease == "smooth" else 0.0
    return max(by_speed, by_accel)


@dataclass(frozen=True, slots=True)
class KeyFrame:
    """Take `take_s` seconds to the named joints' angles; the others stay."""

    take_s: float
    pose: Mapping[str, float]
    ease: Ease = "smooth"


class KeyFrames:
    """Through key frames, from the present pose. PackError where a frame cannot be reached from there."""

    def __init__(self, body: Body, start: Pose, frames: Sequence[KeyFrame], speed: float = 1.0) -> None:
        self._poses: list[Pose] = [dict(start)]
        self._eases: list[Ease] = []
        self.slowed = False
        """The body's speeds made it take longer than asked"""
        takes: list[float] = []
        for number, frame in enumerate(frames, 1):
            before = self._poses[-1]
            after = before | dict(frame.pose)
            if fault := body.violation(after):
                raise PackError(f"frame {number} cannot be reached from here: {fault}; stand up first")
            needed = max(needed_s(j, after[j.name] - before[j.name], frame.ease) for j in body.joints)
            takes.append(max(frame.take_s / speed, needed))
            self.slowed |= needed > frame.take_s / speed
            self._poses.append(after)
            self._eases.append(frame.ease)
        self._takes = takes
        self._starts = [0.0, *accumulate(takes)]

    @property
    def duration_s(self) -> float:
        return self._starts[-1]

    def evaluate(self, t_s: float) -> Pose:
        if t_s >= self.duration_s:
            return dict(self._poses[-1])
        number = max(bisect_right(self._starts, t_s) - 1, 0)
        part = (max(t_s, 0.0) - self._starts[number]) / self._takes[number]
        share = smooth(part) if self._eases[number] == "smooth" else part
        before, after = self._poses[number], self._poses[number + 1]
        return {name: angle + share * (after[name] - angle) for name, angle in before.items()}


@dataclass(frozen=True, slots=True)
class GaitShape:
    """How legs take turns. Angles in degrees around `stance`; see runtime.contracts.body for signs."""

    period_s: float
    duty: float
    """Share of a step in which the foot is on the ground"""
    phase: Mapping[str, float]
    """Leg -> where in the step it begins, 0..1"""
    stride_deg: float
    """Half of a hip's swing at full speed ahead"""
    lift_deg: float
    """How far a knee folds while the foot is in the air"""
    forward: float
    """-1 (backwards) to 1"""
    turn: float
    """-1 (right) to 1 (left)"""
    stance: Mapping[str, float]
    sway: Mapping[str, float]
    """Joint -> amplitude of a swing once a step (tail, head)"""

    def stride(self, leg: str, turn: float) -> float:
        """Signed stride of a leg: the outer side of a curve steps further."""
        side = -1.0 if leg.endswith("left") else 1.0
        return self.stride_deg * min(max(self.forward + side * turn, -1.0), 1.0)

    def pose(self, cycle: float, turn: float, amount: float) -> Pose:
        """The stance `cycle` steps after the start, with an `amount` of stepping: 0 none, 1 full."""
        pose = dict(self.stance)
        for leg in LEGS:
            hip, knee = self._leg((cycle + self.phase[leg]) % 1.0)
            pose[f"{leg}_hip"] += amount * self.stride(leg, turn) * hip
            pose[f"{leg}_knee"] += amount * self.lift_deg * knee
        for joint, amplitude in self.sway.items():
            pose[joint] = pose.get(joint, 0.0) + amount * amplitude * math.sin(2 * math.pi * cycle)
        return pose

    def _leg(self, phase: float) -> tuple[float, float]:
        """(hip -1..1, knee 0..1): back steadily while on the ground, forward with a lift in the air."""
        if phase < self.duty:
            return 1.0 - 2.0 * phase / self.duty, 0.0
        air = (phase - self.duty) / (1.0 - self.duty)
        return -1.0 + 2.0 * smooth(air), math.sin(math.pi * air) ** 2

    def peak_share(self, body: Body) -> float:
        """Highest joint speed of a step at speed 1, as a share of what the joint may do."""
        n = 200
        dt_s = self.period_s / n
        peak = 0.0
        for turn in (-1.0, 0.0, 1.0):
            poses = [self.pose(i / n, turn, 1.0) for i in range(n + 1)]
            for before, after in pairwise(poses):
                for name, angle in after.items():
                    speed = abs(angle - before[name]) / dt_s
                    peak = max(peak, speed / body.by_name[name].max_speed_deg_s)
        return peak


class Steps(Protocol):
    """What repeats in a gait."""

    @property
    def period_s(self) -> float: ...

    @property
    def turn(self) -> float: ...

    @property
    def stance(self) -> Mapping[str, float]: ...

    def pose(self, cycle: float, turn: float, amount: float) -> Pose: ...

    def peak_share(self, body: Body) -> float: ...


class Gait:
    """Walk for `walk_s`: get up into the stance first, step, and come to rest in the stance."""

    RAMP_STEPS = 0.5

    def __init__(
        self, body: Body, start: Pose, shape: Steps, walk_s: float, turn: float = 0.0, speed: float = 1.0
    ) -> None:
        self._shape = shape
        self._turn = min(max(shape.turn + turn, -1.0), 1.0)
        self._period_s = shape.period_s / min(speed, HEADROOM / shape.peak_share(body))
        self._rise = KeyFrames(body, start, [KeyFrame(0.1, shape.stance)])
        self._walk_s = max(walk_s, 2 * self.RAMP_STEPS * self._period_s)

    @property
    def duration_s(self) -> float:
        return self._rise.duration_s + self._walk_s

    def evaluate(self, t_s: float) -> Pose:
        t_s = min(t_s, self.duration_s)
        standing = self._rise.evaluate(t_s)
        walked_s = t_s - self._rise.duration_s
        if walked_s <= 0:
            return standing
        ramp_s = self.RAMP_STEPS * self._period_s
        amount = smooth(walked_s / ramp_s) * smooth((self._walk_s - walked_s) / ramp_s)
        return standing | self._shape.pose(walked_s / self._period_s, self._turn, amount)
