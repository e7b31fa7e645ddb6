"""How far the fitted animal covers its photos, and on which of them clicks would help most."""

import json
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np

from runtime.contracts.errors import CloneError
from training.clone.looks import draw
from training.clone.looks.clicking import Ask
from training.clone.looks.cutting import CUTS, LOST, Cut
from training.clone.looks.fit import Fitted, Mask
from training.clone.looks.surface import Mesh
from training.clone.steps import Outcome, Pet

FIT_SIZE = 192
LEAST, WEAK = 0.85, 0.90
"""Mean overlap of avatar and photos, below which there is none; a photo's, below which it asks for clicks"""
FACTS = "looks.json"


class UnlikeError(CloneError):
    """No avatar, and the photos on which clicks would help."""

    def __init__(self, words: str, asks: list[Ask]) -> None:
        super().__init__(words)
        self.asks = asks


def small(mask: Mask) -> Mask:
    return cv2.resize(mask.astype(np.uint8) * 255, (FIT_SIZE, FIT_SIZE), interpolation=cv2.INTER_AREA) > 127


def asks_for(taken: list[Cut], fitted: Fitted, mesh: Mesh) -> list[Ask]:
    """Photos that the animal covers badly, the worst first, and the middle of what differs most on each."""
    rows = sorted(zip(fitted.overlaps, taken, fitted.cameras, strict=True), key=lambda row: row[0])
    asks = []
    for overlap, cut, camera in rows:
        if overlap < WEAK:
            seen = small(cut.mask)
            wrong = (draw.silhouette(mesh, camera, FIT_SIZE) != seen).astype(np.uint8)
            depth = cv2.distanceTransform(wrong, cv2.DIST_L2, 5)
            row, column = np.unravel_index(int(depth.argmax()), depth.shape)
            finer = len(cut.mask) / FIT_SIZE
            at = cut.share((float(column) + 0.5) * finer, (float(row) + 0.5) * finer)
            why = f"Photo and avatar agree by {100 * overlap:.0f} % here, good from {100 * WEAK:.0f} %."
            asks.append(Ask(cut.name, why, at))
    return asks


def refuse(fitted: Fitted, asks: list[Ask]) -> None:
    mean = float(np.mean(fitted.overlaps))
    if mean < LEAST:
        raise UnlikeError(
            f"no standing four-legged animal fits these photos (overlap {mean:.2f}, at least {LEAST});"
            f" the worst is {asks[0].photo}: click on what is wrong with its outline (everpaw clone click"
            " PET), or take it again standing still on all fours with its head up; legs that walk on one"
            " photo and stand on another fit no body",
            asks,
        )


def asks_of(pet: Pet, outcomes: Iterable[Outcome] = ()) -> list[Ask]:
    """What a build asks for, from what it made and what failed in it; the worst first."""
    asks: list[Ask] = []
    masks, made = pet.made("masks"), pet.made("looks")
    if masks is not None:
        rows = json.loads((masks / CUTS).read_text())
        asks += [Ask(row["name"], f"{LOST}.".capitalize()) for row in rows if "why" in row]
    refused = [o.error for o in outcomes if isinstance(o.error, UnlikeError)]
    if refused:
        asks += refused[0].asks
    elif made is not None:
        asks += [_ask(row) for row in _facts(made).get("asks", [])]
    return asks


def _facts(made: Path) -> dict[str, list[dict[str, object]]]:
    found: dict[str, list[dict[str, object]]] = json.loads(
        (made / "pack" / "avatar" / FACTS).read_text(encoding="utf-8")
    )
    return found


def _ask(row: dict[str, object]) -> Ask:
    at = row["at"]
    return Ask(str(row["photo"]), str(row["why"]), (at[0], at[1]) if isinstance(at, list) else None)
