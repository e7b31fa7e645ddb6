"""The steps of an animal's looks: photos looked at, masks cut out, and the avatar.

Where a mask and the fitted animal do not agree, the worst photo is named and two clicks are asked for.
Under LEAST the avatar is refused, and it is told which photo to take next.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
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
from training.clone.looks.camera import Camera
from training.clone.looks.fit import Fitted, Mask, View, fit
from training.clone.looks.masks import Clicks, cut_out
from training.clone.looks.palette import Coat, coat_of
from training.clone.looks.pose import bearings
from training.clone.looks.rig import rigged
from training.clone.looks.skeleton import SKELETON
from training.clone.looks.surface import Mesh, polygonise
from training.clone.steps import Finding, Pet, Step, Work

SKILLS = ".clone/skills.json"
FACTS = "looks.json"
LEAST, WEAK = 0.75, 0.90
FULLEST = 0.85
MOST_VIEWS = 8
FIT_SIZE, FIT_STEPS = 192, 400


@dataclass(frozen=True, slots=True)
class Cut:
    """A photo with its mask."""

    name: str
    picture: intake.Picture
    mask: Mask
    yaw_deg: float | None


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
            told.append({"name": photo.path.name, "why": "nothing was found on it; click on the animal"})
            continue
        picture, mask = _close_up(photo.picture, mask)
        cv2.imwrite(str(work.out / f"{photo.path.name}.png"), picture[..., ::-1])
        cv2.imwrite(str(work.out / f"{photo.path.name}.mask.png"), mask.astype(np.uint8) * 255)
        told.append({"name": photo.path.name, "yaw_deg": intake.told_yaw(photo.path)})
    (work.out / "cuts.json").write_text(json.dumps(told, indent=1) + "\n")


def _close_up(picture: intake.Picture, mask: Mask) -> tuple[intake.Picture, Mask]:
    """Both cut square about the animal, with room around it, at the frame's full size."""
    rows, columns = np.nonzero(mask)
    side = 1.3 * max(np.ptp(rows), np.ptp(columns)) + 8
    middle = (columns.min() + columns.max()) / 2, (rows.min() + rows.max()) / 2
    share = intake.FRAME / side
    shift = [intake.FRAME / 2 - share * at for at in middle]
    way = np.array([[share, 0, shift[0]], [0, share, shift[1]]])
    size = (intake.FRAME, intake.FRAME)
    near = cv2.warpAffine(picture, way, size, flags=cv2.INTER_LINEAR, borderValue=(128, 128, 128))
    inside = cv2.warpAffine(mask.astype(np.uint8) * 255, way, size, flags=cv2.INTER_LINEAR)
    return near, inside > 127


def cuts(folder: Path) -> list[Cut]:
    found = []
    for row in json.loads((folder / "cuts.json").read_text()):
        if "why" not in row:
            picture = cv2.imread(str(folder / f"{row['name']}.png"))[..., ::-1]
            mask = cv2.imread(str(folder / f"{row['name']}.mask.png"), cv2.IMREAD_GRAYSCALE) > 127
            found.append(Cut(row["name"], np.ascontiguousarray(picture), mask, row["yaw_deg"]))
    return found


def make_avatar(work: Work) -> None:
    """`pack/avatar/avatar.glb`, `pack/avatar/looks.json`, and `surface.npz` for the report."""
    torch.set_num_threads(1)
    taken = cuts(work.made("masks"))[:MOST_VIEWS]
    if not taken:
        raise CloneError("the animal was found on no photo; put clicks beside each, as docs/clone.md shows")
    _refuse_blobs(taken)
    yaws = bearings([cut.mask for cut in taken], [cut.yaw_deg for cut in taken])
    views = [View(_small(cut.mask), yaw) for cut, yaw in zip(taken, yaws, strict=True)]
    fitted = fit(views, steps=FIT_STEPS, progress=lambda share: work.progress(0.9 * share))
    _refuse(taken, fitted)
    mesh = polygonise(fitted.shape, fitted.level)
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
    (out / FACTS).write_text(json.dumps(facts, indent=1) + "\n")
    np.savez_compressed(
        work.out / "surface.npz",
        vertices=mesh.vertices,
        faces=mesh.faces,
        colours=paint.colours,
        origin=paint.origin,
    )


def _small(mask: Mask) -> Mask:
    return cv2.resize(mask.astype(np.uint8) * 255, (FIT_SIZE, FIT_SIZE), interpolation=cv2.INTER_AREA) > 127


def _refuse_blobs(taken: list[Cut]) -> None:
    """The shape is pliable enough to cover a sofa; what tells a standing animal is room between its legs."""
    fullness = min(_solid(cut.mask) for cut in taken)
    if fullness > FULLEST:
        raise CloneError(
            f"no legs, ears or tail stand out on any photo: an outline fills {100 * fullness:.0f} % of its"
            f" hull, a standing animal's less than {100 * FULLEST:.0f}; take it standing, from the side"
        )


def _solid(mask: Mask) -> float:
    """Area by that of the convex hull."""
    hull = cv2.convexHull(np.argwhere(mask).astype(np.int32))
    return float(np.count_nonzero(mask) / max(cv2.contourArea(hull), 1.0))


def _refuse(taken: list[Cut], fitted: Fitted) -> None:
    mean = float(np.mean(fitted.overlaps))
    if mean < LEAST:
        worst = taken[int(np.argmin(fitted.overlaps))].name
        raise CloneError(
            f"no standing four-legged animal fits these photos (overlap {mean:.2f}, at least {LEAST});"
            f" the worst is {worst}: look at its mask and click on what is wrong, or take one standing,"
            " from the side"
        )


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
