"""Why a sentence was taken for what it was: what counts is found, changes turn it, the worst is told."""

import json
from pathlib import Path

import numpy as np
import pytest

from runtime.cli import main
from runtime.starter import FOLDER
from tests.training.school.conftest import sentences
from tests.training.school.lessons import words
from training.school import attributions, checkpoint, worst
from training.school.attributions import Model
from training.school.confidence import Array
from training.school.examples import Example

LABELS = ["oos", "sit", "walk"]


def shares(texts: list[str]) -> Array:
    """Sits at "sit", walks at "walk", both: sits."""
    rows = {"sit": [0.05, 0.9, 0.05], "walk": [0.1, 0.1, 0.8], "": [0.8, 0.1, 0.1]}
    return np.array([rows[next((w for w in ("sit", "walk") if w in t.split()), "")] for t in texts])


RULE = Model(LABELS, False, shares, 0.5)


@pytest.fixture(scope="module")
def trained(
    starts: dict[str, Path], table: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """Architecture -> a checkpoint that has learned a little."""
    folder = tmp_path_factory.mktemp("trained")
    for kind in ("bert", "gpt2", "llama"):
        argv = words(starts[kind], table, "length.steps=40", "optimiser.rate=0.005")
        assert main(["train", "behaviour", *argv, "--out", str(folder / kind)]) == 0
    return {kind: folder / kind for kind in ("bert", "gpt2", "llama")}


def test_the_word_that_counts_is_found() -> None:
    assert np.argmax(attributions.left_out(RULE, ["please", "sit", "down"], "sit")) == 1


@pytest.mark.parametrize(
    ("text", "wanted", "edits"),
    [("please sit down", "", 1), ("sit", "walk", 1), ("sit and walk", "walk", 1), ("sit sit sit", "walk", 3),
     ("sit sit sit", "", 3)],
)  # fmt: skip
def test_the_fewest_changes_that_turn_it_are_found(text: str, wanted: str, edits: int) -> None:
    found = attributions.counterfactual(RULE, text.split(), ["walk", "tea"], 3, wanted)
    assert found is not None
    assert len(found.edits) == edits
    assert found.became == RULE.decisions(shares([found.text]))[0] != RULE.decisions(shares([text]))[0]
    assert not wanted or found.became == {wanted}


def test_where_no_change_turns_it_nothing_is_said() -> None:
    assert attributions.counterfactual(RULE, ["sit", "sit", "sit"], ["tea"], 2) is None


@pytest.mark.parametrize("kind", ["bert", "gpt2", "llama"])
def test_gradients_add_up_to_the_change_of_the_logit(kind: str, trained: dict[str, Path]) -> None:
    loaded = checkpoint.load(trained[kind], "behaviour")
    each, rest = attributions.integrated_gradients(loaded, ["please", "sit", "now"], "sit")
    whole = sum(each) + rest
    assert len(each) == 3
    assert abs(rest) < max(0.05, 0.1 * abs(whole))
    assert max(abs(value) for value in each) > 0


def test_a_sentence_is_explained(trained: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    argv = ["explain", "behaviour", str(trained["bert"]), "please sit now"]
    assert main([*argv, "--json", "--to", "walk"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["words"] == ["please", "sit", "now"]
    assert len(told["left_out"]) == len(told["integrated_gradients"]) == 3
    assert told["change"] is None or "walk" in told["change"]["became"]
    assert main(argv) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("taken for: ")
    assert "gradients" in shown


def test_the_starters_own_classifier_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        main(["explain", "behaviour", str(FOLDER / "behaviour"), "could you lay down for me", "--json"]) == 0
    )
    told = json.loads(capsys.readouterr().out)
    assert "integrated_gradients" not in told
    assert told["words"][int(np.argmax(told["left_out"]))] in {"lay", "down"}


def test_the_starters_own_sentences_are_changed_without_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ["explain", "behaviour", str(FOLDER / "behaviour"), "--worst", "--out", str(tmp_path / "worst")]
    assert main([*argv, "--limit", "60", "--tries", "2"]) == 0
    assert capsys.readouterr().out.count("n 6") >= 6
    told = json.loads((tmp_path / "worst" / "report.json").read_text("utf-8"))
    assert told["facts"]["flips"]


def test_the_worst_of_each_kind_of_change_is_counted() -> None:
    some = [Example("please sit", ("sit",)), Example("walk on", ("walk",)), Example("tea", ("oos",)),
            Example("sit sit", ("sit",))]  # fmt: skip
    ways = worst.ways(some, 2)
    found = worst.stand(RULE, some, "a word dropped", ways["a word dropped"])
    assert (found.right, found.stood, found.n) == (4, 2, 4)
    assert found.changed_right == pytest.approx(3 / 5)
    assert [(flip.text, flip.changed, flip.became) for flip in found.flips] == [
        ("please sit", "please", "oos"), ("walk on", "on", "oos")
    ]  # fmt: skip


def test_each_kind_of_change_changes(tmp_path: Path) -> None:
    some = [Example(text, (label,)) for text, label in sentences()]
    (tmp_path / "words.txt").write_text("sit rest\n", encoding="utf-8")
    rng = np.random.default_rng(1)
    for way in worst.ways(some, 3, tmp_path / "words.txt").values():
        assert set(way("please sit down now", rng)) - {"please sit down now"}
    assert worst.synonyms(worst.SYNONYMS)["small"] == ["little", "tiny"]


def test_the_worst_of_a_checkpoint_is_reported(
    trained: dict[str, Path], table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "worst"
    argv = [
        "explain",
        "behaviour",
        str(trained["bert"]),
        "--worst",
        str(table),
        "--limit",
        "12",
        "--tries",
        "2",
    ]
    assert main([*argv, "--out", str(out)]) == 0
    assert capsys.readouterr().out.count("in every change") == 3
    told = json.loads((out / "report.json").read_text("utf-8"))
    assert [row["who"] for row in told["table"]][1] == "a word dropped"
    assert all(flip["text"] != flip["changed"] for flip in told["facts"]["flips"])
    assert (out / "report.html").is_file()


def test_errors_name_the_cure(
    trained: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def error(*argv: object) -> str:
        assert main(["explain", *map(str, argv)]) == 1
        return capsys.readouterr().err.strip().splitlines()[-1]

    bert = trained["bert"]
    assert "is a checkpoint of 'behaviour', not of 'mood'" in error("mood", bert, "hello")
    assert "there are no words to explain" in error("behaviour", bert, "  ")
    assert "--to 'fly' is no label" in error("behaviour", bert, "hello", "--to", "fly")
    assert "give --out" in error("behaviour", bert, "--worst", tmp_path / "x.tsv")
    assert "is not there" in error("behaviour", bert, "--worst", tmp_path / "x.tsv", "--out", tmp_path / "o")
    assert "cannot be read" in error("behaviour", bert, "hello", "--words", tmp_path / "none")
