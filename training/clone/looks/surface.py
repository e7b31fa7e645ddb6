"""A surface of triangles out of the field, and how much of each vertex each joint of the robot moves."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from skimage import measure

from training.clone.looks.shape import Shape, distance
from training.clone.looks.skeleton import Array

CELLS = 72
"""Along the longest side"""
BLEND = 0.03


@dataclass(frozen=True, slots=True)
class Mesh:
    vertices: Array
    """(N, 3)"""
    faces: npt.NDArray[np.int64]
    """(M, 3), counter-clockwise from outside"""

    @property
    def normals(self) -> Array:
        """(N, 3) of unit length, weighted by the triangles' sizes."""
        a, b, c = (self.vertices[self.faces[:, i]] for i in range(3))
        flat = np.cross(b - a, c - a)
        total = np.zeros_like(self.vertices)
        for i in range(3):
            np.add.at(total, self.faces[:, i], flat)
        return total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-12)

    @property
    def diagonal(self) -> float:
        return float(np.linalg.norm(np.ptp(self.vertices, axis=0)))


def polygonise(shape: Shape, level: float, cells: int = CELLS) -> Mesh:
    """Marching cubes over the ellipsoids' box; the largest piece alone."""
    with torch.no_grad():
        solid = shape.ellipsoids()
        reach = torch.diagonal(solid.spread, dim1=1, dim2=2).sqrt()
        low = (solid.centre - reach).amin(0).numpy() - 0.08
        high = (solid.centre + reach).amax(0).numpy() + 0.08
        step = float((high - low).max()) / cells
        counts = np.ceil((high - low) / step).astype(int) + 1
        grid = np.stack(np.meshgrid(*(np.arange(n) for n in counts), indexing="ij"), -1)
        points = torch.tensor(low + step * grid.reshape(-1, 3), dtype=torch.float32)
        inverse = torch.linalg.inv(solid.spread)
        pieces = [distance(p, solid.centre, inverse, BLEND) for p in points.split(20_000)]
    field = torch.cat(pieces).reshape(*counts).numpy()
    vertices, faces, _, _ = measure.marching_cubes(field, level, spacing=(step, step, step))
    return largest(Mesh(vertices.astype(float) + low, faces.astype(np.int64)))


def largest(mesh: Mesh) -> Mesh:
    """The connected piece with most triangles."""
    from scipy import sparse
    from scipy.sparse.csgraph import connected_components

    n = len(mesh.vertices)
    edges = np.concatenate([mesh.faces[:, [0, 1]], mesh.faces[:, [1, 2]]])
    graph = sparse.coo_matrix((np.ones(len(edges)), (edges[:, 0], edges[:, 1])), (n, n))
    _, piece = connected_components(graph, directed=False)
    keep = piece == np.bincount(piece[mesh.faces[:, 0]]).argmax()
    new = np.cumsum(keep) - 1
    return Mesh(mesh.vertices[keep], new[mesh.faces[keep[mesh.faces[:, 0]]]])
