"""The shape and the cameras that explain some masks: silhouettes in closed form, by Adam, on the processor.

What makes it converge: the likelihood of inside and outside rather than an overlap (which has no gradient far
off), softness that falls with time, bones that are pulled into the mask, and a scale common to all photos,
which goes into the cameras. At the end the level of the surface is chosen on the photos themselves, which
takes back what the smooth union added.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from training.clone.looks.camera import Camera, axes
from training.clone.looks.shape import Shape, distance, inverse_2d

Mask = npt.NDArray[np.bool_]
STEPS = 400
PIXELS = 1_000
"""a photo and a step"""
SOFT = (0.05, 0.004)
"""From, to: width of an edge, in half frames"""
BLEND = 0.02
"""Of the smooth union"""
TURN_DEG, TILT_DEG, ROLL_DEG = 8.0, 4.0, 3.0
"""How far a camera may be from what is known of it"""
LEVELS = tuple(np.arange(-0.03, 0.0301, 0.002))


@dataclass(frozen=True, slots=True)
class View:
    """A mask in its square frame, and what is known of where it was taken from."""

    mask: Mask
    yaw_deg: float
    pitch_deg: float = 5.0


@dataclass(frozen=True, slots=True)
class Fitted:
    shape: Shape
    cameras: tuple[Camera, ...]
    level: float
    """The surface is where the field has this value"""
    overlaps: tuple[float, ...]
    """Intersection over union with each mask"""


@dataclass
class _Target:
    """Distance to a mask's edge, negative inside, in half frames; and where to look."""

    view: View
    away: Tensor = field(init=False)
    box: Tensor = field(init=False)
    near: npt.NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        mask = self.view.mask.astype(np.uint8)
        size = mask.shape[0]
        inside = cv2.distanceTransform(mask, cv2.DIST_L2, 5)
        outside = cv2.distanceTransform(1 - mask, cv2.DIST_L2, 5)
        signed = (np.maximum(outside - 0.5, 0) - np.maximum(inside - 0.5, 0)) * 2 / size
        self.away = torch.tensor(signed, dtype=torch.float32)
        rows, columns = np.nonzero(mask)
        x, y = place(np.array([columns.min(), columns.max()]), np.array([rows.max(), rows.min()]), size)
        self.box = torch.tensor(np.stack([x, y], -1), dtype=torch.float32)
        self.near = np.flatnonzero(np.abs(signed) < 0.06)

    def sample(self, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Points (N, 2) and whether each lies inside (N,)."""
        size = self.away.shape[0]
        flat = np.concatenate(
            [rng.choice(self.near, PIXELS * 2 // 3), rng.integers(0, size * size, PIXELS // 3)]
        )
        xy = place(flat % size, flat // size, size)
        return torch.tensor(np.stack(xy, -1), dtype=torch.float32), (self.away.flatten()[flat] < 0).float()


def place(
    columns: npt.NDArray[np.generic], rows: npt.NDArray[np.generic], size: int
) -> tuple[Tensor, Tensor]:
    """Pixels of a square frame -> x, y in -1..1, y up."""
    return (columns + 0.5) * 2 / size - 1, 1 - (rows + 0.5) * 2 / size


class Cameras(nn.Module):
    """One a view; parameters are what differs from what is known."""

    def __init__(self, views: Sequence[View], targets: Sequence[_Target], shape: Shape) -> None:
        super().__init__()
        self.known = torch.deg2rad(torch.tensor([[v.yaw_deg, v.pitch_deg, 0.0] for v in views]))
        self.turn = nn.Parameter(torch.zeros(len(views), 3))
        self.scale = nn.Parameter(torch.zeros(len(views)))
        self.shift = nn.Parameter(torch.zeros(len(views), 2))
        with torch.no_grad():
            solid = shape.ellipsoids()
            flat = torch.einsum("vij,ej->vei", self.axes()[:, :2], solid.centre)
            reach = torch.einsum(
                "vij,ejk,vik->vei", self.axes()[:, :2], solid.spread, self.axes()[:, :2]
            ).sqrt()
            low, high = (flat - reach).amin(1), (flat + reach).amax(1)
            boxes = torch.stack([t.box for t in targets])
            share = ((boxes[:, 1] - boxes[:, 0]) / (high - low)).log().mean(1)
            self.scale.copy_(share)
            self.shift.copy_(boxes.mean(1) - share.exp()[:, None] * (low + high) / 2)

    def axes(self) -> Tensor:
        return axes(*(self.known + self.turn).unbind(1))

    def flat(self) -> Tensor:
        """(V, 2, 3) with the scale in it."""
        return self.axes()[:, :2] * self.scale.exp()[:, None, None]

    def doubt(self) -> Tensor:
        spread = torch.deg2rad(torch.tensor([TURN_DEG, TILT_DEG, ROLL_DEG]))
        common = self.scale - self.scale.mean()
        return ((self.turn / spread) ** 2).mean() + (common**2).mean()

    def told(self) -> tuple[Camera, ...]:
        with torch.no_grad():
            turns = torch.rad2deg(self.known + self.turn)
            rows = torch.cat([turns, self.scale.exp()[:, None], self.shift], dim=1)
        return tuple(Camera(*(float(x) for x in row)) for row in rows)


def silhouettes(shape: Shape, flat: Tensor, shift: Tensor, points: Tensor, blend: float = BLEND) -> Tensor:
    """Signed distance in the picture: points (V, N, 2) -> (V, N), negative inside."""
    solid = shape.ellipsoids()
    centre = torch.einsum("vij,ej->vei", flat, solid.centre) + shift[:, None]
    spread = torch.einsum("vij,ejk,vlk->veil", flat, solid.spread, flat)
    return distance(points, centre, inverse_2d(spread), blend)


def fit(
    views: Sequence[View],
    seed: int = 0,
    steps: int = STEPS,
    progress: Callable[[float], None] = lambda _share: None,
) -> Fitted:
    """The quadruped behind `views`; some 20 to 60 s on one core."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    targets = [_Target(view) for view in views]
    shape = Shape()
    cameras = Cameras(views, targets, shape)
    fields = torch.stack([t.away for t in targets])[:, None]
    groups = [
        {"params": [shape.size, cameras.turn, cameras.scale, cameras.shift], "lr": 0.01},
        {"params": [shape.move, shape.step], "lr": 0.006},
        {"params": [shape.thick, shape.bulge], "lr": 0.012},
    ]
    adam = torch.optim.Adam(groups)
    rates = [g["lr"] for g in groups]
    for step in range(steps):
        share = step / steps
        soft = SOFT[0] * (SOFT[1] / SOFT[0]) ** share
        for group, rate in zip(adam.param_groups, rates, strict=True):
            group["lr"] = rate * (1.0 if share < 0.6 else (1 - share) / 0.4 + 0.02)
        points, inside = (torch.stack(x) for x in zip(*(t.sample(rng) for t in targets), strict=True))
        flat = cameras.flat()
        away = silhouettes(shape, flat, cameras.shift, points)
        loss = functional.binary_cross_entropy_with_logits(-away / soft, inside)
        loss = loss + 3.0 * _outside(shape, flat, cameras.shift, fields) + _unlikely(shape, cameras)
        adam.zero_grad()
        loss.backward()
        adam.step()
        if step == steps // 5:
            _fold(shape, cameras)
        progress((step + 1) / steps)
    return _levelled(shape, cameras, targets)


def _outside(shape: Shape, flat: Tensor, shift: Tensor, fields: Tensor) -> Tensor:
    """How far the middles of the bones' ellipsoids lie outside the masks."""
    centre = torch.einsum("vij,ej->vei", flat, shape.ellipsoids().centre) + shift[:, None]
    grid = torch.stack([centre[..., 0], -centre[..., 1]], -1)[:, None]
    found = functional.grid_sample(fields, grid, padding_mode="border", align_corners=False)[:, 0, 0]
    beyond = (centre.abs() - 1).clamp_min(0).sum(-1)
    return ((found + 0.01).clamp_min(0) + beyond).mean() * 10


def _unlikely(shape: Shape, cameras: Cameras) -> Tensor:
    """How far all this is from the template and from what is known of the cameras."""
    smooth = (shape.thick[:, 1:] - shape.thick[:, :-1]) ** 2
    return (
        0.02 * cameras.doubt()
        + 0.3 * (shape.move**2).mean()
        + 1.0 * (shape.step**2).mean()
        + 0.02 * (shape.thick**2).mean()
        + 0.02 * smooth.mean()
        + 0.05 * (shape.bulge**2).mean()
    )


def _fold(shape: Shape, cameras: Cameras) -> None:
    """Nothing to gain from a size that every photo agrees on: leave it to the cameras, keep proportions."""
    with torch.no_grad():
        common = shape.size.mean()
        shape.size -= common
        cameras.scale += common


def _levelled(shape: Shape, cameras: Cameras, targets: Sequence[_Target]) -> Fitted:
    """Choose the level at which the silhouettes cover the masks best."""
    fields = [_grid(shape, cameras, i, target) for i, target in enumerate(targets)]
    scale = cameras.scale.exp().detach().numpy()
    totals = []
    for level in LEVELS:
        totals.append(
            [overlap(f < level * s, t.view.mask) for f, t, s in zip(fields, targets, scale, strict=True)]
        )
    best = int(np.argmax(np.mean(totals, axis=1)))
    return Fitted(shape, cameras.told(), float(LEVELS[best]), tuple(totals[best]))


def _grid(shape: Shape, cameras: Cameras, index: int, target: _Target) -> npt.NDArray[np.float32]:
    size = target.away.shape[0]
    rows, columns = np.mgrid[:size, :size]
    x, y = place(columns, rows, size)
    points = torch.tensor(np.stack([x.ravel(), y.ravel()], -1), dtype=torch.float32)
    with torch.no_grad():
        flat = cameras.flat()[index : index + 1]
        shift = cameras.shift[index : index + 1]
        pieces = [silhouettes(shape, flat, shift, p[None])[0] for p in points.split(16_384)]
    return torch.cat(pieces).reshape(size, size).numpy()


def overlap(a: Mask, b: Mask) -> float:
    """Intersection over union."""
    either = np.count_nonzero(a | b)
    return float(np.count_nonzero(a & b) / either) if either else 0.0
