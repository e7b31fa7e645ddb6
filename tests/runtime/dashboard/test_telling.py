"""Events in the reader's words, and every word of the robot's that the page shows in both languages."""

import tomllib
from pathlib import Path
from typing import Any, get_args

import pytest

from firmware_bridge.mcu import protocol as p
from runtime import starter
from runtime.contracts import messages as m
from runtime.contracts.body import load_body
from runtime.dashboard import telling, words
from runtime.dashboard.words import LANGUAGES, Words
from runtime.event_log import Row
from runtime.life.acts import ACTS
from runtime.life.drives import AWAKE

EN, ZH = (Words(language) for language in LANGUAGES)
TABLE: dict[str, dict[str, list[str]]] = tomllib.loads(
    (Path(words.__file__).parent / "words.toml").read_text(encoding="utf-8")
)


def row(name: str, /, **payload: Any) -> Row:
    return Row("rex", name, 0.0, {"schema_version": 1, "mono_ms": 1, **payload})


TOLD = [
    (row("event/safety", kind="halt", detail="heard"), "Held still · said aloud", "保持不动 · 听到口令"),
    (row("event/safety", kind="armed", detail=""), "Motors on", "电机已打开"),
    (row("event/wake", name="hey buddy", score=0.934), "“hey buddy” · 93 %", "“hey buddy” · 93 %"),
    (
        row("event/turn", intent="sit", confidence=0.99, mood="happy"),
        "sit · 99 % · happy",
        "坐下 · 99 % · 开心",
    ),
    (row("event/turn", intent=None, confidence=0.2, mood="calm"), "not understood · calm", "没听懂 · 平静"),
    (row("event/privacy", what="share_text", on=False), "Words are no longer shown", "不再显示文字"),
    (
        row("event/privacy", what="copy", on=True),
        "A copy of all that is kept was taken",
        "有人保存了一份全部数据的副本",
    ),
    (row("event/else", colour="red", seq=3, note=""), "colour red", "colour red"),
]


@pytest.mark.parametrize(("event", "english", "chinese"), TOLD)
def test_events_are_told_in_the_readers_words(event: Row, english: str, chinese: str) -> None:
    assert telling.what_of(EN, event) == english
    assert telling.what_of(ZH, event) == chinese


def test_a_search_in_the_readers_words_finds_the_robots() -> None:
    assert "halt" in telling.meant(EN, "held")
    assert "stop" in telling.meant(ZH, "急停")
    assert list(telling.meant(EN, "strawberry")) == []


def test_every_word_stands_in_every_language() -> None:
    for part, rows in TABLE.items():
        for name, row_ in rows.items():
            assert len(row_) == len(LANGUAGES), (part, name)
            assert all(text.strip() for text in row_), (part, name)


def test_no_word_of_the_robot_is_left_untold() -> None:
    kinds = get_args(m.SafetyEvent.model_fields["kind"].annotation)
    assert set(kinds) <= set(TABLE["safety"])
    for what in get_args(m.PrivacyEvent.model_fields["what"].annotation):
        assert {what, f"{what}_off"} - {"copy_off"} <= set(TABLE["switched"])
    assert {reason.lower() for reason in p.REASONS} <= set(TABLE["faults"])
    assert set(get_args(m.JobStatus)) <= set(TABLE["jobs"])
    assert {act.name for act in ACTS} <= set(TABLE["skills"])
    assert set(load_body().by_name) <= set(TABLE["joints"])
    assert set(TABLE["drives"]) == set(AWAKE)
    assert set(get_args(m.AckStatus)) <= set(TABLE["ack"])
    skills = {path.stem for path in starter.load_pack().files("skills", ".toml")}
    assert skills <= set(TABLE["skills"])
