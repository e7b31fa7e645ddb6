"""Which pixels are the animal: GrabCut from a box, mended by clicks on what is wrong.

Clicks stand beside the photo, in `NAME.clicks.json`, as shares of the photo, 0..1 from its top left corner:
{"box": [x, y, w, h], "keep": [[x, y]], "away": [[x, y]]}. Each click is sure in a small disc.
"""

import json
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from runtime.contracts.errors import CloneError
from training.clone.looks.intake import Picture
from training.clone.profile import first_fault

Mask = npt.NDArray[np.bool_]
Box = tuple[int, int, int, int]
ROUNDS = 5
DISC = 0.012
MARGIN = 0.04
SMALL_HOLE = 0.0015
"""Of the frame; it is filled unless it was clicked away"""
MAX_BYTES = 100_000
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class Clicks(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    box: tuple[Share, Share, Share, Share] | None = None
    keep: Annotated[tuple[tuple[Share, Share], ...], Field(max_length=200)] = ()
    away: Annotated[tuple[tuple[Share, Share], ...], Field(max_length=200)] = ()

    @property
    def count(self) -> int:
        return len(self.keep) + len(self.away)

    @classmethod
    def beside(cls, photo: Path) -> "Clicks":
        """Those of a photo; none where there is no file, CloneError where it is not right."""
        path = clicks_file(photo)
        if not path.exists():
            return cls()
        try:
            if path.stat().st_size > MAX_BYTES:
                raise CloneError(f"{path}: more than {MAX_BYTES} bytes; delete it and click again")
            return cls.model_validate_json(path.read_bytes())
        except ValidationError as error:
            raise CloneError(f"{path}: {first_fault(error)}; delete it and click again") from error

    def save(self, photo: Path) -> None:
        path = clicks_file(photo)
        draft = path.with_name(f".{path.name}.new")
        draft.write_text(json.dumps(self.model_dump(exclude_defaults=True)) + "\n")
        draft.replace(path)


def clicks_file(photo: Path) -> Path:
    return photo.with_name(f"{photo.name}.clicks.json")


def cut_out(picture: Picture, photo_box: Box, clicks: Clicks) -> Mask:
    """(S, S): the animal in its frame. Seeded, so that the same clicks give the same mask."""
    size = len(picture)
    marks = np.full((size, size), cv2.GC_BGD, np.uint8)
    x, y, w, h = _inner(photo_box, clicks)
    marks[y : y + h, x : x + w] = cv2.GC_PR_FGD
    _mark(marks, clicks, photo_box)
    if not (marks == cv2.GC_BGD).any() or h < 2 or w < 2:
        return np.zeros((size, size), np.bool_)
    cv2.setRNGSeed(1)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    try:
        cv2.grabCut(picture[..., ::-1].copy(), marks, None, *models, ROUNDS, cv2.GC_INIT_WITH_MASK)
    except cv2.error:
        return np.zeros((size, size), np.bool_)
    mask = (marks == cv2.GC_FGD) | (marks == cv2.GC_PR_FGD)
    return _tidied(mask, clicks, photo_box)


def _inner(photo_box: Box, clicks: Clicks) -> Box:
    """The box of the animal; without one, the photo less a margin."""
    px, py, pw, ph = photo_box
    x, y, w, h = clicks.box or (MARGIN, MARGIN, 1 - 2 * MARGIN, 1 - 2 * MARGIN)
    left, top = px + round(x * pw), py + round(y * ph)
    return left, top, min(round(w * pw), px + pw - left), min(round(h * ph), py + ph - top)


def _mark(marks: npt.NDArray[np.uint8], clicks: Clicks, photo_box: Box) -> None:
    radius = max(round(DISC * len(marks)), 2)
    for points, sure in ((clicks.keep, cv2.GC_FGD), (clicks.away, cv2.GC_BGD)):
        for point in points:
            cv2.circle(marks, pixel(point, photo_box), radius, int(sure), -1)


def pixel(point: tuple[float, float], photo_box: Box) -> tuple[int, int]:
    x, y, w, h = photo_box
    return x + min(int(point[0] * w), w - 1), y + min(int(point[1] * h), h - 1)


def _tidied(mask: Mask, clicks: Clicks, photo_box: Box) -> Mask:
    """The largest piece and those that were clicked, without small holes."""
    smooth = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    for point in clicks.keep:
        smooth[pixel(point, photo_box)[::-1]] = 1
    count, pieces, stats, _ = cv2.connectedComponentsWithStats(smooth)
    if count < 2:
        return np.zeros_like(mask)
    keep = {1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())}
    for point in clicks.keep:
        column, row = pixel(point, photo_box)
        keep.add(int(pieces[row, column]))
    kept = np.isin(pieces, list(keep - {0}))
    holes, labels, stats, _ = cv2.connectedComponentsWithStats((~kept).astype(np.uint8))
    clicked = {int(labels[pixel(point, photo_box)[::-1]]) for point in clicks.away}
    small = [i for i in range(1, holes) if stats[i, cv2.CC_STAT_AREA] < SMALL_HOLE * mask.size]
    return kept | np.isin(labels, list(set(small) - clicked))


def corrective(picture: Picture, photo_box: Box, true: Mask, clicks: int) -> tuple[Mask, Clicks]:
    """What an owner would do who sees the truth: click the middle of the largest fault, again and again."""
    rows, columns = np.nonzero(true)
    px, py, pw, ph = photo_box
    left, top = (columns.min() - px) / pw, (rows.min() - py) / ph
    width, height = (np.ptp(columns) + 1) / pw, (np.ptp(rows) + 1) / ph
    box = tuple(float(np.clip(v, 0, 1)) for v in (left, top, width, height))
    told = Clicks.model_validate({"box": box})
    mask = cut_out(picture, photo_box, told)
    for _ in range(clicks):
        wrong = (mask != true).astype(np.uint8)
        depth = cv2.distanceTransform(wrong, cv2.DIST_L2, 5)
        row, column = np.unravel_index(int(depth.argmax()), depth.shape)
        point = (float(np.clip((column - px + 0.5) / pw, 0, 1)), float(np.clip((row - py + 0.5) / ph, 0, 1)))
        field = "keep" if true[row, column] else "away"
        told = told.model_copy(update={field: (*getattr(told, field), point)})
        mask = cut_out(picture, photo_box, told)
    return mask, told
