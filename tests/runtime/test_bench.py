"""The benches' arithmetic; speeds themselves are never asserted."""

import json

import pytest

from runtime.bench import percentiles
from runtime.cli import main


def test_percentiles() -> None:
    assert percentiles([]) == {"p50": None, "p95": None, "n": 0}
    assert percentiles([3.0]) == {"p50": 3.0, "p95": 3.0, "n": 1}
    assert percentiles([float(n) for n in range(101)]) == {"p50": 50.0, "p95": 95.0, "n": 101}


def test_cost_reports_every_figure(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "cost", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert set(figures) == {
        "start_s", "idle_core_share", "memory_mb", "asr_ms", "text_ms", "engines_ms",
    }  # fmt: skip
    assert figures["memory_mb"] > 0
    assert set(figures["engines_ms"]) >= {"wake/hey_buddy", "stop/stop", "asr/model", "behaviour/model"}


def test_a_senseless_number_of_rounds_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "latency", "--rounds", "0"]) == 1
    assert "--rounds 0" in capsys.readouterr().err
