"""Latency of files beside each other."""

import pytest

pytest.importorskip("optimum.exporters.onnx", reason="needs the extra: pip install 'everpaw[export]'")

from export.models import timing


def test_what_the_machine_did_meanwhile_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    now, busy = [0.0], iter([7.0, 0.0, 0.0, 3.0, 0.0, 0.0] + 12 * [0.0])

    def take(seconds: float) -> None:
        now[0] += seconds + next(busy)

    monkeypatch.setattr(timing.time, "perf_counter", lambda: now[0])
    runs = {"quick": lambda one: take(0.001 * one), "slow": lambda one: take(0.002 * one)}
    found = timing.in_turns_ms(runs, [1, 2, 9], rounds=3)
    assert found == pytest.approx({"quick": 2.0, "slow": 4.0})
