"""Words of danger to measure on: kept apart, and counted by the robot's own understanding."""

import json
from collections import Counter
from pathlib import Path

import pytest

from runtime.mind.grammar import normalise
from training.reader import report as danger_report


def test_nothing_that_is_measured_on_may_be_learned_from() -> None:
    held = {text for name in danger_report.HELD_OUT for text in danger_report.sentences(name)}
    taught = {text for name in danger_report.TAUGHT for text in danger_report.sentences(name)}
    assert len(held) >= 500
    assert not {normalise(text) for text in held} & taught


@pytest.mark.parametrize(("name", "least"), [("danger", 2_300), ("harmless", 3_000)])
def test_what_is_taught_is_plentiful_plain_and_stands_once(name: str, least: int) -> None:
    texts = danger_report.sentences(name)
    assert len(texts) >= least
    assert [text for text in texts if normalise(text) != text] == []
    assert [text for text, times in Counter(texts).items() if times > 1] == []
    assert not {*texts} & {*danger_report.sentences("danger" if name == "harmless" else "harmless")}


def test_the_report_counts_both_sides(capsys: pytest.CaptureFixture[str]) -> None:
    assert danger_report.main(["--json", "--rules-alone"]) == 0
    found = json.loads(capsys.readouterr().out)
    shares = {name: share["right"] / share["n"] for name, share in found.items()}
    assert shares["danger"] > 0.07 > 0.03 > shares["harmless"]
    assert all(found[name]["n"] == len(danger_report.sentences(name)) for name in danger_report.HELD_OUT)


def test_the_shipped_reader_helps_in_more_of_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("EVERPAW_DATA", raising=False)
    whole = danger_report.sentences
    monkeypatch.setattr(danger_report, "sentences", lambda name: whole(name)[:40])
    found = []
    for options in (["--json"], ["--json", "--rules-alone"]):
        assert danger_report.main(options) == 0
        found.append(json.loads(capsys.readouterr().out)["held_out_danger"]["right"])
    assert found[0] >= found[1] + 20


def test_a_folder_without_a_reader_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert danger_report.main(["--reader", str(tmp_path)]) == 1
    assert "not a usable ONNX model" in capsys.readouterr().err
