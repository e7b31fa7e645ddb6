"""The steps of an animal's looks: photos looked at, masks cut out, and the avatar.

Where a mask and the fitted animal do not agree, the worst photo is named and two clicks are asked for.
Under `alike.LEAST` the avatar is refused, and it is told which photo to take next.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from runtime.contracts.body import load_body
from runtime.contracts.errors import CloneError
from training.clone.looks import glb, intake
from training.clone.looks import paint as painting
from training.clone.looks.alike import FACTS, WEAK, UnlikeError, asks_for, refuse, small
from training.clone.looks.camera import Camera
from training.clone.looks.cutting import Cut, cut_masks, cuts
from training.clone.looks.fit import Fitted, Mask, View, fit
from training.clone.looks.masks import Clicks
from training.clone.looks.palette import Coat, coat_of
from training.clone.looks.pose import bearings
from training.clone.looks.rig import rigged
from training.clone.looks.skeleton import SKELETON
from training.clone.looks.surface import Mesh, polygonise
from training.clone.steps import Finding, Pet, Step, Work

SKILLS = ".clone/skills.json"
FULLEST = 0.85
UPRIGHT = 1.6
"""Height by length"""
MOST_VIEWS = 8
FIT_STEPS = 400


def make_avatar(work: Work) -> None:
    """`pack/avatar/avatar.glb`, `pack/avatar/looks.json`, and `surface.npz` for the report."""
    torch.set_num_threads(1)
    taken = cuts(work.made("masks"))[:MOST_VIEWS]
    if not taken:
        raise UnlikeError("the animal was found on no photo; click on it: everpaw clone click PET", [])
    _refuse_blobs(taken)
    _refuse_upright(taken)
    yaws = bearings([cut.mask for cut in taken], [cut.yaw_deg for cut in taken])
    views = [View(small(cut.mask), yaw) for cut, yaw in zip(taken, yaws, strict=True)]
    fitted = fit(views, steps=FIT_STEPS, progress=lambda share: work.progress(0.9 * share))
    mesh = polygonise(fitted.shape, fitted.level)
    asks = asks_for(taken, fitted, mesh)
    refuse(fitted, asks)
    photos = [
        painting.Photo(c.picture, c.mask, camera) for c, camera in zip(taken, fitted.cameras, strict=True)
    ]
    paint = painting.paint(mesh, photos, lit=True)
    out = work.out / "pack" / "avatar"
    out.mkdir(parents=True)
    geometry = load_body().geometry
    length_m = geometry.length_mm / 1000 if geometry else 0.16
    skills = json.loads((work.pet.folder / SKILLS).read_text())
    rig = rigged(mesh, fitted.shape)
    glb.write(out / "avatar.glb", work.pet.profile.name, mesh, paint, rig, skills, length_m)
    facts = _facts(taken, fitted, mesh, paint, coat_of(mesh, paint))
    facts["asks"] = [asdict(ask) for ask in asks]
    (out / FACTS).write_text(json.dumps(facts, indent=1) + "\n")
    np.savez_compressed(
        work.out / "surface.npz",
        vertices=mesh.vertices,
        faces=mesh.faces,
        colours=paint.colours,
        origin=paint.origin,
    )


def _refuse_blobs(taken: list[Cut]) -> None:
    """The shape is pliable enough to cover a sofa; what tells a standing animal is room between its legs."""
    fullness = min(_solid(cut.mask) for cut in taken)
    if fullness > FULLEST:
        raise CloneError(
            f"no legs, ears or tail stand out on any photo: an outline fills {100 * fullness:.0f} % of its"
            f" hull, a standing animal's less than {100 * FULLEST:.0f}; take it standing, from the side"
        )


def _refuse_upright(taken: list[Cut]) -> None:
    """From the side a standing animal is longer than high; a person is not, nor one that sits up."""
    for cut in taken:
        rows, columns = np.nonzero(cut.mask)
        side = cut.yaw_deg is not None and 60 <= abs(cut.yaw_deg) <= 120
        if side and np.ptp(rows) > UPRIGHT * np.ptp(columns):
            raise CloneError(
                f"{cut.name} is called a side, and what stands out on it is upright, as a person or a sitting"
                " animal; click on the animal (everpaw clone click PET), or take it standing on all fours"
            )


def _solid(mask: Mask) -> float:
    """Area by that of the convex hull."""
    hull = cv2.convexHull(np.argwhere(mask).astype(np.int32))
    return float(np.count_nonzero(mask) / max(cv2.contourArea(hull), 1.0))


def _facts(taken: list[Cut], fitted: Fitted, mesh: Mesh, paint: painting.Paint, coat: Coat) -> dict[str, Any]:
    """What is known of its looks, and how well."""
    overlaps = dict(zip((c.name for c in taken), (round(o, 3) for o in fitted.overlaps), strict=True))
    worst = min(overlaps, key=lambda name: overlaps[name])
    return {
        "overlap": round(float(np.mean(fitted.overlaps)), 3),
        "photos": overlaps,
        "ask": f"two clicks on {worst}" if overlaps[worst] < WEAK else "",
        "shape": "guessed" if len(taken) < 2 else "seen from few sides" if len(taken) < 4 else "seen",
        "surface": {w: round(paint.share(i), 3) for i, w in enumerate(("seen", "mirrored", "guessed"))},
        "coat": asdict(coat),
        "proportions": _proportions(fitted, mesh),
        "cameras": [asdict(camera) for camera in fitted.cameras],
    }


def _proportions(fitted: Fitted, mesh: Mesh) -> dict[str, float]:
    """Lengths by the trunk's, from chest to pelvis."""
    joints = fitted.shape.joints().detach().numpy()
    at = dict(zip(SKELETON.joints, joints, strict=True))

    def way(*names: str) -> float:
        return float(sum(np.linalg.norm(at[a] - at[b]) for a, b in pairwise(names)))

    trunk = way("pelvis", "waist", "chest")
    parts = {
        "front_leg": way("front_left_hip", "front_left_knee", "front_left_wrist", "front_left_toe"),
        "rear_leg": way("rear_left_hip", "rear_left_knee", "rear_left_wrist", "rear_left_toe"),
        "neck": way("chest", "neck", "head"),
        "snout": way("head", "snout"),
        "ear": way("head", "left_ear"),
        "tail": way("pelvis", "tail_mid", "tail_tip"),
        "height": float(np.ptp(mesh.vertices[:, 2])),
    }
    return {name: round(length / trunk, 3) for name, length in parts.items()}


def camera_of(row: dict[str, float]) -> Camera:
    return Camera(**row)


def _check(pet: Pet) -> Iterator[Finding]:
    """What is wrong with photos, and with the clicks beside them."""
    yield from intake.check(pet)
    for path in pet.files("photos/*", intake.READ):
        try:
            Clicks.beside(path)
        except CloneError as error:
            yield Finding("bad", path.name, str(error))


def _photos_page(pet: Pet, made: Path) -> str:
    from training.clone.looks.page import masks_page

    return masks_page(pet, made)


def _avatar_page(pet: Pet, made: Path) -> str:
    from training.clone.looks.page import avatar_page

    return avatar_page(pet, made)


STEPS = (
    Step(
        "masks", "Photos, and where the animal is on them", ("photos/*",), cut_masks, check=_check,
        page=_photos_page,
    ),
    Step("looks", "The avatar", ("@masks", SKILLS), make_avatar, page=_avatar_page),
)  # fmt: skip
