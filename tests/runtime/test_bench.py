"""The benches' arithmetic, pictures and files; speeds themselves are never asserted."""

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from runtime import bench, day, latency
from runtime.answer import TurnRecord
from runtime.bench import compared, percentiles, ratio
from runtime.cli import main
from runtime.contracts.config import RobotConfig
from runtime.day import Look, grown
from runtime.demo.interview import Answered
from runtime.demo.people import Spoken
from runtime.mind.behaviour import Understanding
from runtime.mind.conversation import Turn
from runtime.mind.dialogue import Reply


def test_percentiles() -> None:
    assert percentiles([]) == {"p50": None, "p95": None, "n": 0}
    assert percentiles([3.0]) == {"p50": 3.0, "p95": 3.0, "n": 1}
    assert percentiles([float(n) for n in range(101)]) == {"p50": 50.0, "p95": 95.0, "n": 101}
    assert percentiles([-40.0, 20.0])["p50"] == -10.0


def test_ratios_keep_their_sign_and_say_nothing_of_what_was_not_measured() -> None:
    assert ratio(100.0, 400.0) == 0.25
    assert ratio(-20.0, 400.0) == -0.05
    assert ratio(None, 400.0) is ratio(100.0, None) is ratio(1.0, 0.0) is None


def test_cost_reports_every_figure(tmp_path: Path) -> None:
    kept = tmp_path / "cost.json"
    assert main(["bench", "cost", "--json", str(kept)]) == 0
    figures = json.loads(kept.read_text())["cost"]
    assert set(figures) == {
        "start_s", "idle_core_share", "idle_beside_library", "memory_mb", "voice_memory_mb", "asr_ms",
        "text_ms", "engines_ms", "minutes",
    }  # fmt: skip
    assert figures["memory_mb"] > 0
    assert set(figures["engines_ms"]) >= {"wake/hey_buddy", "stop/stop", "asr/model", "behaviour/model"}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["latency", "--rounds", "0"], "--rounds 0"),
        (["day", "--turns", "0"], "--turns 0"),
        (["cost", "--plot", "x.png"], "--plot draws latency"),
        (["cost", "--against", "nowhere.json"], "--against nowhere.json"),
    ],
)
def test_senseless_wishes_are_told(words: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", *words]) == 1
    assert told in capsys.readouterr().err


def test_all_is_one_file_and_is_compared_with_an_earlier_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module = type(sys)("a_bench")
    monkeypatch.setitem(sys.modules, "a_bench", module)
    monkeypatch.setattr(bench, "KINDS", {"one": "a_bench", "day": "a_bench"})
    kept = tmp_path / "all.json"
    module.measure = lambda args: {"ms": {"p50": 200.0, "n": 3}, "raw_ms": [1, 2]}
    assert main(["bench", "all", "--json", str(kept)]) == 0
    assert set(json.loads(kept.read_text())) == {"machine", "one", "day"}
    module.measure = lambda args: {"ms": {"p50": 100.0, "n": 3}, "grew": {"files": "3 -> 4"}}
    capsys.readouterr()
    assert main(["bench", "all", "--against", str(kept)]) == 1, "something grew"
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("one.ms.p50"))
    assert line.split()[1:] == ["200", "100", "0.5"]


def test_only_what_both_have_is_compared() -> None:
    lines = compared({"a": {"x": 1, "gone": 2}, "word": "w"}, {"a": {"x": 3, "new": 4}, "word": "v"})
    assert [line.split() for line in lines[1:]] == [["a.x", "1", "3", "3.0"]]


def rows(shift_ms: float) -> list[dict[str, Any]]:
    times = {
        "endpoint": 150.0,
        "asr": 20.0,
        "behaviour": 1.0,
        "reply": 0.0,
        "understood": 170.0,
        "wording": 0.0,
    }
    return [
        {"kind": kind, "setpoint": shift_ms - 60, "voice": 190.0, "words": 200.0 + shift_ms, **times}
        for kind in ("commands", "questions")
    ]


