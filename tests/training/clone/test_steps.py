"""The frame of a clone: folder, profile, and steps that are kept by what went into them."""

import json
from pathlib import Path

import pytest

from export import clone
from runtime.cli import main
from runtime.contracts.errors import CloneError
from training.clone.profile import Profile
from training.clone.steps import Pet, Step, Work, build

ANSWERS = ["--name", "Mia", "--species", "Dog", "--breed", "", "--born", "2019-05-31", "--sex", "female"]
ANSWERS += ["--traits", "shy, quick", "--life", "memory", "--language", "de", "--owner", "", "--consent", ""]


@pytest.fixture
def pet(tmp_path: Path) -> Pet:
    assert main(["clone", "init", str(tmp_path / "mia"), *ANSWERS]) == 0
    return Pet(tmp_path / "mia", Profile.load(tmp_path / "mia"))


def _step(name: str, inputs: tuple[str, ...], runs: list[str], fault: str = "") -> Step:
    def run(work: Work) -> None:
        runs.append(name)
        work.progress(0.5)
        (work.out / "half").write_text("x")
        if fault:
            raise CloneError(fault)

    return Step(name, name, inputs, run)


def test_init_asks_and_the_profile_comes_back(pet: Pet) -> None:
    assert pet.profile.traits == ("shy", "quick")
    assert (pet.profile.life, pet.profile.language, pet.profile.species) == ("memory", "de", "dog")
    assert (pet.folder / "photos").is_dir()
    assert main(["clone", "init", str(pet.folder), *ANSWERS]) == 1


@pytest.mark.parametrize("line", ["name = 3", "species = 'whale'", "tail = 1", "born = 'soon'", "= ="])
def test_a_wrong_line_of_the_profile_is_named(
    line: str, pet: Pet, capsys: pytest.CaptureFixture[str]
) -> None:
    (pet.folder / "profile.toml").write_text(line)
    assert main(["clone", "check", str(pet.folder)]) == 1
    error = capsys.readouterr().err
    assert "profile.toml" in error
    assert "mend" in error


def test_a_step_is_kept_until_its_inputs_change(pet: Pet) -> None:
    runs: list[str] = []
    table = (_step("a", ("photos/*",), runs), _step("b", ("@a", "notes/*"), runs))
    assert [o.how for o in build(pet, table)] == ["made", "made"]
    assert [o.how for o in build(pet, table)] == ["kept", "kept"]
    (pet.folder / "notes" / "one.txt").write_text("likes rain")
    assert [o.how for o in build(pet, table)] == ["kept", "made"]
    (pet.folder / "photos" / "one.jpg").write_bytes(b"1")
    assert [o.how for o in build(pet, table)] == ["made", "made"]
    assert runs == ["a", "b", "b", "a", "b"]


def test_a_failure_is_told_and_the_rest_goes_on(pet: Pet) -> None:
    runs: list[str] = []
    said: list[str] = []
    table = (_step("a", (), runs, fault="too dark"), _step("b", ("@a",), runs), _step("c", (), runs))
    outcomes = build(pet, table, said.append)
    assert [(o.name, o.how) for o in outcomes] == [("a", "failed"), ("b", "left out"), ("c", "made")]
    assert outcomes[0].why == "too dark"
    assert pet.made("a") is None
    assert pet.made("c") is not None
    assert any("50 %" in line for line in said)


def test_an_interrupted_step_leaves_nothing_that_looks_whole(pet: Pet) -> None:
    def broken(work: Work) -> None:
        (work.out / "half").write_text("x")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(pet, (Step("a", "a", (), broken),))
    assert pet.made("a") is None
    assert [o.how for o in build(pet, (_step("a", (), []),))] == ["made"]


def test_skills_are_laid_as_poses_within_their_limits(pet: Pet) -> None:
    clone.lay_skills(pet.folder)
    data = json.loads((pet.folder / ".clone" / "skills.json").read_text())
    assert {"sit", "walk", "wag"} <= data["skills"].keys()
    assert max(abs(pose["tail"]) for pose in data["skills"]["wag"]) > 30
