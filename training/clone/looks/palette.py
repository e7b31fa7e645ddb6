"""The coat in words: named colours with their shares, and the pattern, from what was seen of the surface.

Colours are clusters in Lab (k-means), each named by the nearest of a table of coat colours (CIEDE2000).
"""

from dataclasses import dataclass
from itertools import combinations
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
SMALL_SHARE = 0.2
"""A smaller colour may be a shade of a larger one, or the seam between two"""
SHADED = 0.3
"""How much darker, as a share of the natural logarithm of brightness, a shade may be"""
BETWEEN_DELTA_E = 7.0
LIGHTNESS = 1.5
"""Brightness counts so much less than hue where a colour is named: nobody knows a photo's light"""
PATCHES = 6
"""From so many separate patches of the second colour on a coat is spotted or striped"""
STRIPE = 9.0
"""Length of a patch by its width, as `_stretch` measures it: mean over all, by their size"""


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
    centres, label = _by_name(*_plain(*_clusters(lab[seen])))
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


def _plain(centres: Array, label: npt.NDArray[np.int64]) -> tuple[Array, npt.NDArray[np.int64]]:
    """The same without small colours that are a shade of a larger one, or the seam between two larger."""
    count = np.bincount(label, minlength=len(centres)).astype(float)
    for i in np.argsort(count):
        larger = [int(j) for j in np.argsort(-count) if count[j] > count[i]]
        if count[i] / len(label) > SMALL_SHARE or not larger:
            continue
        home: int | None = next((j for j in larger if _is_shade(centres[i], centres[j])), None)
        if home is None and any(
            _between(centres[i], centres[a], centres[b]) for a, b in combinations(larger, 2)
        ):
            home = min(larger, key=lambda j: float(np.linalg.norm(centres[i] - centres[j])))
        if home is not None:
            label = np.where(label == i, home, label)
            count[home] += count[i]
            count[i] = 0
    kept = np.flatnonzero(count)
    new = np.zeros(len(centres), np.int64)
    new[kept] = np.arange(len(kept))
    return centres[kept], new[label]


def _by_name(centres: Array, label: npt.NDArray[np.int64]) -> tuple[Array, npt.NDArray[np.int64]]:
    """Colours that people call the same are one, as the larger of them looks."""
    order = np.argsort(-np.bincount(label, minlength=len(centres)))
    kept: dict[str, int] = {}
    for i in order:
        kept.setdefault(_named(centres[i], 0.0).name, int(i))
    places = {name: at for at, name in enumerate(kept)}
    home = np.array([places[_named(centre, 0.0).name] for centre in centres])
    return centres[list(kept.values())], home[label]


def _is_shade(one: Array, other: Array) -> bool:
    """The same hue, a little darker or brighter: all three parts by one factor."""
    rgb = np.clip(color.lab2rgb(np.stack([one, other])[None])[0], 0.02, 1)
    factor = np.log(rgb[0] / rgb[1])
    return bool(abs(factor.mean()) < SHADED and np.ptp(factor) < 0.12)


def _between(one: Array, a: Array, b: Array) -> bool:
    """On the way from `a` to `b`."""
    share = float(np.clip((one - a) @ (b - a) / max(float((b - a) @ (b - a)), 1e-9), 0, 1))
    near = a + share * (b - a)
    return 0.1 < share < 0.9 and float(color.deltaE_ciede2000(one, near)) < BETWEEN_DELTA_E


def _named(lab: Array, share: float) -> Colour:
    table = color.rgb2lab(np.array(list(NAMES.values()))[None] / 255.0)[0]
    name = list(NAMES)[int(color.deltaE_ciede2000(lab[None], table, kL=LIGHTNESS).argmin())]
    rgb = np.clip(color.lab2rgb(lab[None, None])[0, 0] * 255, 0, 255).round().astype(int)
    return Colour(name, (int(rgb[0]), int(rgb[1]), int(rgb[2])), round(share, 3))


def _pattern(mesh: Mesh, label: npt.NDArray[np.int64], order: npt.NDArray[np.int64], count: int) -> Pattern:
    """By how many patches the second colour lies in, and how long these are."""
    if count < 2:
        return "solid"
    patches = _patches(mesh, label == order[1])
    if len(patches) < PATCHES:
        return "tricolour" if count > 2 else "bicolour"
    stretched = [_stretch(mesh, patch) for patch in patches]
    mean = float(np.average(stretched, weights=[len(patch) for patch in patches]))
    return "striped" if mean > STRIPE else "spotted"


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


def _stretch(mesh: Mesh, patch: npt.NDArray[np.int64]) -> float:
    """Length of a patch by its width: 2 for a disc, for a stripe what it is, round a body too."""
    inside = np.zeros(len(mesh.vertices), np.bool_)
    inside[patch] = True
    corners = inside[mesh.faces]
    count = corners.sum(1)
    a, b, c = (mesh.vertices[mesh.faces[:, i]] for i in range(3))
    area = float((np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2 * count / 3).sum())
    edge = (count == 1) | (count == 2)
    places, odd = mesh.vertices[mesh.faces[edge]], corners[edge]
    odd = np.where((count[edge] == 1)[:, None], odd, ~odd)  # the one corner on the other side
    lone = places[odd]
    others = places[~odd].reshape(-1, 2, 3)
    edges = float(np.linalg.norm(others[:, 0] - others[:, 1], axis=1).sum()) / 2
    width = 2 * area / max(edges, 1e-9)
    return (edges / 2 - width) / max(width, 1e-9) if len(lone) else 1.0
