"""Where a foot is, and which angles bring it there: legs of two joints that swing in one plane.

Millimetres from the hip, x ahead and z down; degrees as in runtime.contracts.body: a hip swings ahead where
positive, a knee folds backward where positive.
"""

import math

from runtime.contracts.body import Body, Geometry
from runtime.contracts.errors import PackError

LEGS = ("front_left", "front_right", "rear_left", "rear_right")
Point = tuple[float, float]


def foot(geometry: Geometry, hip_deg: float, knee_deg: float) -> Point:
    """(x, z) of the foot under its hip."""
    thigh, shin = math.radians(hip_deg), math.radians(hip_deg - knee_deg)
    upper, lower = geometry.upper_mm, geometry.lower_mm
    return upper * math.sin(thigh) + lower * math.sin(shin), upper * math.cos(thigh) + lower * math.cos(shin)


def angles(geometry: Geometry, x_mm: float, z_mm: float) -> Point:
    """(hip, knee) in degrees that put the foot there, the knee behind; PackError beyond the leg's reach."""
    upper, lower = geometry.upper_mm, geometry.lower_mm
    reach_mm = math.hypot(x_mm, z_mm)
    if not abs(upper - lower) + 1e-9 < reach_mm <= upper + lower:
        raise PackError(
            f"a foot {x_mm:.0f} mm ahead and {z_mm:.0f} mm down is out of reach of a leg of {upper + lower:g}"
            " mm; shorten the step"
        )
    bend = (reach_mm**2 - upper**2 - lower**2) / (2 * upper * lower)
    knee = math.acos(min(max(bend, -1.0), 1.0))
    hip = math.atan2(x_mm, z_mm) + math.atan2(lower * math.sin(knee), upper + lower * math.cos(knee))
    return math.degrees(hip), math.degrees(knee)


def hip_at(geometry: Geometry, leg: str) -> Point:
    """(x ahead, y left) of a hip, millimetres from the middle of the body."""
    ahead = geometry.length_mm / 2 * (1 if leg.startswith("front") else -1)
    return ahead, geometry.width_mm / 2 * (1 if leg.endswith("left") else -1)


def geometry_of(body: Body) -> Geometry:
    """The body's lengths; PackError where it has none."""
    if body.geometry is None:
        raise PackError(f"the body {body.name!r} gives no [geometry]; its gaits need lengths: add them")
    return body.geometry
