"""How far a gait really turns, and how far its feet are dragged: legs swing ahead and back only.

At each moment the body moves so that friction takes the least power, which is how things slide that are
pushed slowly (Peshkin and Sanderson, Minimization of energy in quasi-static manipulation, 1989); every foot
on the ground carries alike. Found by reweighted least squares over the body's three velocities.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.ground import Walk
from firmware_bridge.legs import LEGS, geometry_of, hip_at

Array = NDArray[np.float64]
SAMPLES, ROUNDS = 48, 40
STILL_MM_S = 1e-3


@dataclass(frozen=True, slots=True)
class Skid:
    """Of a whole step at full speed."""

    ahead_mm_s: float
    left_deg_s: float
    drag_mm: float
    """Furthest a foot is dragged over the floor in a step"""


def skid(gait: Walk) -> Skid:
    geometry = geometry_of(gait.body)
    dt_s = gait.period_s / SAMPLES
    ahead = left = 0.0
    dragged = dict.fromkeys(LEGS, 0.0)
    for step in range(SAMPLES):
        cycle = (step + 0.5) / SAMPLES
        down = [leg for leg in LEGS if gait.is_down(leg, cycle)]
        rows, wanted = [], []
        for leg in down:
            hip_x, hip_y = hip_at(geometry, leg)
            x, before, after = (
                gait.foot(leg, cycle + shift / SAMPLES, gait.turn, 1.0)[0] for shift in (0.0, -0.01, 0.01)
            )
            rows.append([[1.0, 0.0, -hip_y], [0.0, 1.0, hip_x + x]])
            wanted.append([-(after - before) / (0.02 * dt_s), 0.0])
        velocity, slip = _least_power(np.array(rows), np.array(wanted))
        ahead += velocity[0] * dt_s
        left += velocity[2] * dt_s
        for leg, speed in zip(down, slip, strict=True):
            dragged[leg] += speed * dt_s
    return Skid(ahead / gait.period_s, math.degrees(left) / gait.period_s, max(dragged.values()))


def _least_power(rows: Array, wanted: Array) -> tuple[list[float], list[float]]:
    """(ahead, left, turning) of the body, and how fast each foot slides; `rows` is (feet, 2, 3)."""
    weights = np.ones(len(rows))
    for _ in range(ROUNDS):
        root = np.sqrt(weights)[:, None]
        found = np.linalg.lstsq((rows * root[..., None]).reshape(-1, 3), (wanted * root).ravel(), rcond=None)[
            0
        ]
        slip = np.linalg.norm(rows @ found - wanted, axis=1)
        weights = 1.0 / np.maximum(slip, STILL_MM_S)
    return found.tolist(), slip.tolist()
