"""Animals that never lived, to measure with and to show: exact ground truth from a seed.

They are not of the model's own kind alone: a smooth swelling that no ellipsoid follows lies over each.
"""

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch

from training.clone.looks import draw
from training.clone.looks.camera import Camera
from training.clone.looks.palette import NAMES
from training.clone.looks.shape import Shape
from training.clone.looks.skeleton import Array
from training.clone.looks.surface import Mesh, polygonise

SWELLING = 0.012
COATS = {name: colour for name, colour in NAMES.items() if name not in ("blue grey", "golden")}
PATTERNS = ("solid", "bicolour", "tabby", "spotted")


def animal(seed: int) -> Mesh:
    """A random standing quadruped, its trunk about 1 long."""
    chance = torch.Generator().manual_seed(seed)
    shape = Shape()
    with torch.no_grad():
        for values, spread in (
            (shape.size, 0.12),
            (shape.move, 0.04),
            (shape.step, 0.015),
            (shape.thick, 0.10),
            (shape.bulge, 0.08),
        ):
            values.copy_(torch.randn(values.shape, generator=chance) * spread)
        shape.thick += torch.randn(1, generator=chance) * 0.12
    mesh = polygonise(shape, 0.0)
    rng = np.random.default_rng(seed)
    waves = rng.normal(0, 4, (6, 3))
    swell = np.sin(mesh.vertices @ waves.T + rng.uniform(0, 6.3, 6)).sum(1) / 6**0.5
    return Mesh(mesh.vertices + SWELLING * swell[:, None] * mesh.normals, mesh.faces)


def coat(mesh: Mesh, pattern: str, first: str, second: str, seed: int) -> Array:
    """(N, 3) sRGB 0..1 of each vertex."""
    rng = np.random.default_rng(seed)
    ground, other = (np.array(COATS[name]) / 255 for name in (first, second))
    x, _, z = mesh.vertices.T
    if pattern == "solid":
        share = np.zeros(len(x))
    elif pattern == "bicolour":
        low = z.min() + (z.max() - z.min()) * rng.uniform(0.42, 0.5)
        share = 1 / (1 + np.exp((z - low) * 60))
    elif pattern == "tabby":
        share = 1 / (1 + np.exp(-8 * np.sin(2 * np.pi * x * rng.uniform(4, 6) + 0.6 * np.sin(5 * z))))
    else:
        spots = mesh.vertices[rng.choice(len(x), 26)]
        near = np.min([np.linalg.norm(mesh.vertices - s, axis=1) for s in spots], axis=0)
        share = 1 / (1 + np.exp((near - 0.075) * 120))
    return ground + share[:, None] * (other - ground)


def write_photos(folder: Path, seed: int, size: int = 480) -> Mesh:
    """Four photos of a made-up animal on a lawn under a plain wall, as `left.jpg`, `front.jpg` and so on."""
    rng = np.random.default_rng(seed)
    mesh = framed(animal(seed))
    colours = coat(mesh, "bicolour", "red", "white", seed)
    folder.mkdir(parents=True, exist_ok=True)
    for name, yaw in {"left": 90, "front": 0, "yaw225": 225, "yaw-60": -60}.items():
        camera = Camera(yaw + rng.uniform(-6, 6), 5 + rng.uniform(-3, 3))
        picture = draw.colours(mesh, colours, camera, size, np.array([0.3, 0.4, 1.0]))
        inside = draw.silhouette(mesh, camera, size)
        scene = _meadow(size, rng)
        scene[inside] = picture[inside]
        noisy = np.clip(scene + rng.normal(0, 4, scene.shape), 0, 255).astype(np.uint8)
        cv2.imwrite(str(folder / f"{name}.jpg"), noisy[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 92])
    return mesh


def framed(mesh: Mesh) -> Mesh:
    """Longest side 1.6, middle at 0, so that every camera of scale 0.6 sees all of it."""
    low, high = mesh.vertices.min(0), mesh.vertices.max(0)
    return Mesh((mesh.vertices - (low + high) / 2) * 1.6 / (high - low).max(), mesh.faces)


def _meadow(size: int, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    rough = cv2.GaussianBlur(rng.normal(0, 60, (size, size)), (0, 0), 2)[..., None]
    green, wall = np.array([92.0, 138.0, 66.0]), np.array([176.0, 190.0, 204.0])
    ground = np.where(np.arange(size)[:, None, None] > size * 0.55, green, wall)
    return np.broadcast_to(ground, (size, size, 3)) + rough
