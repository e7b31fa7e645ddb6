"""Getting up after a fall: the skill, made for a body under its servos' limits, and its check on the floor.

`python -m firmware_bridge.get_up --out FOLDER` writes `get_up.toml`: fold all legs under the body at once,
feet under the hips, rise straight. Legs that swing ahead and back only cannot roll a body over: lying on its
side or back, every point that a leg can reach on the floor lies in the plane on which it rests already. That
fall wants a hand.

The check is quasi-static: a rigid body on a level floor rests on three of its feet, knees and belly corners
so that no other is under the floor and the mass is between them; how far it leans there is the figure.
"""

import argparse
import math
import random
import sys
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from firmware_bridge.legs import LEGS, angles, foot, geometry_of, hip_at
from firmware_bridge.motion import KeyFrames, needed_s
from firmware_bridge.skills import Skill, load_skill
from runtime.contracts.body import Body, Pose, load_body

SHARE = 0.7
"""Of the servos' speed and acceleration"""
CROUCH_MM, STEPS = 46.0, 4
"""Feet this far under the hips when the rise begins; frames of the rise"""
FOLDED_DEG = 125.0
SHORT_OF_FALLING_DEG = 15.0
"""A lean stays so far under the tilt at which the board lets go, since what the board measures may be more by
the slope of a floor (4.8 for 1 in 12, as steep as ramps are built), the MPU-6050's offset (5.4 for its data
sheet's 50 and 80 mg), and what a body that rolls by 180 degrees a second pulls at a sensor 6 cm away (3.5)"""
MOST_SLIP_MM, MOST_TORQUE = 3.0, 0.7
"""Slip; share of the servos' torque"""
FALLS, LOOK_S = 24, 0.01
"""Slumped poses; a lean rises and falls within a few of the board's ticks"""
GRAVITY_N_KG = 9.81
Point = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Recovery:
    """The worst over many slumped poses."""

    lean_deg: float
    slip_mm: float
    """Of a foot while the body rises on it"""
    torque: float
    """Share of a servo's that the rise takes"""
    longest_s: float

    def holds(self, body: Body) -> bool:
        upright = self.lean_deg <= body.cutoffs.tilt_deg - SHORT_OF_FALLING_DEG
        return upright and self.slip_mm <= MOST_SLIP_MM and self.torque <= MOST_TORQUE


def frames(body: Body) -> list[tuple[float, Pose]]:
    """(seconds, pose) of each frame: knees under the hips, crouch, then straight up into the stance."""
    stance = _legs(body, body.rest)
    top_mm = foot(geometry_of(body), stance["front_left_hip"], stance["front_left_knee"])[1]
    head = {joint.name: joint.rest_deg for joint in body.joints if not joint.name.startswith(LEGS)}
    before = {name: 0.0 if name.endswith("hip") else FOLDED_DEG for name in stance}
    fold_s = max(needed_s(body.by_name[name], FOLDED_DEG, "smooth", SHARE) for name in stance)
    found: list[tuple[float, Pose]] = [(fold_s, before | head)]
    for step in range(STEPS + 1):
        down_mm = CROUCH_MM + (top_mm - CROUCH_MM) * step / STEPS
        hip, knee = angles(geometry_of(body), 0.0, down_mm)
        pose = {name: hip if name.endswith("hip") else knee for name in stance}
        ways = (needed_s(body.by_name[name], pose[name] - before[name], "smooth", SHARE) for name in pose)
        found.append((max(0.3, *ways), pose))
        before = pose
    return found


def check(body: Body, skill: Skill, seed: int = 0) -> Recovery:
    """From `FALLS` slumped poses: legs splayed ahead or back, as a body lies that fell on its belly."""
    rng = random.Random(seed)
    lean = slip = torque = longest = 0.0
    for _ in range(FALLS):
        movement = skill.movement(body, _slumped(body, rng))
        assert isinstance(movement, KeyFrames)
        longest = max(longest, movement.duration_s)
        rise_s = movement.duration_s - sum(frame.take_s for frame in skill.frames[2:])
        was: dict[str, float] = {}
        for step in range(math.ceil(movement.duration_s / LOOK_S) + 1):
            now_s = min(step * LOOK_S, movement.duration_s)
            pose = movement.evaluate(now_s)
            lean = max(lean, settled_lean_deg(_points(body, pose), _mass(body)))
            if now_s >= rise_s:
                ahead = {leg: _foot(body, pose, leg)[0] for leg in LEGS}
                slip = max(slip, *(abs(ahead[leg] - was.get(leg, ahead[leg])) for leg in LEGS))
                was = was or ahead
                torque = max(torque, _torque(body, pose))
    return Recovery(lean, slip, torque, longest)


