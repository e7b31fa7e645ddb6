"""The command grammar: what it accepts, what it means, what it refuses and how it says so."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.contracts.errors import GrammarError
from runtime.mind.grammar import Grammar, Parse, normalise

STARTER = Path(__file__).parents[3] / "runtime" / "starter" / "grammar.yaml"
PET = """
context:
  expressions:
    sit:
      - "(please) sit (down, there)"
    turn:
      - "[turn, go] $side:direction (now)"
      - "don't turn"
  slots:
    side: ["left", "Right", "all the way around"]
"""


@pytest.fixture(scope="module")
def pet() -> Grammar:
    return Grammar.load(PET)


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("sit", Parse("sit")),
        ("Please SIT, down!", Parse("sit")),
        ("sit there", Parse("sit")),
        ("turn left", Parse("turn", {"direction": "left"})),
        ("go right now", Parse("turn", {"direction": "Right"})),
        ("turn all the way around", Parse("turn", {"direction": "all the way around"})),
        ("don’t turn", Parse("turn")),
        ("sit down there", None),
        ("turn", None),
        ("", None),
        ("?!", None),
    ],
)
def test_a_sentence_means_what_the_file_says(pet: Grammar, text: str, meaning: Parse | None) -> None:
    assert pet.parse(text) == meaning


def test_words_intents_and_order(pet: Grammar) -> None:
    assert pet.intents == ["sit", "turn"]
    words = "please sit down there turn go left right all the way around now don't"
    assert pet.words == sorted(words.split())


def test_words_that_yaml_takes_for_booleans_stay_words() -> None:
    grammar = Grammar.load("context: {expressions: {light: ['$s:state']}, slots: {s: [on, off, yes]}}")
    assert grammar.parse("off") == Parse("light", {"state": "off"})


def test_macros_and_nesting() -> None:
    greet = "[@hi:h (you), hey (there, (old) friend)] pet"
    text = f"context: {{expressions: {{greet: ['{greet}']}}, macros: {{hi: [hello, hi]}}}}"
    grammar = Grammar.load(text)
    for said in ("hello pet", "hi you pet", "hey old friend pet", "hey there pet"):
        assert grammar.parse(said) == Parse("greet"), said
    assert grammar.parse("hello there pet") is None


def expression(text: str, slots: str = "{side: [left, right]}") -> str:
    return f"context:\n  expressions:\n    turn:\n      - '{text}'\n  slots: {slots}\n"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty"),
        ("context: {}", "holds no"),
        ("hello: {a: b}", "'context'"),
        ("context: {slots: {a: [b]}}", "'expressions'"),
        ("context: {expressions: {a: []}}", "is empty"),
        ("context: {expressions: {a: ['']}}", "empty"),
        ("context: {expressions: {a: [{b: c}]}}", "nested"),
        ("context: {expressions: {a: [b], a: [c]}}", "twice"),
        ("context: {expressions: {a: [b]}, intents: {c: d}}", "'intents'"),
        ("context: {expressions: {a: [b]}, slots: {s: []}}", "is empty"),
        ("context: {expressions: {a: [b]}, slots: {s: [4]}}", "'4'"),
        ("context: [", "not valid YAML"),
        (expression("turn $way:w"), "'way', which is not defined"),
        (expression("turn $side"), "$type:name"),
        (expression("turn @m:x"), "macro 'm'"),
        (expression("turn [left, right"), "lacks ']'"),
        (expression("turn left]"), "out of place"),
        (expression("turn [left)"), "out of place"),
        (expression("turn left, right"), "out of place"),
        (expression("turn [left, ]"), "empty choice"),
        (expression("(turn)"), "left out whole"),
        (expression("turn 90 degrees"), "write numbers as words"),
        (expression("[" * 20 + "a" + "]" * 20), "nests"),
    ],
)
def test_a_bad_grammar_is_refused_with_its_reason(text: str, says: str) -> None:
    with pytest.raises(GrammarError) as raised:
        Grammar.load(text)
    assert says in str(raised.value)


def test_an_error_names_line_and_intent() -> None:
    with pytest.raises(GrammarError, match=r"line 4, intent 'turn'"):
        Grammar.load(expression("turn [left"))


def test_one_sentence_under_two_intents_is_a_contradiction() -> None:
    text = "context:\n  expressions:\n    a:\n      - go (on) now\n    b:\n      - '[go, run] now'\n"
    with pytest.raises(GrammarError, match=r"'go now' means 'b' here and 'a' at line 4"):
        Grammar.load(text)


def test_a_missing_file_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(GrammarError, match="cannot be read"):
        Grammar.load(tmp_path / "none.yaml")


WORDS = st.sampled_from(["sit", "down", "go", "left", "please", "the", "dog's"])


def expressions() -> st.SearchStrategy[str]:
    """Random expression texts, nested a few deep."""
    return st.recursive(
        WORDS | st.just("$side:way"),
        lambda inner: st.one_of(
            st.lists(inner, min_size=1, max_size=3).map(" ".join),
            st.lists(inner, min_size=1, max_size=3).map(lambda parts: f"[{', '.join(parts)}]"),
            inner.map(lambda part: f"({part})"),
        ),
        max_leaves=8,
    )


@given(st.lists(expressions(), min_size=1, max_size=4), st.integers(0, 2**32 - 1))
def test_every_sampled_sentence_is_parsed_and_accepted(texts: list[str], seed: int) -> None:
    lines = "".join(f'      - "start{"abcd"[i]} {text}"\n' for i, text in enumerate(texts))
    grammar = Grammar.load(
        f"context:\n  expressions:\n    one:\n{lines}  slots:\n    side: [left, all around]\n"
    )
    automaton = grammar.automaton()
    for text, intent, _ in grammar.sentences(np.random.default_rng(seed), 10):
        parse = grammar.parse(text)
        assert parse is not None
        assert parse.intent == intent
        assert automaton.accepts(text.split())


SOME = ["please", "sit", "down", "there", "turn", "go", "left", "right", "now", "don't"]


@given(st.lists(st.sampled_from(SOME), max_size=5))
def test_the_automaton_accepts_exactly_what_parses(words: list[str]) -> None:
    grammar = Grammar.load(PET)
    assert grammar.automaton().accepts(words) == (grammar.parse(" ".join(words)) is not None)


def test_samples_of_the_starter_grammar_come_back_with_intent_and_slots() -> None:
    grammar = Grammar.load(STARTER)
    drawn = grammar.sentences(np.random.default_rng(3), 500)
    assert {intent for _, intent, _ in drawn} == set(grammar.intents)
    for text, intent, slots in drawn:
        assert grammar.parse(text) == Parse(intent, slots), text


def test_the_automaton_is_minimal_and_starts_at_zero() -> None:
    automaton = Grammar.load("context: {expressions: {a: ['[x, y] z', 'w z']}}").automaton()
    assert automaton.states == 3
    assert set(automaton.arcs[0]) == {"x", "y", "w"}


@given(st.text())
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)
