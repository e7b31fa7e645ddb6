"""Cameras far away: a turn, a scale and a shift. Pictures' coordinates are -1..1, y up, for a square frame.

Yaw is where the camera stands, seen from above: 0 before the nose, 90 at the left flank, 180 behind; pitch
is its height. Degrees outside this module, radians inside.
"""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Camera:
    yaw_deg: float
    pitch_deg: float = 5.0
    roll_deg: float = 0.0
    scale: float = 0.6
    x: float = 0.0
    y: float = 0.0


def axes(yaw: Tensor, pitch: Tensor, roll: Tensor) -> Tensor:
    """(V,) each -> (V, 3, 3): rows right, up, towards the camera."""
    zero = torch.zeros_like(yaw)
    right = torch.stack([-yaw.sin(), yaw.cos(), zero], -1)
    towards = torch.stack([pitch.cos() * yaw.cos(), pitch.cos() * yaw.sin(), pitch.sin()], -1)
    up = torch.linalg.cross(towards, right)
    cos, sin = roll.cos()[:, None], roll.sin()[:, None]
    return torch.stack([cos * right + sin * up, cos * up - sin * right, towards], dim=1)


def matrix(camera: Camera) -> tuple[Tensor, Tensor]:
    """(3, 3) with the scale in it, and the shift (2,)."""
    turn = axes(
        *(torch.deg2rad(torch.tensor([v])) for v in (camera.yaw_deg, camera.pitch_deg, camera.roll_deg))
    )
    return turn[0] * camera.scale, torch.tensor([camera.x, camera.y])
