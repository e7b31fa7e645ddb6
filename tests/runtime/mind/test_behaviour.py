"""Words to intents: rules, classifier, slots, reasons."""

from pathlib import Path

import pytest

from runtime.contracts.errors import PackError
from runtime.mind.behaviour import Behaviour
from runtime.mind.grammar import Grammar
from runtime.mind.slots import find_slots
from runtime.mind.wording import MAX_WORDS, skeleton, vector, words_of

STARTER = Path(__file__).parents[3] / "runtime/starter"


@pytest.fixture(scope="module")
def grammar() -> Grammar:
    return Grammar.load(STARTER / "grammar.yaml")


@pytest.fixture(scope="module")
def behaviour(grammar: Grammar) -> Behaviour:
    return Behaviour(STARTER / "behaviour", grammar)


def test_a_sentence_of_the_grammar_has_the_recognisers_confidence(behaviour: Behaviour) -> None:
    got = behaviour.understand("Turn left, please!", 0.8)
    assert (got.intent, got.slots, got.confidence) == ("turn", {"direction": "left"}, 0.8)
    assert "grammar" in got.why


def test_every_sentence_of_the_grammar_is_understood_as_its_intent(
    behaviour: Behaviour, grammar: Grammar
) -> None:
    import numpy as np

    for text, intent, slots in grammar.sentences(np.random.default_rng(1), 1_500):
        got = behaviour.understand(text)
        assert (got.intent, got.slots) == (intent, slots), text


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("hey buddy sit down", "sit"),
        ("let me see that tail wag", "wag_tail"),
        ("would you give me your paw now", "shake_paw"),
        ("who's such a good boy", "praise"),
        ("i want you to lie down", "lie_down"),
    ],
)
def test_free_wording(behaviour: Behaviour, text: str, intent: str) -> None:
    assert behaviour.understand(text).intent == intent


@pytest.mark.parametrize(
    "text",
    ["how old is the universe", "how old are trees", "what is the age of this house", "when was rome built"],
)
def test_a_question_about_something_else_is_not_about_the_pet(behaviour: Behaviour, text: str) -> None:
    assert behaviour.understand(text).intent is None


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("how old are you now", "ask_age"),
        ("tell me how old you are", "ask_age"),
        ("so what is your age buddy", "ask_age"),
        ("how is it going", "ask_feeling"),
        ("what are your best tricks", "ask_abilities"),
    ],
)
def test_one_about_the_pet_still_is(behaviour: Behaviour, text: str, intent: str) -> None:
    assert behaviour.understand(text).intent == intent


def test_intents_that_ask_the_pet_about_itself_are_read_from_the_grammar(grammar: Grammar) -> None:
    assert {"ask_age", "ask_name", "ask_robot", "ask_abilities"} <= grammar.asked_of_you
    assert not {"ask_feeling", "recall", "sit_down", "hello"} & grammar.asked_of_you


@pytest.mark.parametrize("text", ["sid down", "lie don", "gif me your paw", "pley dead"])
def test_misheard_words_are_still_understood(behaviour: Behaviour, text: str) -> None:
    assert behaviour.understand(text).intent in {"sit", "lie_down", "shake_paw", "play_dead"}


@pytest.mark.parametrize(
    "text",
    [
        "what is the capital of france",
        "set a timer for ten minutes",
        "the meeting starts at nine",
        "qwx zzk",
        "你好",
    ],
)
def test_what_a_pet_cannot_know_is_out_of_scope(behaviour: Behaviour, text: str) -> None:
    got = behaviour.understand(text)
    assert got.intent is None
    assert got.why


@pytest.mark.parametrize("text", ["don't sit", "do not walk forward", "never jump", "please don't dance"])
def test_a_negated_order_is_not_carried_out(behaviour: Behaviour, text: str) -> None:
    assert behaviour.understand(text).intent not in {"sit", "walk", "jump", "dance"}


def test_a_negation_that_is_an_order_of_its_own_is_understood(behaviour: Behaviour) -> None:
    assert behaviour.understand("don't move").intent == "stay"


def test_slots_in_free_wording(behaviour: Behaviour) -> None:
    got = behaviour.understand("turn a little to the right")
    assert (got.intent, got.slots) == ("turn", {"direction": "right"})


def test_confidence_is_scaled_by_the_recognisers(behaviour: Behaviour) -> None:
    whole = behaviour.understand("let me see that tail wag")
    half = behaviour.understand("let me see that tail wag", 0.5)
    assert half.confidence == pytest.approx(whole.confidence / 2)


def test_the_reason_names_words(behaviour: Behaviour) -> None:
    assert "'tail'" in behaviour.understand("let me see that tail wag").why


@pytest.mark.parametrize("text", [None, "", "   ", "...", "123", "\x00"])
def test_nothing_heard(behaviour: Behaviour, text: str | None) -> None:
    assert behaviour.understand(text).intent is None


def test_a_hostile_length_is_cut(behaviour: Behaviour) -> None:
    assert len(words_of("sit " * 100_000)) <= MAX_WORDS
    behaviour.understand("sit " * 100_000)


def test_a_pack_with_a_grammar_only(grammar: Grammar) -> None:
    bare = Behaviour(None, grammar)
    assert bare.understand("sit").intent == "sit"
    assert bare.understand("let me see that tail wag").intent is None


def test_a_broken_card_says_so(tmp_path: Path, grammar: Grammar) -> None:
    (tmp_path / "model.onnx").write_bytes((STARTER / "behaviour/model.onnx").read_bytes())
    (tmp_path / "behaviour.json").write_text("{}")
    with pytest.raises(PackError, match=r"behaviour\.json"):
        Behaviour(tmp_path, grammar)


def test_features_are_stable_and_of_unit_length() -> None:
    one = vector(["sit", "down"], 512)
    assert float((one**2).sum()) == pytest.approx(1.0)
    assert (one == vector(["sit", "down"], 512)).all()
    assert skeleton("down") == skeleton("town")


def test_slots_match_by_likeness_and_synonym() -> None:
    sides = {"direction": ["left", "right", "around"]}
    assert find_slots(["go", "lefft"], sides) == {"direction": "left"}
    assert find_slots(["face", "the", "other", "way"], sides) == {"direction": "around"}
    assert find_slots(["go"], sides) == {}
