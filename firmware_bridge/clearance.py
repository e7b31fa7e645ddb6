"""Which parts of a body may meet, and do its rules keep them apart? `everpaw body clearance`.

Legs, head and tail are capsules in space (millimetres, x ahead, y left, z down, from the middle of the hips).
Poses that limits and collision rules allow are drawn at random and then pushed towards each other; what comes
out is the least room found for each pair. Drawn, not proved: the step of the search is about two degrees.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.legs import LEGS, geometry_of
from runtime.contracts.body import Body, Stick

Array = NDArray[np.float64]
POSES, NEAREST, ROUNDS = 40_000, 400, 12
PUSH_DEG = 12.0


@dataclass(frozen=True, slots=True)
class Capsule:
    """`start` and `end` are (poses, 3)."""

    start: Array
    end: Array
    radius_mm: float


@dataclass(frozen=True, slots=True)
class Room:
    """The least room found between two parts; negative: they overlap by so much."""

    first: str
    second: str
    least_mm: float
    pose: dict[str, float]


def capsules(body: Body, poses: Array) -> dict[str, list[Capsule]]:
    """Part -> its capsules; `poses` is (poses, joints) in degrees."""
    geometry = geometry_of(body)
    parts = {leg: _leg(body, leg, poses) for leg in LEGS}
    return parts | {name: [_stick(body, stick, poses)] for name, stick in geometry.sticks.items()}


def pairs(body: Body) -> Iterator[tuple[str, str]]:
    """Parts that could meet: the legs of one side, and head or tail with the legs of their end."""
    for side in ("left", "right"):
        yield f"front_{side}", f"rear_{side}"
    for (name, stick), side in product(geometry_of(body).sticks.items(), ("left", "right")):
        yield name, f"{'rear' if stick.behind else 'front'}_{side}"


def room_mm(body: Body, poses: Array, first: str, second: str) -> Array:
    """(poses,) room between the surfaces of two parts."""
    parts = capsules(body, poses)
    gaps = [
        segment_distance(a.start, a.end, b.start, b.end) - a.radius_mm - b.radius_mm
        for a, b in product(parts[first], parts[second])
    ]
    least: Array = np.minimum.reduce(gaps)
    return least


def least_room(body: Body, seed: int = 0, poses: int = POSES) -> list[Room]:
    """For each pair the tightest pose found that limits and rules allow."""
    rng = np.random.default_rng(seed)
    drawn = _allowed(body, rng.uniform(*_range(body), size=(poses, len(body.joints))))
    return [_tightest(body, drawn, pair, rng) for pair in pairs(body)]


def _tightest(body: Body, drawn: Array, pair: tuple[str, str], rng: np.random.Generator) -> Room:
    """Start from the nearest of `drawn`, and keep every small random step that brings the parts closer."""
    found = drawn[np.argsort(room_mm(body, drawn, *pair))[:NEAREST]]
    gaps = room_mm(body, found, *pair)
    for round_ in range(ROUNDS):
        push = rng.normal(0.0, PUSH_DEG / (1 + round_), size=(20, *found.shape))
        tries = np.clip(found + push, *_range(body))
        for moved in tries:
            gap = np.where(_keeps_rules(body, moved), room_mm(body, moved, *pair), np.inf)
            closer = gap < gaps
            found, gaps = np.where(closer[:, None], moved, found), np.where(closer, gap, gaps)
    best = int(np.argmin(gaps))
    return Room(*pair, float(gaps[best]), dict(zip(body.names, found[best].tolist(), strict=True)))


def _range(body: Body) -> tuple[list[float], list[float]]:
    return [joint.min_deg for joint in body.joints], [joint.max_deg for joint in body.joints]


def _allowed(body: Body, poses: Array) -> Array:
    kept: Array = poses[_keeps_rules(body, poses)]
    return kept


def _keeps_rules(body: Body, poses: Array) -> NDArray[np.bool_]:
    kept = np.ones(len(poses), dtype=bool)
    for rule in body.collisions:
        total = sum(weight * poses[:, body.names.index(name)] for name, weight in rule.terms.items())
        kept &= np.asarray(total <= rule.max_deg)
    return kept


def _leg(body: Body, leg: str, poses: Array) -> list[Capsule]:
    geometry = geometry_of(body)
    hip, knee = (np.radians(poses[:, body.names.index(f"{leg}_{joint}")]) for joint in ("hip", "knee"))
    root = np.zeros((len(poses), 3))
    root[:, 0] = geometry.length_mm / 2 * (1 if leg.startswith("front") else -1)
    root[:, 1] = geometry.width_mm / 2 * (1 if leg.endswith("left") else -1)
    bend = root + geometry.upper_mm * _down(hip)
    foot = bend + geometry.lower_mm * _down(hip - knee)
    return [Capsule(root, bend, geometry.leg_radius_mm), Capsule(bend, foot, geometry.leg_radius_mm)]


def _down(angle: Array) -> Array:
    return np.stack([np.sin(angle), np.zeros_like(angle), np.cos(angle)], axis=-1)


def _stick(body: Body, stick: Stick, poses: Array) -> Capsule:
    pan = np.radians(poses[:, body.names.index(stick.pan)])
    tilt = np.zeros(len(poses)) if stick.tilt is None else poses[:, body.names.index(stick.tilt)]
    lift = np.radians(tilt + stick.raised_deg)
    ahead = -1.0 if stick.behind else 1.0
    way = np.stack([ahead * np.cos(lift) * np.cos(pan), np.cos(lift) * np.sin(pan), -np.sin(lift)], axis=-1)
    root = np.broadcast_to([stick.ahead_mm, 0.0, -stick.up_mm], way.shape)
    return Capsule(root, root + stick.long_mm * way, stick.radius_mm)


def segment_distance(p: Array, q: Array, r: Array, s: Array) -> Array:
    """(n,) distance between the segments pq and rs, each (n, 3).

    After Ericson, Real-Time Collision Detection, 5.1.9: clamp one parameter, then the other.
    """
    u, v, w = q - p, s - r, p - r
    a, e, b = _dot(u, u), _dot(v, v), _dot(u, v)
    c, f = _dot(u, w), _dot(v, w)
    steep = a * e - b * b
    along = np.clip(np.where(steep > 1e-9, (b * f - c * e) / np.where(steep > 1e-9, steep, 1.0), 0.0), 0, 1)
    other = np.clip((b * along + f) / e, 0, 1)
    along = np.clip((b * other - c) / a, 0, 1)
    gap: Array = np.linalg.norm(p + along[:, None] * u - r - other[:, None] * v, axis=-1)
    return gap


def _dot(a: Array, b: Array) -> Array:
    product_: Array = np.einsum("ij,ij->i", a, b)
    return product_


def report(body: Body, seed: int = 0) -> tuple[list[str], bool]:
    """(lines of a table, whether every pair keeps its room)."""
    apart_mm = geometry_of(body).apart_mm
    rooms = least_room(body, seed)
    lines = [f"{'parts':<28} least room  in the pose"]
    for room in rooms:
        involved = [n for n in body.names if n.startswith((room.first, room.second))]
        pose = " ".join(f"{name} {room.pose[name]:.0f}" for name in involved)
        mark = "" if room.least_mm >= apart_mm else "  TOO CLOSE"
        lines.append(f"{room.first + ' - ' + room.second:<28} {room.least_mm:7.1f} mm  {pose}{mark}")
    return lines, all(room.least_mm >= apart_mm for room in rooms)
