"""Ablation and search: each line another run, nothing measured twice, the reported part not looked at."""

import json
import tomllib
from pathlib import Path

import pytest

pytest.importorskip("optuna", reason="needs the extra: pip install 'everpaw[training]'")

import optuna

from runtime.cli import main
from runtime.contracts.config import load_config
from runtime.contracts.errors import ConfigError
from tests.training.school.lessons import words
from training.school import ablate, course, search
from training.school.settings import Lesson, Switches


def test_an_ablation_goes_on_where_it_was(
    starts: dict[str, Path],
    table: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def ablated(*only: str) -> str:
        argv = ["train", "ablate", "behaviour", *words(starts["bert"], table), "--out", str(tmp_path)]
        assert main([*argv, "--only", *only]) == 0
        return capsys.readouterr().out

    assert ablated("plain").count("\n") == 3
    runs: list[str] = []
    real = ablate.run
    monkeypatch.setattr(ablate, "run", lambda *a: runs.append(a[2]) or real(*a))
    assert ablated("plain", "R-Drop").count("\n") == 4
    assert runs == [ablate.SWITCHES["R-Drop"]]
    assert set(json.loads((tmp_path / "ablation.json").read_text())["lines"]) == {"plain", "R-Drop"}
    assert (tmp_path / "ablation.png").read_bytes().startswith(b"\x89PNG")
    assert ablate._span("88.3 % (87.1-89.4, n 2999)") == (88.3, 87.1, 89.4)
    argv = ["train", "ablate", "behaviour", *words(starts["bert"], table, "seed=9"), "--out", str(tmp_path)]
    assert main(argv) == 1
    assert "is of other settings" in capsys.readouterr().err


def test_a_search_keeps_its_trials_and_never_looks_at_what_is_reported(
    starts: dict[str, Path],
    table: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    space = tmp_path / "space.toml"
    space.write_text(
        '"optimiser.rate" = {low = 1e-4, high = 1e-2, log = true}\n"length.batch" = {choices = [8, 16]}\n'
        '"freeze.top" = {low = 1, high = 2}\n'
    )
    parts = course.parts_of
    monkeypatch.setattr(course, "parts_of", lambda lesson: _blind(parts(lesson)))

    def searched(trials: int) -> str:
        argv = [
            *words(starts["bert"], table, "length.steps=3"),
            "--space",
            str(space),
            "--out",
            str(tmp_path),
        ]
        assert main(["train", "search", "behaviour", *argv, "--trials", str(trials)]) == 0
        return capsys.readouterr().err

    assert searched(2).count("COMPLETE") == 2
    assert searched(3).count("COMPLETE") == 1
    best = load_config(Lesson, tmp_path / "best.toml", [])
    assert best.length.batch in (8, 16)
    assert best.optimiser.rate == tomllib.loads((tmp_path / "best.toml").read_text())["optimiser"]["rate"]
    assert (tmp_path / "search.png").is_file()
    assert not list(tmp_path.glob("trial-*"))


def _blind(parts: course.Parts) -> course.Parts:
    """A reported part that nothing can be learned from."""
    return course.Parts(parts.learned, parts.held_back, [], parts.counts, parts.digests)


@pytest.mark.parametrize(
    "span",
    [
        "3",
        "{low = 3, high = 1}",
        '{low = "a", high = 1}',
        "{low = 0, high = 1, log = true}",
        "{choices = []}",
    ],
)
def test_a_space_that_is_none_is_named(span: str, tmp_path: Path) -> None:
    path = tmp_path / "space.toml"
    path.write_text(f'"optimiser.rate" = {span}\n')
    with pytest.raises(ConfigError, match=r"optimiser\.rate = .* needs low and a higher high"):
        search.read_space(path)


def test_a_space_that_is_no_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "space.toml"
    path.write_bytes(b"\x80")
    with pytest.raises(ConfigError, match="cannot be read"):
        search.read_space(path)


def test_the_best_settings_can_be_read_again(tmp_path: Path) -> None:
    study = optuna.create_study()
    spaces = {
        name: optuna.distributions.CategoricalDistribution(choices)
        for name, choices in (("machine.gradient_checkpointing", (True,)), ("optimiser.name", ("sgd",)))
    }
    values = {"machine.gradient_checkpointing": True, "optimiser.name": "sgd"}
    study.add_trial(optuna.trial.create_trial(params=values, distributions=spaces, value=0.5))
    search.tell(study, tmp_path)
    best = load_config(Lesson, tmp_path / "best.toml", [])
    assert best.machine.gradient_checkpointing
    assert best.optimiser.name == "sgd"


def test_synonyms_are_a_line_where_there_are_some(tmp_path: Path) -> None:
    assert "synonyms" not in ablate.lines_of(Lesson())
    assert "synonyms" in ablate.lines_of(Lesson(switches=Switches(synonym_file=tmp_path / "words.txt")))
