"""Every usable photo with its mask, close up about the animal: what fit and paint work on."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from runtime.contracts.errors import CloneError
from training.clone.looks import intake
from training.clone.looks.fit import Mask
from training.clone.looks.masks import Clicks, cut_out
from training.clone.steps import Work

CUTS = "cuts.json"
LOST = "nothing was found on it; click on the animal"


@dataclass(frozen=True, slots=True)
class Cut:
    """A photo with its mask."""

    name: str
    picture: intake.Picture
    mask: Mask
    yaw_deg: float | None
    way: tuple[float, float, float]
    """From the photo's frame into this picture: scale, shift right, shift down"""
    box: tuple[int, int, int, int]
    """The photo in its frame"""

    def share(self, column: float, row: float) -> tuple[float, float]:
        """A pixel of this picture as shares of the photo."""
        scale, right, down = self.way
        x, y, width, height = self.box
        at = ((column - right) / scale - x) / width, ((row - down) / scale - y) / height
        return round(min(max(at[0], 0.0), 1.0), 4), round(min(max(at[1], 0.0), 1.0), 4)


def cut_masks(work: Work) -> None:
    """`NAME.png` in its frame and `NAME.mask.png`, for every usable photo; `cuts.json` names them."""
    usable = [photo for photo in intake.photos(work.pet) if photo.usable]
    if not usable:
        raise CloneError("no photo can be used; everpaw clone check tells what is wrong with each")
    told: list[dict[str, Any]] = []
    for number, photo in enumerate(usable, 1):
        assert photo.picture is not None
        mask = cut_out(photo.picture, photo.box, Clicks.beside(photo.path))
        work.progress(number / len(usable))
        if np.count_nonzero(mask) < 0.01 * mask.size:
            told.append({"name": photo.path.name, "why": LOST})
            continue
        picture, mask, way = _close_up(photo.picture, mask)
        cv2.imwrite(str(work.out / f"{photo.path.name}.png"), picture[..., ::-1])
        cv2.imwrite(str(work.out / f"{photo.path.name}.mask.png"), mask.astype(np.uint8) * 255)
        yaw = intake.told_yaw(photo.path)
        told.append({"name": photo.path.name, "yaw_deg": yaw, "way": way, "box": photo.box})
    (work.out / CUTS).write_text(json.dumps(told, indent=1) + "\n")


def _close_up(picture: intake.Picture, mask: Mask) -> tuple[intake.Picture, Mask, tuple[float, ...]]:
    """Both cut square about the animal, with room around it, at the frame's full size; the way there."""
    rows, columns = np.nonzero(mask)
    side = 1.3 * max(np.ptp(rows), np.ptp(columns)) + 8
    middle = (columns.min() + columns.max()) / 2, (rows.min() + rows.max()) / 2
    share = intake.FRAME / side
    shift = [intake.FRAME / 2 - share * at for at in middle]
    way = np.array([[share, 0, shift[0]], [0, share, shift[1]]])
    size = (intake.FRAME, intake.FRAME)
    near = cv2.warpAffine(picture, way, size, flags=cv2.INTER_LINEAR, borderValue=(128, 128, 128))
    inside = cv2.warpAffine(mask.astype(np.uint8) * 255, way, size, flags=cv2.INTER_LINEAR)
    return near, inside > 127, (float(share), *(float(v) for v in shift))


def cuts(folder: Path) -> list[Cut]:
    found = []
    for row in json.loads((folder / CUTS).read_text()):
        if "why" not in row:
            picture = cv2.imread(str(folder / f"{row['name']}.png"))[..., ::-1]
            mask = cv2.imread(str(folder / f"{row['name']}.mask.png"), cv2.IMREAD_GRAYSCALE) > 127
            way, box = tuple(row["way"]), tuple(row["box"])
            found.append(Cut(row["name"], np.ascontiguousarray(picture), mask, row["yaw_deg"], way, box))
    return found
