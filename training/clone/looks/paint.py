"""Colours for a surface from the photos: what was seen, what its mirror image shows, what is guessed.

Each vertex takes the mean of the photos that see it, weighted by cos^3 of the angle. Colours are sRGB 0..1.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from training.clone.looks import draw
from training.clone.looks.camera import Camera, matrix
from training.clone.looks.fit import Mask
from training.clone.looks.skeleton import Array
from training.clone.looks.surface import Mesh

SEEN, MIRRORED, GUESSED = 0, 1, 2
DRAWN = 256
BEHIND = 0.02
"""A vertex this far behind what is drawn there is hidden; half frames"""
GRAZING = 0.15
RIM = 3
"""Pixels at a mask's edge that may be of what lies behind"""
MIRROR_WITHIN = 0.08
"""A mirrored vertex must have a seen one this near, as a share of the trunk"""
DIMMEST, BRIGHTEST = 0.2, 1.15
"""Light that is believed"""
LIGHT_ROUNDS, KINDS, FULLY_LIT = 4, 4, 0.97


@dataclass(frozen=True, slots=True)
class Photo:
    picture: npt.NDArray[np.uint8]
    """(S, S, 3) RGB"""
    mask: Mask
    """(S, S)"""
    camera: Camera


@dataclass(frozen=True, slots=True)
class Paint:
    colours: Array
    """(N, 3)"""
    origin: npt.NDArray[np.int64]
    """(N,) SEEN, MIRRORED or GUESSED"""

    def share(self, origin: int) -> float:
        return float(np.mean(self.origin == origin))


def paint(mesh: Mesh, photos: Sequence[Photo], lit: bool) -> Paint:
    """`lit`: the photos have shade and exposures of their own, which are evened out first."""
    found = [_looked(mesh, photo) for photo in photos]
    colours, weights = np.stack([c for c, _ in found]), np.stack([w for _, w in found])
    if lit:
        colours = _evened(mesh, colours, weights)
    total = weights.sum(0)
    mixed = (colours * weights[..., None]).sum(0) / np.maximum(total, 1e-9)[:, None]
    return _filled(mesh, mixed, total > 1e-3)


def _looked(mesh: Mesh, photo: Photo) -> tuple[Array, Array]:
    """Colour of each vertex in one photo (N, 3), and how far that is to be believed (N,)."""
    size = len(photo.mask)
    flat = draw.seen(mesh.vertices, photo.camera)
    towards = matrix(photo.camera)[0].numpy()[2]
    facing = np.clip(mesh.normals @ (towards / np.linalg.norm(towards)), 0, 1)
    owner = draw.owners(mesh, photo.camera, DRAWN)
    depth = np.full((DRAWN, DRAWN), -np.inf)
    depth[owner >= 0] = flat[mesh.faces[owner[owner >= 0]], 2].mean(1)
    row, column = _pixel(flat, DRAWN)
    hidden = flat[:, 2] < depth[row, column] - BEHIND
    believed = cv2.erode(photo.mask.astype(np.uint8), np.ones((2 * RIM + 1, 2 * RIM + 1), np.uint8)) > 0
    row, column = _pixel(flat, size)
    sure = believed[row, column] & ~hidden & (facing > GRAZING)
    soft = cv2.GaussianBlur(photo.picture, (0, 0), size / 512 + 0.3)
    return soft[row, column] / 255.0, np.where(sure, facing**3, 0.0)


def _pixel(flat: Array, size: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    column = np.clip(((flat[:, 0] + 1) * size / 2).astype(int), 0, size - 1)
    return np.clip(((1 - flat[:, 1]) * size / 2).astype(int), 0, size - 1), column


def _evened(mesh: Mesh, colours: Array, weights: Array) -> Array:
    """Each photo divided by its own light: brightness is one level a kind of coat, times a light a photo.

    The kinds are clusters of hue, which light does not change; the light is a linear function of the normal
    (first-order SH). Levels and lights are fitted in turn. What light is full no photo tells: the brightest
    of what is seen is taken to be fully lit.
    """
    basis = np.column_stack([np.ones(len(mesh.vertices)), mesh.normals])
    level = np.maximum(colours.mean(-1), 0.01)  # (V, N)
    kind = _kinds(colours, weights)
    known = [i for i, weight in enumerate(weights) if np.count_nonzero(weight) >= 50]
    if not known:
        return colours
    light = np.ones_like(level)
    for _ in range(LIGHT_ROUNDS):
        albedo = _levels(level, light, weights, kind)
        for i in known:
            light[i] = _light(basis, level[i] / albedo, weights[i] * albedo**2)
        seen = weights[known] > 1e-3
        light /= float(np.quantile(light[known][seen], FULLY_LIT))
    return np.clip(colours / np.clip(light, DIMMEST, BRIGHTEST)[..., None], 0, 1)


def _kinds(colours: Array, weights: Array) -> npt.NDArray[np.int64]:
    """(N,) which of KINDS hues each vertex has; -1 where it was not seen."""
    total = weights.sum(0)
    mean = (colours * weights[..., None]).sum(0) / np.maximum(total, 1e-9)[:, None]
    seen = total > 1e-3
    log = np.log(np.maximum(mean[seen], 0.02))
    hue = np.column_stack([log[:, 0] - log[:, 1], log[:, 2] - log[:, 1]]).astype(np.float32)
    kind = np.full(len(total), -1)
    if len(hue):
        stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 30, 1e-3)
        cv2.setRNGSeed(1)
        _, label, _ = cv2.kmeans(hue, min(KINDS, len(hue)), None, stop, 3, cv2.KMEANS_PP_CENTERS)
        kind[seen] = label.ravel()
    return kind


def _levels(level: Array, light: Array, weights: Array, kind: npt.NDArray[np.int64]) -> Array:
    """(N,) the one brightness of each vertex's kind."""
    out = np.ones(level.shape[1])
    for k in range(int(kind.max(initial=-1)) + 1):
        mine = kind == k
        found = (level[:, mine] / light[:, mine])[weights[:, mine] > 1e-3]
        out[mine] = float(np.median(found)) if len(found) else 1.0
    return out


def _light(basis: Array, ratio: Array, weight: Array) -> Array:
    """(N,) brightness by the level of the coat as a linear function of the normal, from what was seen."""
    root = np.sqrt(weight)[:, None]
    prior = np.diag([1e-6, 1.0, 1.0, 1.0]) * 0.02 * weight.sum()
    left = (basis * root).T @ (basis * root) + prior
    fitted = np.linalg.solve(left, (basis * weight[:, None]).T @ ratio)
    return np.maximum(basis @ fitted, 0.05)


def _filled(mesh: Mesh, colours: Array, seen: npt.NDArray[np.bool_]) -> Paint:
    origin = np.full(len(seen), GUESSED)
    origin[seen] = SEEN
    out = colours.copy()
    if not seen.any():
        return Paint(np.full_like(out, 0.5), origin)
    tree, source = cKDTree(mesh.vertices[seen]), colours[seen]
    dark = np.flatnonzero(~seen)
    away, nearest = tree.query(mesh.vertices[dark] * [1, -1, 1])
    near = away < MIRROR_WITHIN
    out[dark[near]], origin[dark[near]] = source[nearest[near]], MIRRORED
    rest = dark[~near]
    if len(rest):
        _, nearest = tree.query(mesh.vertices[rest])
        out[rest] = source[nearest]
    return Paint(out, origin)
