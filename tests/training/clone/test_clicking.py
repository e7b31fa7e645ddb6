"""The page to click on: what is clicked is kept beside the photo, and built with."""

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from export import clone
from runtime.contracts.errors import CloneError
from training.clone.looks import alike, clicking, cutting, draw, intake
from training.clone.looks.camera import Camera
from training.clone.looks.clicking import Ask, Page
from training.clone.looks.fit import Fitted
from training.clone.looks.masks import Clicks, cut_out
from training.clone.looks.shape import Shape
from training.clone.looks.surface import polygonise
from training.clone.profile import Profile
from training.clone.steps import Outcome, Pet, Step, Work, build

PATIENCE_S = 300.0  # for a machine with much other work
ASK = Ask("b.jpg", "They agree by 60 % here.", (0.5, 0.5))


@pytest.fixture
def pet(tmp_path: Path) -> Pet:
    """Two photos of a dark disc before a rough light wall, the second not square."""
    (tmp_path / "photos").mkdir()
    rng = np.random.default_rng(1)
    for name, size in (("a.jpg", (300, 300)), ("b.jpg", (300, 400))):
        picture = rng.normal(190, 12, (*size, 3)).clip(0, 255).astype(np.uint8)
        cv2.circle(picture, (size[1] // 2, 150), 80, (40, 60, 90), -1)
        cv2.rectangle(picture, (20, 20), (60, 60 + len(name) * size[1] // 100), (60, 160, 60), -1)
        cv2.imwrite(str(tmp_path / "photos" / name), picture)
    return Pet(tmp_path, Profile(name="Mia", species="dog"))


class _Owner:
    """The page in a thread of its own, and an owner's browser as far as HTTP goes."""

    def __init__(self, page: Page) -> None:
        self.wanted: list[bool] = []
        said: list[str] = []
        up = threading.Event()

        def say(line: str) -> None:
            said.append(line)
            up.set()

        self._thread = threading.Thread(target=lambda: self.wanted.append(clicking.served(page, 0, say)))
        self._thread.start()
        assert up.wait(PATIENCE_S)
        self.address = said[0]

    def ask(self, what: str, data: bytes | None = None, **headers: str) -> bytes:
        request = urllib.request.Request(self.address + what, data, headers)
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return bytes(answer.read())

    def end(self, how: str) -> bool:
        self.ask(how, b"")
        self._thread.join(PATIENCE_S)
        return self.wanted[0]


@pytest.fixture
def page(pet: Pet) -> Page:
    return Page(pet, [ASK])


@pytest.fixture
def owner(page: Page) -> Iterator[_Owner]:
    owner = _Owner(page)
    yield owner
    if not owner.wanted:
        owner.end("leave")


def test_the_photo_that_is_asked_for_comes_first_with_its_reason(owner: _Owner) -> None:
    told = json.loads(owner.ask("photos"))
    assert told["name"] == "Mia"
    assert [(p["name"], p["why"], p["at"]) for p in told["photos"]] == [
        ("b.jpg", ASK.why, [0.5, 0.5]),
        ("a.jpg", "", None),
    ]
    picture = cv2.imdecode(np.frombuffer(owner.ask("0"), np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (300, 400, 3)


def test_clicks_are_kept_and_the_outline_that_comes_back_is_the_mask(owner: _Owner, pet: Pet) -> None:
    clicks = {"box": [0.2, 0.1, 0.6, 0.8], "keep": [[0.5, 0.5]], "away": [[0.9, 0.9]]}
    found = json.loads(owner.ask("clicks", json.dumps({"photo": 0, "clicks": clicks}).encode()))
    kept = Clicks.beside(pet.folder / "photos/b.jpg")
    assert kept.model_dump(mode="json") == clicks
    assert Clicks.beside(pet.folder / "photos/a.jpg").count == 0
    photo = intake.look(pet.folder / "photos/b.jpg")
    assert photo.picture is not None
    drawn = np.zeros((intake.FRAME, intake.FRAME), np.uint8)
    x, y, width, height = photo.box
    for edge in found["edges"]:
        line = np.array(edge) * (width, height) + (x - 0.5, y - 0.5)
        cv2.drawContours(drawn, [line.round().astype(np.int32)], -1, 1, -1)
    mask = cut_out(photo.picture, photo.box, kept)
    assert (mask.sum(), (drawn.astype(bool) ^ mask).mean()) > (1_000, 0)
    assert (drawn.astype(bool) ^ mask).mean() < 0.003
    assert owner.end("build")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b'{"photo": 9, "clicks": {}}',
        b'{"photo": -1, "clicks": {}}',
        b'{"photo": 0, "clicks": {"keep": [[2, 0]]}}',
    ],
)
def test_what_is_no_click_is_refused_and_nothing_kept(owner: _Owner, pet: Pet, data: bytes) -> None:
    with pytest.raises(urllib.error.HTTPError, match="400"):
        owner.ask("clicks", data)
    assert not list((pet.folder / "photos").glob("*.json"))


def test_nobody_without_the_secret_or_by_another_name_comes_in(owner: _Owner) -> None:
    root, secret = owner.address.rstrip("/").rsplit("/", 1)
    for address in (f"{root}/", f"{root}/{secret[:-1]}x/photos", f"{root}/{secret}/../etc", f"{root}/%s/0"):
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(address, timeout=PATIENCE_S)
    with pytest.raises(urllib.error.HTTPError, match="404"):
        owner.ask("photos", Host="evil.example:80")
    with pytest.raises(urllib.error.HTTPError, match="413"):
        owner.ask("clicks", b"x" * (clicking.MAX_BYTES + 1))
    assert "127.0.0.1" in root


def test_a_folder_without_a_usable_photo_is_told(tmp_path: Path) -> None:
    with pytest.raises(CloneError, match="no photo can be clicked on"):
        Page(Pet(tmp_path, Profile(name="Mia", species="dog")))


def test_a_badly_covered_photo_asks_with_the_place_that_differs_most() -> None:
    shape = Shape()
    mesh = polygonise(shape, 0.0, 40)
    camera = Camera(90.0)
    mask = draw.silhouette(mesh, camera, intake.FRAME)
    mask[300:360, 40:100] = True  # what is no animal
    full = (1.0, 0.0, 0.0), (0, 0, intake.FRAME, intake.FRAME)
    cut = cutting.Cut("a.jpg", np.zeros((*mask.shape, 3), np.uint8), mask, 90.0, *full)
    asks = alike.asks_for([cut], Fitted(shape, (camera,), 0.0, (0.8,)), mesh)
    assert [ask.photo for ask in asks] == ["a.jpg"]
    assert asks[0].at is not None
    assert 40 < asks[0].at[0] * intake.FRAME < 100
    assert 300 < asks[0].at[1] * intake.FRAME < 360
    assert alike.asks_for([cut], Fitted(shape, (camera,), 0.0, (0.95,)), mesh) == []


def test_under_the_stated_confidence_there_is_no_avatar_and_it_is_told_which_photo_to_take() -> None:
    fitted = Fitted(Shape(), (Camera(90.0),), 0.0, (alike.LEAST - 0.01,))
    with pytest.raises(alike.UnlikeError, match=r"worst is b\.jpg.*standing still on all fours"):
        alike.refuse(fitted, [ASK])
    alike.refuse(Fitted(Shape(), (Camera(90.0),), 0.0, (alike.LEAST,)), [])


def test_a_place_on_a_close_up_is_found_on_the_photo(pet: Pet) -> None:
    cutting.cut_masks(Work(pet, pet.folder, lambda _share: None))
    cut = next(c for c in cutting.cuts(pet.folder) if c.name == "b.jpg")
    middle = np.argwhere(cut.mask).mean(0)
    assert cut.share(middle[1], middle[0]) == pytest.approx((0.5, 0.5), abs=0.02)


def test_a_build_before_a_terminal_asks_until_nothing_is_asked(
    pet: Pet, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    runs: list[int] = []
    shown: list[tuple[str, ...]] = []

    def looks(work: Work) -> None:
        runs.append(Clicks.beside(pet.folder / "photos/b.jpg").count)
        if not runs[-1]:
            raise alike.UnlikeError("does not fit", [ASK])
        made = work.out / "pack/avatar"
        made.mkdir(parents=True)
        (made / alike.FACTS).write_text("{}")

    def served(page: Page, port: int, say: object) -> bool:
        shown.append(tuple(ask.photo for ask in page.asks))
        if len(shown) > 1:
            page.clicked(b'{"photo": 0, "clicks": {"keep": [[0.5, 0.5], [0.6, 0.5]]}}')
        return len(shown) > 1

    (pet.folder / "profile.toml").write_text('name = "Mia"\nspecies = "dog"\n')
    monkeypatch.setattr(clone, "STEPS", (Step("looks", "looks", ("photos/*",), looks),))
    monkeypatch.setattr(clicking, "served", served)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    assert clone.main(["build", str(pet.folder), "--no-page"]) == 1
    assert shown == []
    assert clone.main(["build", str(pet.folder)]) == 1, "left as it is"
    assert clone.main(["build", str(pet.folder)]) == 0
    assert shown == [("b.jpg",), ("b.jpg",)]
    assert runs == [0, 0, 0, 2]
    assert ASK.why in capsys.readouterr().err


def test_what_was_not_found_is_asked_for_too(pet: Pet) -> None:
    def masks(work: Work) -> None:
        (work.out / cutting.CUTS).write_text(json.dumps([{"name": "a.jpg", "why": cutting.LOST}]))

    build(pet, [Step("masks", "masks", (), masks)])
    failed = Outcome("looks", "failed", "", alike.UnlikeError("", [ASK]))
    assert [ask.photo for ask in alike.asks_of(pet, [failed])] == ["a.jpg", "b.jpg"]


def test_a_finger_on_a_phone_puts_a_click_where_it_touches(owner: _Owner, pet: Pet) -> None:
    from tests.runtime.dashboard.browser import browser

    with browser(owner.address) as look:
        look.media(phone=True)
        look.driver.get(owner.address)
        look.wait(lambda: look.run("return document.getElementById('photo').width > 300"))
        assert "60 %" in look.body
        assert look.run("return document.documentElement.scrollWidth <= innerWidth"), "nothing is cut off"
        rect = look.run("return document.getElementById('photo').getBoundingClientRect().toJSON()")
        place = {"x": rect["x"] + 0.25 * rect["width"], "y": rect["y"] + 0.75 * rect["height"]}
        look.driver.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True})
        look.element("#away").click()
        look.driver.execute_cdp_cmd(
            "Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [place]}
        )
        look.driver.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        photo = pet.folder / "photos/b.jpg"
        look.wait(lambda: Clicks.beside(photo).count == 1)
        assert Clicks.beside(photo).away[0] == pytest.approx((0.25, 0.75), abs=0.01)
        look.element("#undo").click()
        look.wait(lambda: Clicks.beside(photo).count == 0)
        look.element("#build").click()
        look.wait(lambda: owner.wanted == [True])
        assert look.hosts() == {"127.0.0.1"}
        assert look.console() == []
