"""Meshes drawn as pictures: triangles from back to front. Orthographic, twice as fine and averaged."""

import cv2
import numpy as np
import numpy.typing as npt

from training.clone.looks.camera import Camera, matrix
from training.clone.looks.skeleton import Array
from training.clone.looks.surface import Mesh

FINER = 2
_SHIFT = 4
"""Bits of a pixel that OpenCV keeps"""


def seen(vertices: Array, camera: Camera) -> Array:
    """(N, 3): x, y in -1..1 and the depth towards the camera, in the same unit."""
    turn, shift = matrix(camera)
    flat = vertices @ turn.numpy().astype(float).T
    flat[:, :2] += shift.numpy()
    return flat


def silhouette(mesh: Mesh, camera: Camera, size: int) -> npt.NDArray[np.bool_]:
    picture = np.zeros((size * FINER, size * FINER), np.uint8)
    corners = _corners(seen(mesh.vertices, camera), size * FINER)
    for triangle in corners[mesh.faces]:
        cv2.fillConvexPoly(picture, triangle, 255, cv2.LINE_8, _SHIFT)
    return cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA) > 127


def owners(mesh: Mesh, camera: Camera, size: int) -> npt.NDArray[np.int64]:
    """(size, size): which triangle is seen there, -1 for none."""
    flat = seen(mesh.vertices, camera)
    order = np.argsort(flat[mesh.faces, 2].mean(1))
    corners = _corners(flat, size)
    picture = np.full((size, size), -1, np.int32)
    for face in order:
        cv2.fillConvexPoly(picture, corners[mesh.faces[face]], int(face), cv2.LINE_8, _SHIFT)
    return picture.astype(np.int64)


def colours(
    mesh: Mesh, of_vertices: Array, camera: Camera, size: int, light: Array | None = None, ground: float = 1.0
) -> npt.NDArray[np.uint8]:
    """(size, size, 3) RGB of `of_vertices` (N, 3) 0..1; `light` (3,) points to the lamp, None: no shade."""
    fine = size * FINER
    owner = owners(mesh, camera, fine)
    shade = np.ones(len(mesh.vertices))
    if light is not None:
        shade = 0.55 + 0.45 * np.clip(mesh.normals @ (light / np.linalg.norm(light)), -1, 1)
    face = (of_vertices * shade[:, None])[mesh.faces].mean(1)
    picture = np.full((fine, fine, 3), ground)
    picture[owner >= 0] = face[owner[owner >= 0]]
    small = cv2.resize(picture.astype(np.float32), (size, size), interpolation=cv2.INTER_AREA)
    return (np.clip(small, 0, 1) * 255).round().astype(np.uint8)


def _corners(flat: Array, size: int) -> npt.NDArray[np.int32]:
    pixel = np.stack([(flat[:, 0] + 1) * size / 2 - 0.5, (1 - flat[:, 1]) * size / 2 - 0.5], -1)
    return np.round(pixel * (1 << _SHIFT)).astype(np.int32)
