"""Words of danger to measure on: kept apart, and counted by the robot's own understanding."""

import json
from pathlib import Path

import pytest

from training.reader import report as danger_report


def test_nothing_that_is_measured_on_may_be_learned_from() -> None:
    held = {*danger_report.sentences("held_out_danger"), *danger_report.sentences("held_out_harmless")}
    taught = {*danger_report.sentences("danger"), *danger_report.sentences("harmless")}
    assert len(held) >= 120
    assert not held & taught


def test_the_report_counts_both_sides(capsys: pytest.CaptureFixture[str]) -> None:
    assert danger_report.main(["--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["danger"]["right"] > 100 > 30 > found["harmless"]["right"]
    assert found["held_out_danger"]["n"] == len(danger_report.sentences("held_out_danger"))


def test_a_folder_without_a_reader_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert danger_report.main(["--reader", str(tmp_path)]) == 1
    assert "not a usable ONNX model" in capsys.readouterr().err