def settled_lean_deg(points: list[Point], mass: tuple[float, float]) -> float:
    """How far a rigid body leans on three of `points` (x, y, down), the others above the floor."""
    best = 0.0 if len({round(p[2], 6) for p in points}) == 1 else math.inf
    for a, b, c in combinations(points, 3):
        plane = _plane(a, b, c)
        if plane is None or not _inside(mass, a, b, c):
            continue
        slope_x, slope_y, offset = plane
        if all(p[2] <= slope_x * p[0] + slope_y * p[1] + offset + 1e-6 for p in points):
            best = min(best, math.degrees(math.atan(math.hypot(slope_x, slope_y))))
    return best


def _plane(a: Point, b: Point, c: Point) -> tuple[float, float, float] | None:
    """down = sx x + sy y + o through three points; None where they stand in a row."""
    ux, uy, uz = (b[i] - a[i] for i in range(3))
    vx, vy, vz = (c[i] - a[i] for i in range(3))
    area = ux * vy - uy * vx
    if abs(area) < 1e-6:
        return None
    slope_x, slope_y = (uz * vy - uy * vz) / area, (ux * vz - uz * vx) / area
    return slope_x, slope_y, a[2] - slope_x * a[0] - slope_y * a[1]


def _inside(mass: tuple[float, float], a: Point, b: Point, c: Point) -> bool:
    sides = [
        (q[0] - p[0]) * (mass[1] - p[1]) - (q[1] - p[1]) * (mass[0] - p[0])
        for p, q in ((a, b), (b, c), (c, a))
    ]
    return min(sides) >= -1e-9 or max(sides) <= 1e-9


def _points(body: Body, pose: Pose) -> list[Point]:
    """Feet, knees, and the corners of the belly."""
    geometry = geometry_of(body)
    corners = []
    feet, knees = [], []
    for leg in LEGS:
        x, y = hip_at(geometry, leg)
        ahead, down = _foot(body, pose, leg)
        feet.append((x + ahead, y, down + geometry.leg_radius_mm))
        thigh = math.radians(pose[f"{leg}_hip"])
        knee_down = geometry.upper_mm * math.cos(thigh) + geometry.leg_radius_mm
        knees.append((x + geometry.upper_mm * math.sin(thigh), y, knee_down))
        corners.append((x, 0.8 * y, geometry.belly_mm))
    return feet + knees + corners


def _foot(body: Body, pose: Pose, leg: str) -> tuple[float, float]:
    return foot(geometry_of(body), pose[f"{leg}_hip"], pose[f"{leg}_knee"])


def _mass(body: Body) -> tuple[float, float]:
    return geometry_of(body).mass_ahead_mm, 0.0


def _torque(body: Body, pose: Pose) -> float:
    """A quarter of the weight on each foot; the lever is from the knee, or the hip, to the foot."""
    geometry = geometry_of(body)
    load_n = geometry.mass_g / 1000 * GRAVITY_N_KG / 4
    levers = []
    for leg in LEGS:
        ahead = _foot(body, pose, leg)[0]
        knee = geometry.upper_mm * math.sin(math.radians(pose[f"{leg}_hip"]))
        levers += [abs(ahead), abs(ahead - knee)]
    return load_n * max(levers) / geometry.torque_nmm


def _slumped(body: Body, rng: random.Random) -> Pose:
    """Each leg splayed ahead or back, its foot no lower than the belly."""
    pose = body.safe
    for leg in LEGS:
        splayed = rng.choice((1.0, -1.0)) * rng.uniform(76, 80)
        pose |= {f"{leg}_hip": splayed, f"{leg}_knee": rng.uniform(-8, 8)}
    return pose if not body.violation(pose) else _slumped(body, rng)


def _legs(body: Body, pose: Pose) -> Pose:
    return {name: pose[name] for name in body.names if name.startswith(LEGS)}


def text(body: Body) -> str:
    """The skill's file."""
    lines = ['description = "Gets up after a fall on its belly: legs drawn in, then straight up"']
    for take_s, pose in frames(body):
        sides: dict[str, float] = {}
        for name, angle in pose.items():
            end, _, part = name.partition("_")
            sides[f"{end}_{part.rpartition('_')[2]}" if name.startswith(LEGS) else name] = angle
        words = ", ".join(f"{name} = {angle:.1f}" for name, angle in sides.items())
        lines += ["", "[[frames]]", f"take_s = {take_s + 0.005:.2f}", f"pose = {{ {words} }}"]
    return "\n".join(lines) + "\n"


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m firmware_bridge.get_up", description=__doc__)
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--body", type=Path)
    args = parser.parse_args(argv)
    body = load_body(args.body)
    path = args.out / "get_up.toml"
    path.write_text(text(body), encoding="utf-8")
    skill = load_skill(path, body)
    assert isinstance(skill, Skill)
    found = check(body, skill)
    print(f"{path}: {found}, {'holds' if found.holds(body) else 'BREAKS its rules'}", file=sys.stderr)
    return int(not found.holds(body))


if __name__ == "__main__":
    raise SystemExit(main())
