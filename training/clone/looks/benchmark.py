"""How well shape and colours come back: the Fox and random animals, four clean masks, cameras known roughly.

    python -m training.clone.looks.benchmark --animals 20 --json build/looks.json

Unseen views are drawn by the true cameras; the fit's own frame is brought to the truth's by the one
similarity that makes its cameras the true ones, no shape is looked at. Beside it, a visual hull that is given
the true cameras. Seconds are of the processor, on one thread.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from scipy.spatial import cKDTree
from skimage import color, measure

from runtime.pace import Pace
from training.clone.looks import draw, example, glb
from training.clone.looks.camera import Camera, matrix
from training.clone.looks.fit import Fitted, Mask, View, fit, overlap
from training.clone.looks.paint import Photo, paint
from training.clone.looks.skeleton import Array
from training.clone.looks.surface import Mesh, polygonise

SIZE, HELD_SIZE = 256, 512
YAWS_DEG = (90.0, 20.0, 225.0, -60.0)
TURN_DEG, TILT_DEG = 8.0, 4.0
HELD = [(float(yaw), float(pitch)) for pitch in (0, 20) for yaw in range(5, 365, 30)]
POINTS = 4_000
SCALE = 1.1
"""Of the cameras: the animal takes up most of its frame"""


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    iou: float
    iou_worst: float
    hull_iou: float
    hull_worst: float
    chamfer: float
    """Mean of both ways, as a share of the box's diagonal"""
    hull_chamfer: float
    delta_e: float
    delta_e_lit: float
    delta_ab_lit: float
    seconds: float
    own_iou: float
    """On the masks that were given"""


def fox(path: Path) -> Mesh:
    """The rigged Fox as it stands in its file."""
    tree, blob = glb.read(path)
    accessor = tree["accessors"][tree["meshes"][0]["primitives"][0]["attributes"]["POSITION"]]
    start = tree["bufferViews"][accessor["bufferView"]].get("byteOffset", 0) + accessor.get("byteOffset", 0)
    raw = np.frombuffer(blob, np.float32, accessor["count"] * 3, start).reshape(-1, 3)
    places, index = np.unique(raw.round(4), axis=0, return_inverse=True)
    return Mesh(places[:, [2, 0, 1]].astype(float), index.reshape(-1, 3).astype(np.int64))


def measured(name: str, mesh: Mesh, coat: Array, seed: int) -> Row:
    rng = np.random.default_rng(seed)
    true = [
        Camera(yaw + rng.uniform(-TURN_DEG, TURN_DEG), 5 + rng.uniform(-TILT_DEG, TILT_DEG), scale=SCALE)
        for yaw in YAWS_DEG
    ]
    masks = [draw.silhouette(mesh, camera, SIZE) for camera in true]
    began = time.process_time()
    fitted = fit([View(mask, yaw) for mask, yaw in zip(masks, YAWS_DEG, strict=True)], seed)
    own = polygonise(fitted.shape, fitted.level)
    seconds = time.process_time() - began
    scale, turn, shift = alignment(own, fitted.cameras, true)
    moved = Mesh(scale * own.vertices @ turn.T + shift, own.faces)
    hull = visual_hull(masks, true)
    held = [Camera(yaw, pitch, scale=SCALE) for yaw, pitch in HELD]
    ious, hull_ious = _held(moved, mesh, held), _held(hull, mesh, held)
    plain = _delta_e(own, moved, mesh, coat, fitted, masks, true, None)
    lit = _delta_e(own, moved, mesh, coat, fitted, masks, true, rng)
    return Row(
        name, float(np.mean(ious)), min(ious), float(np.mean(hull_ious)), min(hull_ious),
        chamfer(moved, mesh), chamfer(hull, mesh), plain[0], lit[0], lit[1], seconds,
        float(np.mean(fitted.overlaps)),
    )  # fmt: skip


def _held(found: Mesh, true: Mesh, cameras: list[Camera]) -> list[float]:
    pairs = ((draw.silhouette(found, c, HELD_SIZE), draw.silhouette(true, c, HELD_SIZE)) for c in cameras)
    return [overlap(a, b) for a, b in pairs]


def alignment(mesh: Mesh, found: tuple[Camera, ...], true: list[Camera]) -> tuple[float, Array, Array]:
    """Scale, turn and shift from the fit's frame to the truth's, by the cameras alone (Umeyama)."""
    seen = np.concatenate([draw.seen(mesh.vertices, c)[:, :2].T for c in found])  # (2V, N)
    rows = [matrix(c) for c in true]
    left = np.concatenate([turn.numpy()[:2] for turn, _ in rows]).astype(float)
    right = seen - np.concatenate([shift.numpy() for _, shift in rows])[:, None]
    target = np.linalg.lstsq(left, right, rcond=None)[0].T
    a, b = mesh.vertices - mesh.vertices.mean(0), target - target.mean(0)
    u, s, vt = np.linalg.svd(b.T @ a)
    sign = np.diag([1, 1, np.sign(np.linalg.det(u @ vt))])
    turn, scale = u @ sign @ vt, float(np.trace(np.diag(s) @ sign) / (a**2).sum())
    return scale, turn, target.mean(0) - scale * turn @ mesh.vertices.mean(0)


