"""Both learn the same sentences once, and what is told is tokens a second of each."""

import json
from pathlib import Path

import pytest

from tests.training.school.lessons import lesson_of, words
from training.school import course, speed


def test_school_and_plain_trainer_learn_the_same_tokens(
    starts: dict[str, Path], table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lesson = lesson_of(starts["bert"], table, "length.steps=0")
    parts = course.parts_of(lesson)
    argv = [*words(starts["bert"], table, "length.steps=0"), "--times", "1", "--out", str(tmp_path / "work")]
    assert speed.main(argv) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told["tokens"] == sum(len(e.text.split()) for e in parts.learned)
    assert told["school"] > 0
    assert told["plain"] > 0
    assert not (tmp_path / "work").exists()
