"""Will it stand, slip or tip? A gait against the floor, in the plane and quasi-static.

Not a simulation of contacts: mass sits in one point at hip height, feet are points, legs weigh nothing. It
finds gaits that cannot work; that one works is seen on the floor.
"""

import math
from dataclasses import dataclass
from typing import Protocol

from firmware_bridge.legs import LEGS, geometry_of, hip_at
from runtime.contracts.body import Body

SAMPLES = 240
GRAVITY_MM_S2 = 9_810.0
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Of a whole step at full speed, straight ahead or as the gait turns."""

    margin_mm: float
    """Least distance of the centre of mass inside the supporting feet; negative: beside them"""
    tip_deg: float
    """Furthest the body tips over two feet until the next one lands"""
    slip_mm: float
    """Furthest a foot on the ground is dragged in a step, because the feet disagree"""
    grip: float
    """Highest share of the friction that the body's acceleration takes"""
    peak_speed: float
    peak_accel: float
    speed_mm_s: float


class Walk(Protocol):
    """What the check asks of a gait; `cycle` counts steps, feet are (x, z) from their hips in millimetres."""

    @property
    def body(self) -> Body: ...

    @property
    def period_s(self) -> float: ...

    @property
    def duty(self) -> float: ...

    @property
    def turn(self) -> float: ...

    def is_down(self, leg: str, cycle: float) -> bool: ...

    def foot(self, leg: str, cycle: float, turn: float, amount: float) -> Point: ...

    def peaks(self, turn: float = 0.0) -> tuple[float, float]: ...


def check(gait: Walk) -> Verdict:
    geometry = geometry_of(gait.body)
    dt_s = gait.period_s / SAMPLES
    margin, tip_mm, grip = math.inf, 0.0, 0.0
    dragged = dict.fromkeys(LEGS, 0.0)
    slip = travelled = was_speed = 0.0
    height_mm = gait.foot(LEGS[0], 0.0, 0.0, 0.0)[1]
    for step in range(SAMPLES + 1):
        cycle = step / SAMPLES
        down = [leg for leg in LEGS if gait.is_down(leg, cycle)]
        feet = {leg: _placed(gait, leg, cycle) for leg in down}
        inside = support_margin(list(feet.values()), (geometry.mass_ahead_mm, 0.0))
        margin = min(margin, inside)
        tip_mm = max(tip_mm, -inside if len(down) >= 2 else height_mm)
        ways = {leg: gait.foot(leg, cycle + 1 / SAMPLES, gait.turn, 1.0)[0] for leg in down}
        steady = {leg: ways[leg] - (feet[leg][0] - hip_at(geometry, leg)[0]) for leg in down}
        staying = {leg: way for leg, way in steady.items() if gait.is_down(leg, cycle + 1 / SAMPLES)}
        if not staying:
            continue
        for side in ("left", "right"):
            here = {leg: way for leg, way in staying.items() if leg.endswith(side)}
            mean = sum(here.values()) / len(here) if here else 0.0
            for leg, way in here.items():
                dragged[leg] += abs(way - mean)
        body_mm = -sum(staying.values()) / len(staying)
        travelled += body_mm
        if step:
            accel = abs(body_mm / dt_s - was_speed) / dt_s
            grip = max(grip, accel / (geometry.friction * GRAVITY_MM_S2))
        was_speed = body_mm / dt_s
    slip = max(dragged.values())
    speed, peak_accel = gait.peaks(gait.turn)
    return Verdict(
        margin_mm=margin,
        tip_deg=_tip_deg(tip_mm, height_mm, gait),
        slip_mm=slip,
        grip=grip,
        peak_speed=speed,
        peak_accel=peak_accel,
        speed_mm_s=travelled / gait.period_s,
    )


def support_margin(feet: list[Point], mass: Point) -> float:
    """Distance of `mass` inside the polygon of `feet`; negative outside. Of two feet, beside their line."""
    hull = _hull(feet)
    if len(hull) < 2:
        return -math.inf
    if len(hull) == 2:
        return -abs(_beside(hull[0], hull[1], mass))
    return min(_beside(a, b, mass) for a, b in zip(hull, [*hull[1:], hull[0]], strict=True))


def _placed(gait: Walk, leg: str, cycle: float) -> Point:
    hip_x, hip_y = hip_at(geometry_of(gait.body), leg)
    return hip_x + gait.foot(leg, cycle, gait.turn, 1.0)[0], hip_y


def _beside(a: Point, b: Point, point: Point) -> float:
    """Signed distance of `point` to the left of the line from a to b."""
    dx, dy = b[0] - a[0], b[1] - a[1]
    return (dx * (point[1] - a[1]) - dy * (point[0] - a[0])) / math.hypot(dx, dy)


def _hull(points: list[Point]) -> list[Point]:
    """Counter-clockwise, by turning always left (Andrew's monotone chain)."""
    ordered = sorted(set(points))
    if len(ordered) < 3:
        return ordered
    chains: list[list[Point]] = []
    for run in (ordered, ordered[::-1]):
        chain: list[Point] = []
        for point in run:
            while len(chain) >= 2 and _beside(chain[-2], chain[-1], point) <= 1e-9:
                chain.pop()
            chain.append(point)
        chains.append(chain[:-1])
    return chains[0] + chains[1]


def _tip_deg(beside_mm: float, height_mm: float, gait: Walk) -> float:
    """A rigid body of that height, `beside_mm` off its support, falling while a foot is in the air."""
    if beside_mm <= 0:
        return 0.0
    air_s = (1.0 - gait.duty) * gait.period_s
    # theta'' = g d / h^2 of a point mass over a line, from rest, for half of the air time.
    return math.degrees(0.5 * GRAVITY_MM_S2 * beside_mm / height_mm**2 * (air_s / 2) ** 2)
