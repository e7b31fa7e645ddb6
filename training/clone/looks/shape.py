"""A quadruped's shape as numbers that a gradient may change, and its ellipsoids.

The ellipsoids' field is the first-order distance to an ellipsoid, k0 (k0 - 1) / k1 (Quilez), joined by a
smooth minimum. Seen from afar an ellipsoid is exactly an ellipse, so the same field in the picture's plane
gives the silhouette in closed form.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from training.clone.looks.skeleton import CHAIN, SKELETON

EPS = 1e-6


@dataclass(frozen=True, slots=True)
class Ellipsoids:
    centre: Tensor
    """(E, 3)"""
    spread: Tensor
    """(E, 3, 3): axes R diag(r^2) R^T"""


class Shape(nn.Module):
    """What is the same in all photos. All parameters are 0 for the template."""

    def __init__(self) -> None:
        super().__init__()
        listed, bones = len(SKELETON.middle), len(SKELETON.width)
        self.size = nn.Parameter(torch.zeros(3))
        """log of length, width, height"""
        self.move = nn.Parameter(torch.zeros(listed, 3))
        """of a pair of joints, mirrored"""
        self.step = nn.Parameter(torch.zeros(len(SKELETON.joints), 3))
        """of one joint alone: how it stands"""
        self.thick = nn.Parameter(torch.zeros(bones, CHAIN, 3))
        """log of along, height, width"""
        self.bulge = nn.Parameter(torch.zeros(bones, CHAIN, 2))
        """of an ellipsoid off its bone: along height and width, as a share of its radius"""
        self.register_buffer("_rest", torch.tensor(SKELETON.rest, dtype=torch.float32))
        self.register_buffer("_radii", torch.tensor(SKELETON.radii, dtype=torch.float32))
        self.register_buffer("_width", torch.tensor(SKELETON.width, dtype=torch.float32))
        free = torch.ones(listed, 3)
        free[torch.tensor(SKELETON.middle), 1] = 0.0
        self.register_buffer("_free", free)
        side = torch.ones(len(SKELETON.joints), 3)
        side[:, 1] = torch.tensor(SKELETON.side)
        self.register_buffer("_side", side)
        self._joint_of = torch.tensor(SKELETON.joint_of)
        self._bone_of = torch.tensor(SKELETON.bone_of)
        self._bones = torch.tensor(SKELETON.bones)
        self._bone_side = torch.tensor(SKELETON.bone_side, dtype=torch.float32)

    def joints(self) -> Tensor:
        """(J, 3)"""
        shared = (self.move * self._free)[self._joint_of] * self._side
        return (self._rest + shared) * self.size.exp() + self.step

    def ellipsoids(self) -> Ellipsoids:
        joints = self.joints()
        start, end = joints[self._bones[:, 0]], joints[self._bones[:, 1]]
        along = (end - start).norm(dim=1, keepdim=True) + EPS
        ahead, height, width = _axes((end - start) / along)
        share = (torch.arange(CHAIN) + 0.5) / CHAIN
        centre = start[:, None] + (end - start)[:, None] * share[None, :, None]  # (B, K, 3)
        radii = self._radii[self._bone_of]
        radius = radii[:, :1] * (1 - share) + radii[:, 1:] * share  # (B, K)
        thick = self.thick[self._bone_of].exp()
        girth = (self.size[1:].mean()).exp()
        tall = radius * thick[..., 1] * girth
        wide = radius * thick[..., 2] * girth * self._width[self._bone_of][:, None]
        long = (along / CHAIN * 0.75 + 0.35 * radius) * thick[..., 0]
        bulge = self.bulge[self._bone_of]
        centre = centre + (bulge[..., :1] * tall[..., None]) * height[:, None]
        sideways = (
            bulge[..., 1:] * wide[..., None] * self._bone_side[:, None, None] * self._paired()[:, None, None]
        )
        centre = centre + sideways * width[:, None]
        frame = torch.stack([ahead, height, width], dim=-1)  # (B, 3, 3)
        square = torch.stack([long, tall, wide], dim=-1) ** 2
        spread = torch.einsum("bij,bkj,blj->bkil", frame, square, frame)
        return Ellipsoids(centre.flatten(0, 1), spread.flatten(0, 1))

    def _paired(self) -> Tensor:
        """(B,) 0 for a bone in the middle, which may not leave it."""
        counts = torch.bincount(self._bone_of)[self._bone_of]
        return (counts > 1).float()


def _axes(ahead: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Along a bone, across it in the plane of symmetry, and across that; width has no seam between sides."""
    left = torch.tensor([0.0, 1.0, 0.0]).expand_as(ahead)
    height = torch.linalg.cross(ahead, left)
    height = height / (height.norm(dim=1, keepdim=True) + EPS)
    return ahead, height, torch.linalg.cross(height, ahead)


def distance(points: Tensor, centre: Tensor, inverse: Tensor, blend: float) -> Tensor:
    """Signed distance (..., N), negative inside, at points (..., N, D); inverse is (..., E, D, D).

    Written out by coordinates: a tenth of the memory that one product over all of them takes.
    """
    axes = range(points.shape[-1])
    away = [points[..., :, None, i] - centre[..., None, :, i] for i in axes]  # each (..., N, E)
    pulled = [sum(inverse[..., None, :, i, j] * away[j] for j in axes) for i in axes]
    k0 = sum(a * p for a, p in zip(away, pulled, strict=True)).clamp_min(EPS).sqrt()
    k1 = sum(p * p for p in pulled).clamp_min(EPS).sqrt()
    return -blend * torch.logsumexp((k0 * (1 - k0) / k1) / blend, dim=-1)


def inverse_2d(spread: Tensor) -> Tensor:
    """(..., 2, 2) symmetric -> its inverse, in closed form."""
    a, b, c = spread[..., 0, 0], spread[..., 0, 1], spread[..., 1, 1]
    det = (a * c - b * b).clamp_min(EPS * EPS)
    return torch.stack([torch.stack([c, -b], -1), torch.stack([-b, a], -1)], -2) / det[..., None, None]
