"""A life goes over a restart whole, or not at all."""

from dataclasses import replace
from pathlib import Path

import pytest

from runtime.life import will
from runtime.life.acts import STAND
from runtime.life.kept import Kept, load, place, save
from runtime.mind.emotion import Feeling

KEPT = Kept(
    replace(will.State(3), age_s=99.5, last_s={"wag": 12.0}, turns={"wag": 2}, bids=1, draws=7),
    Feeling(0.4, -0.2, "curious", 3.0, 8.0),
)


def test_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "life.json"
    save(KEPT, path)
    assert load(path, 3) == KEPT
    assert [file.name for file in path.parent.iterdir()] == ["life.json"]


def test_who_slept_stands_when_the_body_begins_anew(tmp_path: Path) -> None:
    save(replace(KEPT, state=replace(KEPT.state, posture="asleep", doing="sleep")), tmp_path / "l")
    kept = load(tmp_path / "l", 3)
    assert kept is not None
    assert (kept.state.posture, kept.state.doing) == (STAND, "")


def test_nothing_kept_is_no_life_and_another_seed_is_another(tmp_path: Path) -> None:
    assert load(tmp_path / "none", 3) is None
    save(KEPT, tmp_path / "life.json")
    assert load(tmp_path / "life.json", 4) is None
    assert load(tmp_path / "life.json", 3) == KEPT


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text[: len(text) // 2],
        lambda text: "",
        lambda text: text.replace('"rest":', '"unrest":'),
        lambda text: text.replace('"company":0.2', '"company":7').replace('"company": 0.2', '"company": 7'),
        lambda text: text.replace('"schema": 1', '"schema": 2'),
        lambda text: text + " " * 200_000,
    ],
)
def test_a_broken_file_is_set_aside_and_nothing_of_it_lost(tmp_path: Path, change) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "life.json"
    save(KEPT, path)
    broken = change(path.read_text())
    assert broken != path.read_text()
    path.write_text(broken)
    assert load(path, 3) is None
    assert path.with_name("life.json.unreadable").read_text() == broken
    assert not path.exists()


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "life.json"
    save(KEPT, path)

    def full(fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        save(replace(KEPT, feeling=Feeling(0, 0)), path)
    assert load(path, 3) == KEPT
    assert [file.name for file in tmp_path.iterdir()] == ["life.json"]


def test_its_place_follows_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert place("rex") == tmp_path / "everpaw" / "rex" / "life.json"
