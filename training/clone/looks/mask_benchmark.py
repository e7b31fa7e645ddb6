"""How well clicks cut real dogs out: every fifth frame of two films that come with masks.

    EVERPAW_DATA=... python -m training.clone.looks.mask_benchmark

Clicks go where an owner who sees the truth would click: into the middle of the largest fault.
"""

import os
import sys
from pathlib import Path

import cv2
import numpy as np

from runtime.contracts.errors import TrainingError
from training.clone.looks.fit import Mask, overlap
from training.clone.looks.intake import frame
from training.clone.looks.masks import corrective

FILMS, EVERY, CLICKS = ("dog", "libby"), 5, (0, 3, 6)


def main() -> int:
    folder = Path(os.environ.get("EVERPAW_DATA", "/nowhere")) / "images"
    for film in FILMS:
        paths = sorted((folder / film).glob("*.jpg"))[::EVERY]
        if not paths:
            raise TrainingError(f"no frames in {folder / film}; let EVERPAW_DATA name the recordings")
        rows = np.array([_overlaps(path) for path in paths])
        told = ", ".join(f"{c} clicks {rows[:, i].mean():.3f}" for i, c in enumerate(CLICKS))
        print(f"{film}: {told}; worst {rows[:, -1].min():.3f}, n {len(rows)}", flush=True)
    return 0


def _overlaps(path: Path) -> list[float]:
    picture, box = frame(np.ascontiguousarray(cv2.imread(str(path))[..., ::-1]))
    given = cv2.imread(str(path.with_suffix(".mask.png")), cv2.IMREAD_GRAYSCALE) > 0
    grey, _ = frame(np.repeat((given * 255).astype(np.uint8)[..., None], 3, axis=2))
    x, y, width, height = box
    true: Mask = np.zeros(grey.shape[:2], np.bool_)
    true[y : y + height, x : x + width] = grey[y : y + height, x : x + width, 0] > 127
    return [overlap(corrective(picture, box, true, clicks)[0], true) for clicks in CLICKS]


if __name__ == "__main__":
    sys.exit(main())