def test_the_picture_is_drawn_and_a_missing_extra_names_the_line_to_type(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from runtime.contracts.errors import ConfigError, MissingExtraError
    from runtime.latency_plot import draw

    figures = {"raw_ms": rows(0.0), "raw_peers_ms": {"fixed 500 ms": rows(350.0)}}
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "matplotlib", None)
        with pytest.raises(MissingExtraError, match=r"everpaw\[training\]"):
            draw(figures, tmp_path / "a.png")
    pytest.importorskip("matplotlib")
    draw(figures, tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(ConfigError, match=r"a\.nonsense"):
        draw(figures, tmp_path / "a.nonsense")


def test_stages_make_up_the_whole_way() -> None:
    [stages, _] = [latency.stages_of(row) for row in rows(0.0)]
    assert sum(stages.values()) == pytest.approx(200.0 + 1.0)
    assert latency.stages_of({"endpoint": 3.0}) == {}
    assert sum(latency.shares([stages]).values()) == pytest.approx(1.0, abs=0.01)


LOOK = Look(1.0, 10, 150.0, 70_000, 3, 16, 2, 0, 10.0, 50.0)


@pytest.mark.parametrize("name", sorted(day.LIMITS))
def test_whatever_grows_over_the_day_is_told(name: str) -> None:
    flat = [LOOK] * day.LOOKS
    assert grown(flat) == {}
    per_look = max(1, getattr(LOOK, name) // 5)
    growing = [replace(LOOK, **{name: getattr(LOOK, name) + i * per_look}) for i in range(day.LOOKS)]
    assert set(grown(growing)) == {name}
    warming = [replace(LOOK, **{name: getattr(LOOK, name) // 2})] * 4 + flat[4:]
    assert grown(warming) == {}, "before the first quarter ends it may warm up"


def test_a_short_day_is_looked_at_and_nothing_stays_open() -> None:
    figures = day.measure(argparse.Namespace(hours=2.0, turns=1))
    assert len(figures["raw_looks"]) == day.FEWEST_LOOKS
    assert figures["end"]["hour"] == 2.0
    assert not {"threads", "files", "children", "waiting"} & set(figures["grew"])
    assert figures["end"]["kept_kb"] > 0, "it may remember, and does"


class FakeTalk:
    """Answers every line after `silence_ms`, and 40 ms more for the words."""

    def __init__(self, silence_ms: float) -> None:
        self._silence_ms = silence_ms

    def ask(self, spoken: Spoken) -> Answered:
        understood = Understanding(spoken.line.meant)
        turn = Turn(spoken.line.text, understood, Reply("Yes."), "calm")
        times = {"endpoint": self._silence_ms, "behaviour": 0.0, "reply": 0.0, "understood": self._silence_ms}
        times |= {"motion": self._silence_ms, "voice": self._silence_ms + 20, "words": self._silence_ms + 40}
        return Answered(spoken, TurnRecord(1, turn, times, "Yes."), times, split=False)

    def pause(self) -> None:
        pass


@contextmanager
def fake_interview(pack: object, room: object, config: RobotConfig) -> Iterator[tuple[Any, Any, None]]:
    silence_ms = config.turns.endpoint_silence_s * 1e3 if not config.early.enabled else 200.0
    yield (
        FakeTalk(silence_ms),
        SimpleNamespace(body=SimpleNamespace(broker=SimpleNamespace(kind="fake"))),
        None,
    )


def test_peers_are_compared_on_the_lines_they_were_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latency, "interview", fake_interview)
    figures = latency.measure(argparse.Namespace(rounds=1, no_peers=False))
    lines = len(figures["raw_ms"])
    assert figures["commands"]["setpoint_ms"] == {"p50": 200.0, "p95": 200.0, "n": 36}
    assert figures["commands"]["answered"] == {"n": 36, "of": 36, "as_meant": 36}
    assert set(figures["peers"]) == {"fixed 500 ms", "fixed 800 ms"}
    assert figures["peers"]["fixed 500 ms"]["commands"]["ours_setpoint"] == 0.4
    assert figures["peers"]["fixed 800 ms"]["questions"]["ours_words"] == pytest.approx(240 / 840, abs=1e-3)
    assert {len(rows) for rows in figures["raw_peers_ms"].values()} == {-(-lines // 3)}
    assert figures["early"]["commits"] == 0
