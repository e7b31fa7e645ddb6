"""Photos as an owner has them: read upright, looked at, told about; what cannot be used is left out kindly.

A picture is kept in a square frame of FRAME pixels, the photo in its middle, so that one camera fits all.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from runtime.contracts.errors import CloneError
from training.clone.steps import Finding, Mark, Pet

Picture = npt.NDArray[np.uint8]
FRAME = 384
READ = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})
PHONE_ONLY = frozenset({".heic", ".heif", ".avif"})
FILM = frozenset({".mp4", ".mov", ".avi", ".mkv", ".webm", ".gif"})
LARGE_BYTES, MOST_BYTES = 8_000_000, 100_000_000
SMALLEST, SHARP, DARK, BRIGHT, BURNT = 200, 25.0, 45.0, 215.0, 0.35
SAME_BITS = 4
YAWS = {"left": 90.0, "right": -90.0, "front": 0.0, "back": 180.0, "rear": 180.0, "side": 90.0}
ENOUGH = 4


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo in its frame, or why there is none."""

    path: Path
    picture: Picture | None
    """(FRAME, FRAME, 3) RGB; grey beside the photo"""
    box: tuple[int, int, int, int]
    """x, y, width, height of the photo in the frame"""
    finding: Finding

    @property
    def usable(self) -> bool:
        return self.picture is not None and self.finding.mark != "bad"


def photos(pet: Pet) -> list[Photo]:
    """Every file of `photos/`, looked at; of pictures that are nearly the same the sharper one stays."""
    looked = [look(path) for path in pet.files("photos/*") if path.suffix.lower() not in {".txt", ".json"}]
    kept: list[Photo] = []
    for photo in looked:
        twin = next((k for k in kept if photo.picture is not None and k.usable and _same(k, photo)), None)
        if twin is not None:
            words = f"nearly the same picture as {twin.path.name}; one of them is enough"
            photo = Photo(photo.path, None, photo.box, Finding("poor", photo.path.name, words))
        kept.append(photo)
    return kept


def look(path: Path) -> Photo:
    try:
        raw = read(path)
    except CloneError as error:
        return Photo(path, None, (0, 0, 0, 0), Finding("bad", path.name, str(error)))
    height, width = raw.shape[:2]
    framed, box = frame(raw)
    mark, words = _judged(raw, width, height)
    return Photo(path, framed, box, Finding(mark, path.name, words))


def read(path: Path) -> Picture:
    """RGB, upright by its EXIF; CloneError says what to do instead."""
    suffix, size = path.suffix.lower(), path.stat().st_size
    if suffix in PHONE_ONLY:
        raise CloneError(f"{suffix[1:].upper()} cannot be read here; save or send it as JPEG")
    if suffix in FILM:
        raise CloneError("a film; put it into recordings/ for its sound, and still pictures of it here")
    if suffix not in READ:
        raise CloneError(
            f"{suffix or 'a file without an ending'} is no photo; take it out, or save it as JPEG"
        )
    if size > MOST_BYTES:
        raise CloneError(f"{size / 1e6:.0f} MB; at most {MOST_BYTES / 1e6:.0f}: save it smaller")
    data = np.frombuffer(path.read_bytes(), np.uint8)
    how = cv2.IMREAD_REDUCED_COLOR_4 if size > LARGE_BYTES else cv2.IMREAD_COLOR
    try:
        picture = cv2.imdecode(data, how) if size else None
    except cv2.error:
        picture = None
    if picture is None:
        raise CloneError(f"damaged or no picture inside ({size} bytes); copy it from the camera again")
    return np.ascontiguousarray(picture[..., ::-1])


def frame(picture: Picture) -> tuple[Picture, tuple[int, int, int, int]]:
    height, width = picture.shape[:2]
    share = FRAME / max(height, width)
    w, h = max(round(width * share), 1), max(round(height * share), 1)
    way = cv2.INTER_AREA if share < 1 else cv2.INTER_LINEAR
    x, y = (FRAME - w) // 2, (FRAME - h) // 2
    framed = np.full((FRAME, FRAME, 3), 128, np.uint8)
    framed[y : y + h, x : x + w] = cv2.resize(picture, (w, h), interpolation=way)
    return framed, (x, y, w, h)


def _judged(picture: Picture, width: int, height: int) -> tuple[Mark, str]:
    if min(width, height) < SMALLEST:
        return "bad", f"{width} x {height} pixels; at least {SMALLEST} each way: send the original"
    share = 512 / max(width, height)
    grey = cv2.cvtColor(
        cv2.resize(picture, None, fx=share, fy=share, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY
    )
    sharp, bright = float(cv2.Laplacian(grey, cv2.CV_64F).var()), float(grey.mean())
    if grey.std() < 4:
        return "bad", "one plain colour; nothing can be seen on it"
    if bright < DARK:
        return "poor", f"dark (brightness {bright:.0f} of 255); take it by a window or outside"
    if sharp < SHARP:
        return (
            "poor",
            f"blurred (sharpness {sharp:.0f}, good from {SHARP:.0f}); hold still, or take it in more light",
        )
    if bright > BRIGHT or float(np.mean(grey > 250)) > BURNT:
        return "poor", f"too bright (brightness {bright:.0f} of 255); take it in the shade"
    return "good", f"{width} x {height}, sharp, well lit"


def _same(a: Photo, b: Photo) -> bool:
    assert a.picture is not None
    assert b.picture is not None
    return int(np.count_nonzero(_hash(a.picture) != _hash(b.picture))) <= SAME_BITS


def _hash(picture: Picture) -> npt.NDArray[np.bool_]:
    """64 bits: is a cell of the picture brighter than the next (dHash)?"""
    small = cv2.resize(
        cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), (9, 8), interpolation=cv2.INTER_AREA
    ).astype(int)
    return (small[:, 1:] > small[:, :-1] + 1).ravel()


def told_yaw(path: Path) -> float | None:
    """Where the camera stood, if the file's name says: `left`, `front_2`, `back`, or degrees as `yaw45`."""
    if degrees := re.search(r"yaw(-?\d{1,3})(?!\d)", path.stem.lower()):
        return float(degrees[1])
    words = re.findall(r"[a-z]+", path.stem.lower())
    return next((YAWS[word] for word in words if word in YAWS), None)


def check(pet: Pet) -> Iterable[Finding]:
    """What is good, what is missing, what to take again."""
    found = photos(pet)
    yield from (photo.finding for photo in found)
    usable = [p for p in found if p.usable]
    if not usable:
        yield Finding(
            "bad", "photos", "none can be used; give one from the side and one from the front, standing"
        )
        return
    views = {told_yaw(p.path) for p in usable}
    if len(usable) < ENOUGH:
        words = f"{len(usable)} usable; from {ENOUGH} all around the shape is known, from one it is guessed"
        yield Finding("poor", "photos", words)
    if None in views:
        names = ", ".join(p.path.name for p in usable if told_yaw(p.path) is None)
        words = f"where the camera stood is not told: put left, right, front or back into the name of {names}"
        yield Finding("poor", "photos", words)
