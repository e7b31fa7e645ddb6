"""Which of TensorRT, CUDA and the processor serves: by what it does, never by what it says of itself."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from runtime import starter
from runtime.assembly import describe
from runtime.contracts.config import RobotConfig
from runtime.doctor import acceleration
from runtime.engines import Engine, ladder, session
from runtime.engines.ladder import PROBE, Rung, climb
from runtime.engines.session import CPU, CUDA, ON_CPU, TENSORRT, Arrays, Feeds, Place

FEEDS = {"x": np.ones((4, 4), np.float32)}


class Fake:
    """An engine that answers `y = x @ ones + 1`, off by `off`, and takes a stated time."""

    def __init__(self, clock: list[float], took_s: float, providers: list[str], off: float = 0.0) -> None:
        self._clock, self._took_s, self._off = clock, took_s, off
        self.providers = providers

    def run(self, feeds: Feeds) -> Arrays:
        self._clock[0] += self._took_s
        return {"y": np.asarray(feeds["x"], np.float32) @ np.ones((4, 4), np.float32) + 1 + self._off}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [0.0]
    monkeypatch.setattr(ladder.time, "perf_counter", lambda: now[0])
    return now


def _fail(error: Exception) -> Callable[[], Fake]:
    def opened() -> Fake:
        raise error

    return opened


def _rung(clock: list[float], provider: str = CUDA, **how: object) -> Rung:
    name = "cuda" if provider == CUDA else "tensorrt"
    has = [provider, CPU]
    good = Fake(clock, how.get("took_s", 0.001), how.get("has", has), how.get("off", 0.0))  # type: ignore[arg-type]
    probe = Fake(clock, 0.001, how.get("probe_has", has), how.get("probe_off", 0.0))  # type: ignore[arg-type]
    return Rung(name, provider, Place((provider, CPU)), how.get("open", lambda: good), lambda: probe)  # type: ignore[arg-type]


def _climb(clock: list[float], *rungs: Rung) -> tuple[ladder.Decision, Place]:
    return climb(rungs, Fake(clock, 0.002, [CPU]), FEEDS, 2e-3)


def test_the_first_that_holds_is_taken(clock: list[float]) -> None:
    decision, place = _climb(clock, _rung(clock, TENSORRT), _rung(clock))
    assert (decision.provider, place.providers[0]) == ("tensorrt", TENSORRT)
    assert decision.latency_ms == pytest.approx(1.0)
    assert decision.cpu_ms == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ({"probe_has": [CPU]}, "fell back by itself at a plain matrix product"),
        ({"probe_off": 1.0}, "gives 6, not 5"),
        ({"has": [CPU]}, "fell back by itself at this model"),
        ({"off": 0.1}, "other answers than the processor"),
        ({"off": float("nan")}, "other answers than the processor"),
        ({"took_s": 0.003}, "slower than the processor, 3.00 against 2.00 ms"),
        ({"open": _fail(RuntimeError("CUDA error 35"))}, "CUDA error 35"),
    ],
)
def test_one_that_does_not_hold_is_passed_over_and_says_why(
    clock: list[float], how: dict[str, object], why: str
) -> None:
    decision, place = _climb(clock, _rung(clock, **how))
    assert (decision.provider, place) == ("cpu", ON_CPU)
    assert why in decision.why
    lower, _ = _climb(clock, _rung(clock, TENSORRT, **{**how, "probe_has": [CPU]}), _rung(clock))
    assert lower.provider == "cuda"
    assert lower.why.startswith("tensorrt: ")


def test_here_the_probe_itself_is_right() -> None:
    assert (Engine(PROBE, place=ON_CPU).run(FEEDS)["y"] == 5).all()


def test_a_build_with_a_gpu_but_without_one_here_serves_from_the_processor(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Such a build lists CUDA; its sessions drop it without a word."""
    monkeypatch.setattr(ladder, "available", lambda: [TENSORRT, CUDA, CPU])
    plain = session._open
    monkeypatch.setattr(session, "_open", lambda path, threads, place: plain(path, threads, ON_CPU))
    ladder.use("auto")
    path = starter.load_pack().files("stop", ".onnx")[0]
    try:
        assert Engine(path).providers == [CPU]
        why = ladder.decisions()[path].why
        assert "no folder of engines" in why
        assert "cuda: it fell back by itself" in why
    finally:
        ladder.use("auto")


class _Breaking:
    """A session whose GPU goes away after `good` runs."""

    def __init__(self, inner: object, good: int) -> None:
        self._inner, self._left = inner, good

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)

    def get_providers(self) -> list[str]:
        return [CUDA, CPU]

    def run(self, *args: object) -> object:
        self._left -= 1
        if self._left < 0:
            raise RuntimeError("CUDA failure 719: unspecified launch failure")
        return self._inner.run(*args)  # type: ignore[attr-defined]


def test_a_gpu_that_goes_away_is_replaced_in_the_middle_of_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = session._open
    monkeypatch.setattr(
        session, "_open",
        lambda path, threads, place: plain(path, threads, ON_CPU) if place == ON_CPU
        else _Breaking(plain(path, threads, ON_CPU), 1),
    )  # fmt: skip
    engine = Engine(PROBE, place=Place((CUDA, CPU)))
    assert all((engine.run(FEEDS)["y"] == 5).all() for _ in range(3))
    assert "CUDA failure 719" in ladder.decisions()[PROBE].why
    assert engine.providers == [CPU]
    ladder.use("auto")


def test_an_error_of_the_processor_is_raised() -> None:
    with pytest.raises(Exception, match=r"(?i)invalid|required"):
        Engine(PROBE, place=ON_CPU).run({"x": np.ones((3, 3), np.float32)})


def test_decision_and_reason_are_told_by_meta_and_doctor() -> None:
    seen = acceleration(RobotConfig()).seen
    assert "asr/model" in seen
    told = describe(starter.load_pack()).engines
    assert told["asr/model"].startswith("cpu: ")


def test_the_settings_may_want_the_processor() -> None:
    ladder.use("cpu")
    try:
        Engine(PROBE)
        assert ladder.decisions()[PROBE] == ladder.Decision("cpu", "as the settings want")
    finally:
        ladder.use("auto")


def test_an_output_of_another_shape_is_no_answer() -> None:
    assert ladder.difference({"y": np.ones(3)}, {"y": np.ones(4)}) == float("inf")
    assert Path(PROBE).stat().st_size < 300
