"""`everpaw doctor`: every line has a cure, and a check that breaks does not end the round."""

import json

import pytest

from runtime import doctor
from runtime.cli import main
from runtime.finding import Finding


def test_this_machine_is_well_enough(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(doctor.CHECKS)
    assert all(line.startswith(("✓", "-")) for line in lines)


def test_findings_for_scripts(capsys: pytest.CaptureFixture[str]) -> None:
    main(["doctor", "--json"])
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert all(set(row) == {"name", "well", "seen", "cure", "weight", "figure"} for row in rows)
    assert all(row["cure"] for row in rows if not row["well"])


def test_a_need_unmet_fails_and_a_broken_check_is_a_finding(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> Finding:
        raise OSError("no such device")

    monkeypatch.setattr(doctor, "CHECKS", (doctor.python, broken))
    assert main(["doctor"]) == 1
    assert "✗ broken" in capsys.readouterr().out


def test_two_onnxruntime_wheels_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_version", lambda name: "1.32.0")
    finding = doctor.onnxruntime()
    assert not finding.well
    assert "overwrite each other" in finding.cure
