"""What counts as begun too soon: the verdict on records alone, and a few sentences through the real pet."""

import json
from pathlib import Path

import pytest

from runtime.answer import Early, TurnRecord
from runtime.cli import main
from runtime.mind.acts import Act
from runtime.mind.behaviour import Understanding
from runtime.mind.conversation import MEMORY_INTENTS, Turn
from runtime.mind.dialogue import Reply
from runtime.mind.grammar import Grammar, Parse
from runtime.scenarios.early import Case, Tails, cases, figures, judge

GRAMMAR = Grammar.load(Path(__file__).parents[3] / "runtime/starter/grammar.yaml")
SIT, NOTHING = Case("order", ("sit down",), Parse("sit")), Case("told", ("sit down", "he said"), None)


def record(act: str | None, early: Early, end_s: float = 1.0) -> TurnRecord:
    do = Act(kind="skill", name=act) if act else None
    turn = Turn("words", Understanding("x"), Reply("", None, do), "calm")
    return TurnRecord(1, turn, {"reaction": 70.0}, "", early=early, end_s=end_s)


@pytest.mark.parametrize(
    ("case", "records", "outcome"),
    [
        (SIT, [record("sit", "kept")], "right early"),
        (SIT, [record("sit", "")], "right"),
        (SIT, [record("lie", "kept")], "wrong early"),
        (SIT, [record("lie", "")], "wrong"),
        (SIT, [record("sit", "taken back")], "taken back"),
        (SIT, [record("lie", "kept"), record("sit", "")], "taken back"),
        (SIT, [], "no answer"),
        (NOTHING, [record(None, "")], "right"),
        (NOTHING, [record("curious", "kept")], "right early"),
        (NOTHING, [record("sit", "kept")], "wrong early"),
        (NOTHING, [record("sit", "taken back"), record(None, "")], "taken back"),
        (NOTHING, [record("sit", "kept"), record("curious", "reaction")], "taken back"),
    ],
)
def test_verdicts(case: Case, records: list[TurnRecord], outcome: str) -> None:
    assert judge(case, "sit" if case.meant else None, records, end_s=1.0).outcome == outcome


def test_moments_count_from_the_last_word_and_keep_their_sign() -> None:
    judged = judge(NOTHING, None, [record("sit", "taken back", end_s=0.8)], end_s=1.5)
    assert judged.begun_ms == pytest.approx(70 - 700)


def test_shares_are_of_what_was_begun() -> None:
    judged = [judge(SIT, "sit", [record("sit", "kept")], 1.0)] * 3 + [
        judge(SIT, "sit", [record("lie", "kept")], 1.0)
    ]
    told = figures(judged)
    assert told["order"]["n"] == told["all"]["n"] == 4
    assert told["all"]["wrong_early_share"] == 0.25


def test_orders_of_every_intent_and_all_longer_ones_are_cases() -> None:
    tails = Tails(
        pauses_s=(0.1, 0.3), same=("for me",), undone=("no don't",), told=("he said",), talk=("rain",)
    )
    found = cases(GRAMMAR, tails, each=2)
    spoken = [case for case in found if case.kind == "order"]
    assert len({case.parts for case in spoken}) == len(spoken)
    assert all(GRAMMAR.parse(case.parts[0]) == case.meant for case in spoken)
    assert {case.meant.intent for case in spoken if case.meant} == {*GRAMMAR.intents} - MEMORY_INTENTS
    longer = {case.parts for case in found if case.kind == "longer order"}
    assert ("shake", "your head") in longer
    assert ("sit", "down") not in longer, "it means the same"
    assert sum(case.kind == "undone" for case in found) == 4
    assert cases(GRAMMAR, tails, each=2) == found


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["eval", "early", "--limit", "2", "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(rows) == 3
    assert rows[-1]["all"]["n"] == 2
    assert all(row["outcome"] != "no answer" for row in rows[:2])
