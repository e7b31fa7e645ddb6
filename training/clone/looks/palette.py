"""The coat in words: named colours with their shares, and the pattern, from what was seen of the surface.

Colours are clusters in Lab (k-means), each named by the nearest of a table of coat colours (CIEDE2000).
"""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt
from skimage import color

from training.clone.looks.paint import SEEN, Paint
from training.clone.looks.skeleton import Array
from training.clone.looks.surface import Mesh

Pattern = Literal["solid", "bicolour", "tricolour", "spotted", "striped"]
NAMES = {
    "black": (35, 33, 34),
    "chocolate": (84, 56, 40),
    "red": (150, 84, 44),
    "fawn": (196, 154, 108),
    "cream": (232, 214, 180),
    "white": (240, 238, 232),
    "grey": (128, 128, 132),
    "blue grey": (88, 96, 108),
    "golden": (206, 160, 84),
}
MOST = 5
SAME_DELTA_E = 9.0
LEAST_SHARE = 0.06
PATCHES = 6
"""From so many separate patches of the second colour on a coat is spotted or striped"""
STRIPE = 2.4
"""Length of a patch by its width"""


@dataclass(frozen=True, slots=True)
class Colour:
    name: str
    rgb: tuple[int, int, int]
    share: float


@dataclass(frozen=True, slots=True)
class Coat:
    colours: tuple[Colour, ...]
    pattern: Pattern


def coat_of(mesh: Mesh, paint: Paint) -> Coat:
    seen = paint.origin == SEEN
    lab = color.rgb2lab(paint.colours[None])[0]
    centres, label = _clusters(lab[seen])
    whole = np.full(len(lab), -1)
    whole[seen] = label
    shares = np.bincount(label, minlength=len(centres)) / len(label)
    order = np.argsort(-shares)
    colours = tuple(_named(centres[i], float(shares[i])) for i in order if shares[i] >= LEAST_SHARE)
    return Coat(colours, _pattern(mesh, whole, order, len(colours)))


def _clusters(lab: Array) -> tuple[Array, npt.NDArray[np.int64]]:
    """Centres (K, 3) and each one's cluster; what looks the same is one."""
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 40, 0.3)
    cv2.setRNGSeed(1)
    k = min(MOST, len(lab))
    _, label, centres = cv2.kmeans(lab.astype(np.float32), k, None, stop, 3, cv2.KMEANS_PP_CENTERS)
    label, centres = label.ravel().astype(np.int64), centres.astype(float)
    while len(centres) > 1:
        away = color.deltaE_ciede2000(centres[:, None], centres[None]) + 1e3 * np.eye(len(centres))
        a, b = sorted(int(i) for i in np.unravel_index(int(away.argmin()), away.shape))
        if away[a, b] >= SAME_DELTA_E:
            break
        label = np.where(label == b, a, label) - (label > b)
        centres = np.stack([np.median(lab[label == i], axis=0) for i in range(len(centres) - 1)])
    return centres, label


def _named(lab: Array, share: float) -> Colour:
    table = color.rgb2lab(np.array(list(NAMES.values()))[None] / 255.0)[0]
    name = list(NAMES)[int(color.deltaE_ciede2000(lab[None], table).argmin())]
    rgb = np.clip(color.lab2rgb(lab[None, None])[0, 0] * 255, 0, 255).round().astype(int)
    return Colour(name, (int(rgb[0]), int(rgb[1]), int(rgb[2])), round(share, 3))


def _pattern(mesh: Mesh, label: npt.NDArray[np.int64], order: npt.NDArray[np.int64], count: int) -> Pattern:
    """By how many patches the second colour lies in, and how long these are."""
    if count < 2:
        return "solid"
    patches = _patches(mesh, label == order[1])
    if len(patches) < PATCHES:
        return "tricolour" if count > 2 else "bicolour"
    longish = [_longer(mesh.vertices[patch]) for patch in patches]
    return "striped" if float(np.median(longish)) > STRIPE else "spotted"


def _patches(mesh: Mesh, inside: npt.NDArray[np.bool_]) -> list[npt.NDArray[np.int64]]:
    from scipy import sparse
    from scipy.sparse.csgraph import connected_components

    edges = np.concatenate([mesh.faces[:, [0, 1]], mesh.faces[:, [1, 2]], mesh.faces[:, [2, 0]]])
    edges = edges[inside[edges].all(1)]
    n = len(mesh.vertices)
    graph = sparse.coo_matrix((np.ones(len(edges)), (edges[:, 0], edges[:, 1])), (n, n))
    _, piece = connected_components(graph, directed=False)
    sizes = np.bincount(piece[inside], minlength=piece.max() + 1)
    return [np.flatnonzero((piece == i) & inside) for i in np.flatnonzero(sizes >= 0.002 * n)]


def _longer(points: Array) -> float:
    spread = np.sqrt(np.maximum(np.linalg.eigvalsh(np.cov(points.T)), 1e-9))
    return float(spread[2] / spread[1])
