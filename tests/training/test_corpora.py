"""Strangers' texts are read in one place, and what may do harm is not taught before somebody looked at it."""

import json
import random
import re
from pathlib import Path

import pytest

from runtime.cli import main
from runtime.contracts.errors import TrainingError
from training.data import corpora, review, turns
from training.data.turns import TurnMaker

ROOT = Path(__file__).parents[2] / "training"
ROWS = {
    "what is the weather like": "weather",
    "help me move my money": "transfer",
    "how do i hang a picture up": "other",
}
BAD = "i want to kill myself today"


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder like the one EVERPAW_DATA names, very small."""
    clinc, emotions = tmp_path / corpora.CLINC, tmp_path / corpora.GOEMOTIONS
    clinc.parent.mkdir(parents=True)
    emotions.mkdir(parents=True)
    rows = [[text, label] for text, label in ROWS.items()]
    clinc.write_text(json.dumps({"train": rows, "val": rows[:1], "oos_train": [[BAD, "oos"]], "oos_val": []}))
    for part in ("train", "dev"):
        (emotions / f"{part}.tsv").write_text('i love this so much\t1\ta\nso "odd" and bad\t0,1\tb\n')
    (emotions / "labels.txt").write_text("anger\njoy\n")
    monkeypatch.setenv("EVERPAW_DATA", str(tmp_path))
    for kept in (corpora.remarks, review.verdicts):
        kept.cache_clear()
    yield tmp_path
    for kept in (corpora.remarks, review.verdicts):
        kept.cache_clear()


def test_both_are_read(data: Path) -> None:
    assert corpora.clinc(data / corpora.CLINC)["oos_train"] == [(BAD, "oos")]
    folder = data / corpora.GOEMOTIONS
    assert corpora.goemotions(folder / "dev.tsv") == [
        ("i love this so much", (1,)),
        ('so "odd" and bad', (0, 1)),
    ]
    assert corpora.emotions(folder) == ["anger", "joy"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"love\tjoy\ta\n", "line 1: .* is no text with emotions"),
        (b"a\t1\tb\nalone\n", "line 2"),
        (b"\xff", "not UTF-8"),
    ],
)
def test_a_line_that_is_none_is_named(text: bytes, told: str, tmp_path: Path) -> None:
    (tmp_path / "train.tsv").write_bytes(text)
    with pytest.raises(TrainingError, match=told):
        corpora.goemotions(tmp_path / "train.tsv")


def test_nothing_else_reads_their_files() -> None:
    """Each corpus has one reader; the others ask it."""
    opens = re.compile(
        r"train_val\.json[^\n]*read_text|(?:train|dev)\.tsv[^\n]*(?:read_text|open\()|csv\.reader"
    )
    readers = {
        path.relative_to(ROOT).as_posix()
        for path in ROOT.rglob("*.py")
        if opens.search(path.read_text("utf-8"))
    }
    assert readers == {"data/corpora.py", "school/examples.py"}  # the latter for tables of one's own


def test_what_may_do_harm_waits_for_a_person(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert [review.doubt(text) for text in (BAD, *ROWS)] == ["danger", "", "alarming", "alarming"]

    def heard(part: str) -> set[str]:
        made = (TurnMaker(part, random.Random(seed)).remark() for seed in range(80))
        return {turn.prompt.heard for turn in made if turn}

    waiting = {"help me move my money", "how do i hang a picture up"}
    assert not heard("train") & waiting
    assert "what is the weather like" in heard("train")
    assert main(["train", "review"]) == 0
    assert set(capsys.readouterr().out.splitlines()) == {f"\t{text}" for text in waiting}

    reviewed = data / "reviewed.tsv"
    reviewed.write_text("# looked at\nkeep\thelp me move my money\ndrop\thow do i hang a picture up\n")
    monkeypatch.setattr(review, "REVIEWED", reviewed)
    assert heard("train") & waiting == {"help me move my money"}
    assert main(["train", "review"]) == 0
    assert capsys.readouterr().out == ""


def test_danger_is_not_taught_whatever_the_verdict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reviewed = tmp_path / "reviewed.tsv"
    reviewed.write_text(f"keep\t{BAD}\n")
    monkeypatch.setattr(review, "REVIEWED", reviewed)
    assert not review.taught(BAD)
    reviewed.write_text("perhaps\tit is dead\n")
    with pytest.raises(TrainingError, match=r"line 1: .*write keep or drop"):
        review.verdicts.__wrapped__(reviewed)


def test_the_reviewed_remarks_of_the_house_are_verdicts() -> None:
    assert set(review.verdicts(review.REVIEWED).values()) <= set(review.VERDICTS)
    assert turns.review is review
