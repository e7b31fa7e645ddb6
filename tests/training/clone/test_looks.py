"""From photos to an avatar: what is told of bad ones, masks, shape, colours, rig and file."""

import json
import shutil
import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from export.clone import lay_skills
from runtime.contracts.errors import CloneError
from tests.npm import fetched
from training.clone.looks import alike, draw, example, glb, intake, pose, recipe, rig
from training.clone.looks.camera import Camera
from training.clone.looks.cutting import Cut
from training.clone.looks.fit import View, fit, overlap
from training.clone.looks.masks import Clicks, corrective, cut_out, pixel
from training.clone.looks.paint import GUESSED, MIRRORED, SEEN, Paint, Photo, paint
from training.clone.looks.palette import coat_of
from training.clone.looks.shape import Shape
from training.clone.looks.surface import Mesh, polygonise
from training.clone.profile import Profile
from training.clone.steps import Pet, build

VALIDATOR = "2.0.0-dev.3.10"
SIDE = Camera(90.0, 5.0)


@pytest.fixture(scope="module")
def animal() -> Mesh:
    return example.framed(example.animal(5))


@pytest.fixture
def pet(tmp_path: Path) -> Pet:
    (tmp_path / "photos").mkdir()
    return Pet(tmp_path, Profile(name="Mia", species="dog"))


def _jpeg(path: Path, picture: np.ndarray) -> None:
    cv2.imwrite(str(path), picture)


def _scene(seed: int, size: int = 300) -> np.ndarray:
    rng = np.random.default_rng(seed)
    small = rng.integers(40, 220, (12, 12, 3), np.uint8)
    return cv2.resize(small, (size, size), interpolation=cv2.INTER_NEAREST)