def visual_hull(masks: list[Mask], cameras: list[Camera], cells: int = 96) -> Mesh:
    """All that lies inside every mask, by the cameras given."""
    side = np.linspace(-1, 1, cells)
    grid = np.stack(np.meshgrid(side, side, side, indexing="ij"), -1).reshape(-1, 3)
    inside = np.ones(len(grid), bool)
    for mask, camera in zip(masks, cameras, strict=True):
        flat = draw.seen(grid, camera)
        column, row = ((flat[:, 0] + 1) * SIZE / 2).astype(int), ((1 - flat[:, 1]) * SIZE / 2).astype(int)
        within = (column >= 0) & (column < SIZE) & (row >= 0) & (row < SIZE)
        inside &= within & mask[row.clip(0, SIZE - 1), column.clip(0, SIZE - 1)]
    step = 2 / (cells - 1)
    field = inside.reshape(cells, cells, cells).astype(float)
    vertices, faces, _, _ = measure.marching_cubes(field, 0.5, spacing=(step, step, step))
    return Mesh(vertices.astype(float) - 1, faces.astype(np.int64))


def chamfer(a: Mesh, b: Mesh) -> float:
    first, second = _points(a), _points(b)
    there, back = cKDTree(second).query(first)[0].mean(), cKDTree(first).query(second)[0].mean()
    return float((there + back) / 2 / b.diagonal)


def _points(mesh: Mesh) -> Array:
    """Evenly over the surface, always the same."""
    rng = np.random.default_rng(0)
    a, b, c = (mesh.vertices[mesh.faces[:, i]] for i in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    pick = rng.choice(len(area), POINTS, p=area / area.sum())
    u, v = rng.random((2, POINTS, 1))
    u, v = np.where(u + v > 1, 1 - u, u), np.where(u + v > 1, 1 - v, v)
    return a[pick] + u * (b - a)[pick] + v * (c - a)[pick]


def _delta_e(
    own: Mesh, moved: Mesh, mesh: Mesh, coat: Array, fitted: Fitted, masks: list[Mask], true: list[Camera],
    rng: np.random.Generator | None,
) -> tuple[float, float]:  # fmt: skip
    """CIEDE2000, and the distance in a and b alone, where both are drawn, all around; with `rng` by lamps."""
    lamps = [None if rng is None else np.array([rng.normal(), rng.normal(), 1.5]) for _ in true]
    photos = [
        Photo(draw.colours(mesh, coat, c, SIZE, lamp), mask, own_camera)
        for c, mask, own_camera, lamp in zip(true, masks, fitted.cameras, lamps, strict=True)
    ]
    painted = paint(own, photos, lit=rng is not None)
    total, total_ab = [], []
    for yaw in range(0, 360, 45):
        camera = Camera(float(yaw), 10.0, scale=SCALE)
        both = draw.silhouette(moved, camera, SIZE) & draw.silhouette(mesh, camera, SIZE)
        mine, theirs = (
            color.rgb2lab(draw.colours(m, c, camera, SIZE)[both][None])
            for m, c in ((moved, painted.colours), (mesh, coat))
        )
        total.append(color.deltaE_ciede2000(mine, theirs).mean())
        total_ab.append(np.linalg.norm((mine - theirs)[..., 1:], axis=-1).mean())
    return float(np.mean(total)), float(np.mean(total_ab))


def subjects(count: int, seed: int) -> Iterator[tuple[str, Mesh, Array]]:
    """The Fox, where the data is there, then random animals."""
    folder = os.environ.get("EVERPAW_DATA")
    if folder and (path := Path(folder) / "mesh" / "Fox.glb").is_file():
        mesh = example.framed(fox(path))
        yield "Fox", mesh, example.coat(mesh, "bicolour", "red", "white", seed)
    names = list(example.COATS)
    for number in range(count):
        rng = np.random.default_rng([seed, number])
        mesh = example.framed(example.animal(1_000 * seed + number))
        first, second = rng.choice(names, 2, replace=False)
        pattern = example.PATTERNS[number % len(example.PATTERNS)]
        yield f"animal {number}", mesh, example.coat(mesh, pattern, first, second, number)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m training.clone.looks.benchmark", description=__doc__)
    parser.add_argument("--animals", type=int, default=20)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", type=Path, help="rows to write")
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    rows: list[Row] = []
    pace = Pace(args.animals + 1)
    for number, (name, mesh, coat) in enumerate(subjects(args.animals, args.seed), 1):
        rows.append(measured(name, mesh, coat, args.seed + number))
        print(f"{rows[-1]}; {pace.left(number)}", file=sys.stderr, flush=True)
        if args.json:
            args.json.parent.mkdir(parents=True, exist_ok=True)
            args.json.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")
    print(f"{'':<10}" + "".join(f"{key:>15}" for key in asdict(rows[0]) if key != "name"))
    for title, some in (
        ("Fox", [r for r in rows if r.name == "Fox"]),
        ("animals", [r for r in rows if r.name != "Fox"]),
    ):
        if some:
            print(f"{title:<10}" + "".join(_cell(key, some) for key in asdict(rows[0]) if key != "name"))
    return 0


def _cell(key: str, rows: list[Row]) -> str:
    values: npt.NDArray[np.float64] = np.array([getattr(row, key) for row in rows])
    found = values.min() if key.endswith("worst") else values.mean()
    return f"{found:>15.4f}"


if __name__ == "__main__":
    sys.exit(main())
