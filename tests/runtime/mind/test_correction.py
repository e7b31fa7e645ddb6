"""What was said last counts."""

from pathlib import Path

import pytest

from runtime.mind.correction import corrected
from runtime.mind.grammar import Grammar, Parse

GRAMMAR = Grammar.load(Path(__file__).parents[3] / "runtime/starter/grammar.yaml")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("sit down no lie down", Parse("lie_down")),
        ("sit no wait lie down", Parse("lie_down")),
        ("no i said stand up", Parse("stand_up")),
        ("sit down no lie down no stand up", Parse("stand_up")),
        ("turn left no right", Parse("turn", {"direction": "right"})),
        ("look up i mean down", Parse("look", {"direction": "down"})),
        ("look left sorry at me", Parse("look", {"direction": "at me"})),
        ("walk forward actually stop", Parse("stop")),
    ],
)
def test_the_last_order_counts(text: str, meant: Parse) -> None:
    assert corrected(text.split(), GRAMMAR) == meant


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no",
        "sit down",
        "sit down no",
        "sit down no the other one",
        "turn left no",
        "turn left no left",
        "wait",
    ],
)
def test_without_another_order_nothing_is_corrected(text: str) -> None:
    assert corrected(text.split(), GRAMMAR) is None
