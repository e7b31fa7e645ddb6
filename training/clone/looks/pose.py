"""Where a photo was taken from, if nobody says: the template is turned until its silhouette covers most."""

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from training.clone.looks import draw
from training.clone.looks.camera import Camera
from training.clone.looks.fit import Mask, overlap
from training.clone.looks.shape import Shape
from training.clone.looks.surface import polygonise

SIZE = 64
YAWS_DEG = tuple(float(y) for y in range(-180, 180, 15))
COARSE = 28


def bearings(masks: Sequence[Mask], told: Sequence[float | None]) -> list[float]:
    """Degrees for each mask: what is told, or what fits best.

    A side is told from its mirror image by head and tail, a front from a back hardly.
    """
    if all(yaw is not None for yaw in told):
        return [float(yaw) for yaw in told if yaw is not None]
    mesh = polygonise(Shape(), 0.0, COARSE)
    shapes = [_boxed(draw.silhouette(mesh, Camera(yaw, 5.0, y=-0.4), 2 * SIZE)) for yaw in YAWS_DEG]
    return [_best(mask, shapes) if yaw is None else float(yaw) for mask, yaw in zip(masks, told, strict=True)]


def _best(mask: Mask, shapes: Sequence[Mask]) -> float:
    boxed = _boxed(mask)
    return YAWS_DEG[int(np.argmax([overlap(boxed, shape) for shape in shapes]))]


def _boxed(mask: Mask) -> Mask:
    """Its longest side over the whole of a small square, feet at the lower edge."""
    rows, columns = np.nonzero(mask)
    piece: npt.NDArray[np.uint8] = mask[
        rows.min() : rows.max() + 1, columns.min() : columns.max() + 1
    ].astype(np.uint8)
    share = SIZE / max(piece.shape)
    width, height = (max(round(n * share), 1) for n in (piece.shape[1], piece.shape[0]))
    small = cv2.resize(piece * 255, (width, height), interpolation=cv2.INTER_AREA) > 127
    out = np.zeros((SIZE, SIZE), np.bool_)
    left = (SIZE - width) // 2
    out[SIZE - height :, left : left + width] = small
    return out