def test_each_bad_file_is_told_exactly_and_the_rest_goes_on(pet: Pet) -> None:
    folder = pet.folder / "photos"
    _jpeg(folder / "a_left.jpg", _scene(1))
    _jpeg(folder / "b_again.jpg", cv2.GaussianBlur(_scene(1), (0, 0), 0.6))
    _jpeg(folder / "c_dark.jpg", _scene(2) // 8)
    _jpeg(folder / "d_blurred.jpg", cv2.GaussianBlur(_scene(3), (0, 0), 25))
    _jpeg(folder / "e_tiny.jpg", _scene(4, 90))
    _jpeg(folder / "f_grey.jpg", np.full((300, 300, 3), 90, np.uint8))
    (folder / "g.heic").write_bytes(b"x")
    (folder / "h.jpg").write_bytes(b"\xff\xd8\xff")
    (folder / "i.jpg").write_bytes(b"")
    (folder / "j.mov").write_bytes(b"x")
    told = {f.about: (f.mark, f.words) for f in intake.check(pet)}
    assert told["a_left.jpg"][0] == "good"
    for name, mark, word in (
        ("b_again.jpg", "poor", "same picture as a_left.jpg"),
        ("c_dark.jpg", "poor", "dark"),
        ("d_blurred.jpg", "poor", "blurred"),
        ("e_tiny.jpg", "bad", "90 x 90"),
        ("f_grey.jpg", "bad", "plain"),
        ("g.heic", "bad", "JPEG"),
        ("h.jpg", "bad", "damaged"),
        ("i.jpg", "bad", "0 bytes"),
        ("j.mov", "bad", "film"),
    ):
        assert told[name][0] == mark, name
        assert word in told[name][1]


def test_a_photo_is_read_upright(pet: Pet) -> None:
    path = pet.folder / "photos" / "turned.jpg"
    picture = np.zeros((300, 400, 3), np.uint8)
    picture[:, :50] = 255
    _, data = cv2.imencode(".jpg", picture)
    raw = data.tobytes()
    exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"
    path.write_bytes(raw[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + raw[2:])
    photo = intake.look(path)
    assert photo.box[3] > photo.box[2]
    assert photo.picture is not None
    assert photo.picture[10, intake.FRAME // 2].mean() > 200


def test_clicks_that_are_none_are_told_before_a_build(pet: Pet) -> None:
    path = pet.folder / "photos" / "left.jpg"
    _jpeg(path, _scene(1))
    path.with_name("left.jpg.clicks.json").write_text('{"keep": 3}')
    told = [f for f in recipe.STEPS[0].check(pet) if f.mark == "bad"]
    assert [f.about for f in told] == ["left.jpg"]
    assert "click again" in told[0].words


@pytest.mark.parametrize(
    ("name", "yaw"),
    [("left.jpg", 90), ("front_2.jpg", 0), ("Back-1.png", 180), ("yaw-60.jpg", -60), ("IMG_1.jpg", None)],
)
def test_a_name_tells_where_the_camera_stood(name: str, yaw: float | None) -> None:
    assert intake.told_yaw(Path(name)) == yaw


def test_every_click_is_obeyed_and_the_same_clicks_give_the_same_mask(animal: Mesh) -> None:
    picture = np.zeros((intake.FRAME, intake.FRAME, 3), np.uint8)
    rng = np.random.default_rng(1)
    picture[:] = rng.normal(120, 12, picture.shape).clip(0, 255)
    true = draw.silhouette(animal, SIDE, intake.FRAME)
    coat = example.coat(animal, "bicolour", "red", "white", 1)
    picture[true] = draw.colours(animal, coat, SIDE, intake.FRAME)[true]
    patch = np.zeros_like(true)
    patch[180:230, 170:215] = True  # of the coat's own colours, where the belly ends
    patch &= ~true
    picture[patch] = rng.choice(picture[true], np.count_nonzero(patch))
    box = (0, 0, intake.FRAME, intake.FRAME)
    after, clicks = corrective(picture, box, true, 6)
    assert clicks.count == 6
    assert overlap(after, true) > 0.85
    for points, inside in ((clicks.keep, True), (clicks.away, False)):
        for point in points:
            column, row = pixel(point, box)
            assert after[row, column] == inside
    assert (cut_out(picture, box, clicks) == after).all()


def test_clicks_come_back_from_their_file(tmp_path: Path) -> None:
    clicks = Clicks(box=(0.1, 0.2, 0.5, 0.5), keep=((0.3, 0.4),))
    clicks.save(tmp_path / "a.jpg")
    assert Clicks.beside(tmp_path / "a.jpg") == clicks
    assert Clicks.beside(tmp_path / "b.jpg").count == 0


def test_the_silhouette_has_a_gradient_and_the_fit_climbs(animal: Mesh) -> None:
    torch.set_num_threads(1)
    views = [View(draw.silhouette(animal, Camera(yaw, 5.0), 96), yaw) for yaw in (90.0, 15.0)]
    short, long = fit(views, steps=4), fit(views, steps=60)
    assert np.mean(long.overlaps) > max(0.85, np.mean(short.overlaps))
    mesh = polygonise(long.shape, long.level, 48)
    assert overlap(draw.silhouette(mesh, long.cameras[0], 96), views[0].mask) > 0.8


def test_an_unknown_side_view_is_turned_the_right_way(animal: Mesh) -> None:
    masks = [draw.silhouette(animal, Camera(yaw, 5.0), 128) for yaw in (90.0, -90.0)]
    left, right = pose.bearings(masks, [None, None])
    assert abs(left - 90) <= 45
    assert abs(right + 90) <= 45


def test_colours_are_seen_mirrored_or_guessed(animal: Mesh) -> None:
    coat = example.coat(animal, "bicolour", "red", "white", 1)
    camera = Camera(90.0, 10.0)
    photo = Photo(draw.colours(animal, coat, camera, 256), draw.silhouette(animal, camera, 256), camera)
    painted = paint(animal, [photo], lit=False)
    for origin in (SEEN, MIRRORED, GUESSED):
        assert (painted.origin == origin).any()
    left = animal.vertices[:, 1] > 0.1
    assert (painted.origin[left] == SEEN).mean() > 0.6
    assert (painted.origin[animal.vertices[:, 1] < -0.1] == SEEN).mean() < 0.02
    assert np.abs(painted.colours - coat)[painted.origin == SEEN].mean() < 0.03


def test_a_coat_is_named(animal: Mesh) -> None:
    for pattern, first, second in (("solid", "black", "white"), ("bicolour", "chocolate", "white")):
        colours = example.coat(animal, pattern, first, second, 2)
        found = coat_of(animal, Paint(colours, np.zeros(len(colours), int)))
        assert found.pattern == pattern
        assert first in {c.name for c in found.colours}


def _under_lamps(animal: Mesh, coat: np.ndarray) -> list[Photo]:
    """Four photos, each under a lamp of its own."""
    photos = []
    for yaw, lamp in ((90.0, (1, 0, 1)), (20.0, (0, 1, 1)), (225.0, (0, -1, 1.5)), (-60.0, (0, -1, 0.5))):
        camera = Camera(yaw, scale=1.1)
        picture = draw.colours(animal, coat, camera, 256, np.array(lamp, float))
        photos.append(Photo(picture, draw.silhouette(animal, camera, 256), camera))
    return photos


def test_lamps_are_taken_out_before_a_coat_is_named(animal: Mesh) -> None:
    coat = example.coat(animal, "bicolour", "red", "cream", 1)
    photos = _under_lamps(animal, coat)
    raw, evened = paint(animal, photos, lit=False), paint(animal, photos, lit=True)
    away = [np.abs(p.colours - coat)[p.origin == SEEN].mean() for p in (raw, evened)]
    assert away[1] < 0.4 * away[0]
    found = coat_of(animal, evened)
    assert {c.name for c in found.colours} == {"red", "cream"}
    assert found.pattern == "bicolour"


def test_one_colour_under_lamps_is_one_colour(animal: Mesh) -> None:
    coat = example.coat(animal, "solid", "cream", "white", 1)
    found = coat_of(animal, paint(animal, _under_lamps(animal, coat), lit=True))
    assert (found.pattern, [c.name for c in found.colours]) == ("solid", ["cream"])


@pytest.mark.parametrize(("pattern", "called"), [("tabby", "striped"), ("spotted", "spotted")])
def test_stripes_are_told_from_spots(animal: Mesh, pattern: str, called: str) -> None:
    colours = example.coat(animal, pattern, "cream", "black", 2)
    assert coat_of(animal, Paint(colours, np.zeros(len(colours), int))).pattern == called


def test_a_person_called_a_side_is_none(animal: Mesh) -> None:
    def cut(mask: np.ndarray, yaw: float | None) -> Cut:
        return Cut("left.jpg", np.zeros((*mask.shape, 3), np.uint8), mask, yaw, (1, 0, 0), (0, 0, 9, 9))

    person = np.zeros((384, 384), bool)
    person[40:340, 150:210] = True
    with pytest.raises(CloneError, match=r"left\.jpg is called a side.*person"):
        recipe._refuse_upright([cut(person, 90.0)])
    recipe._refuse_upright(
        [cut(person, 0.0), cut(person, None), cut(draw.silhouette(animal, SIDE, 384), 90.0)]
    )


@pytest.fixture(scope="module")
def avatar(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("avatar")
    lay_skills(folder)
    shape = Shape()
    mesh = polygonise(shape, 0.0)
    colours = np.full(mesh.vertices.shape, 0.5)
    skills = json.loads((folder / recipe.SKILLS).read_text())
    paint_ = Paint(colours, np.zeros(len(colours), int))
    glb.write(folder / "avatar.glb", "Mia", mesh, paint_, rig.rigged(mesh, shape), skills, 0.16)
    return folder / "avatar.glb"


def test_the_avatar_carries_the_robots_joints_and_skills(avatar: Path) -> None:
    tree, blob = glb.read(avatar)
    assert avatar.stat().st_size <= 500_000
    assert {"front_left_hip", "rear_right_knee", "head_pan", "head_tilt", "tail"} <= {
        n["name"] for n in tree["nodes"]
    }
    assert {"sit", "walk", "wag"} <= {clip["name"] for clip in tree["animations"]}
    accessor = tree["accessors"][tree["meshes"][0]["primitives"][0]["attributes"]["WEIGHTS_0"]]
    start = tree["bufferViews"][accessor["bufferView"]]["byteOffset"]
    weights = np.frombuffer(blob, np.uint8, accessor["count"] * 4, start).reshape(-1, 4)
    assert (weights.astype(int).sum(1) == 255).all()
    assert tree["asset"]["extras"]["copy_of"] == "Mia"


def test_feet_stay_on_the_floor_when_legs_fold() -> None:
    shape = Shape()
    made = rig.rigged(polygonise(shape, 0.0, 40), shape)
    rest = {"rear_left_hip": 30.0, "rear_left_knee": 60.0, "rear_right_hip": 30.0, "rear_right_knee": 60.0}
    sitting = rest | {
        "rear_left_hip": 55.0,
        "rear_left_knee": 115.0,
        "rear_right_hip": 55.0,
        "rear_right_knee": 115.0,
    }
    pitch, _ = rig.grounded(made, sitting, rest)
    standing, _ = rig.grounded(made, rest, rest)
    assert pitch > standing + 0.05


def test_the_validator_finds_nothing(avatar: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    module = fetched("gltf-validator", VALIDATOR, "package.json").parent
    script = (
        "require(process.argv[1]).validateBytes(new Uint8Array(require('fs').readFileSync(process.argv[2])))"
        ".then(r => console.log(r.issues.numErrors, r.issues.numWarnings))"
    )
    out = subprocess.run(
        [node, "-e", script, str(module), str(avatar)], capture_output=True, text=True, check=True
    )
    assert out.stdout.split() == ["0", "0"]


def test_photos_become_an_avatar_and_a_sofa_does_not(pet: Pet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recipe, "FIT_STEPS", 60)
    monkeypatch.setattr(alike, "FIT_SIZE", 96)
    monkeypatch.setattr(alike, "LEAST", 0.75)  # a short fit
    monkeypatch.setattr(recipe, "MOST_VIEWS", 2)
    lay_skills(pet.folder)
    example.write_photos(pet.folder / "photos", 11, 320)
    assert [o.how for o in build(pet, recipe.STEPS)] == ["made", "made"]
    made = pet.made("looks")
    assert made is not None
    facts = json.loads((made / "pack" / "avatar" / alike.FACTS).read_text())
    assert facts["overlap"] > 0.75
    page = recipe.STEPS[1].page(pet, made)
    assert "canvas" in page
    assert "http" not in page
    for path in (pet.folder / "photos").iterdir():
        path.unlink()
    sofa = np.full((320, 320, 3), 200, np.uint8)
    sofa[100:260, 40:280] = (40, 60, 140)
    _jpeg(
        pet.folder / "photos" / "left.jpg",
        (sofa + np.random.default_rng(1).normal(0, 5, sofa.shape)).astype(np.uint8),
    )
    outcomes = build(pet, recipe.STEPS)
    assert outcomes[1].how == "failed"
    assert "standing" in outcomes[1].why
