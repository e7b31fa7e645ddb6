"""The figures of docs/figures.md come from a command, and would show a memory that got worse."""

import json
from pathlib import Path

import pytest

from runtime.cli import main
from runtime.intervals import Share, wilson
from runtime.mind.memory import figures, teaching
from runtime.mind.memory.memory import Memory


@pytest.mark.parametrize("half", [0, 1], ids=figures.HALVES)
def test_fifty_facts_taught_and_fifty_not(memory: Memory, half: int) -> None:
    found = figures.figures(memory, figures.sentences(), half)
    assert found.good, found
    assert (found.taken_up.n, found.right.n, found.unknown.n) == (50, 100, 50)


def test_a_memory_that_keeps_nothing_misses_its_goals(
    memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(teaching, "statement_of", lambda text, about=None: None)
    found = figures.figures(memory, figures.sentences(), 1)
    assert not found.good
    assert found.right.right < 10


def test_sentences_of_others_that_are_kept_are_counted(memory: Memory) -> None:
    others = ["my sister is called Anna", "what a lovely day", "sit down", "I live in Kiel"]
    assert figures.taken_for_facts(memory, others) == [others[0], others[3]]


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "others.tsv"
    file.write_text("what a lovely day\tjoy\n\nmy sister is called Anna\tneutral\n")
    assert main(["eval", "memory", "--others", str(file), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["others"] == {"taken_for_facts": 1, "n": 2}
    assert found["held out"]["right"]["n"] == 100
    assert main(["eval", "memory", "--others", str(tmp_path / "nowhere")]) == 1
    assert "give a text file" in capsys.readouterr().err


def test_a_share_and_how_far_it_can_be_trusted() -> None:
    assert str(Share(95, 100)) == "95 % (89-98, n 100)"
    assert str(Share(0, 0)) == "- (n 0)"
    assert wilson(0, 0) == (0.0, 1.0)
    assert wilson(10, 10) == pytest.approx((0.722, 1.0), abs=1e-3)
