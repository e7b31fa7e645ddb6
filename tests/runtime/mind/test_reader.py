"""A reader finds danger that no rule knows and tells how the speaker feels; orders and truth go before."""

from pathlib import Path

import pytest

from runtime import starter
from runtime.contracts.errors import PackError
from runtime.mind import rules
from runtime.mind.behaviour import Behaviour
from runtime.mind.conversation import Conversation
from runtime.mind.dialogue import Dialogue
from runtime.mind.emotion import Emotion
from runtime.mind.grammar import Grammar, normalise
from runtime.mind.reader import FEELINGS, MAX_TOKENS, MAX_WINDOWS, Reader, Reading, windows
from runtime.mind.safety import CRISIS, HELP

STARTER = Path(__file__).parents[3] / "runtime/starter"
DANGER = "tonight is going to be my last night on this earth"


class Told(Reader):
    """Reads what it was told to, and keeps what it was given."""

    threshold = 0.5

    def __init__(self, danger: float, feeling: str = "neutral") -> None:
        self.reading = Reading(danger, {name: float(name == feeling) for name in FEELINGS})
        self.given: list[str] = []

    def read(self, text: str) -> Reading:
        self.given.append(text)
        return self.reading


@pytest.fixture(scope="module")
def grammar() -> Grammar:
    return Grammar.load(STARTER / "grammar.yaml")


def test_danger_without_a_rule_stops_the_play_and_is_helped(grammar: Grammar) -> None:
    assert rules.first(rules.DANGER, normalise(DANGER)) is None
    understood = Behaviour(None, grammar, Told(0.9)).understand(DANGER)
    assert understood.intent == CRISIS
    assert "reader" in understood.why
    reply = Dialogue(STARTER / "persona.toml", STARTER / "actions.toml").reply(understood, "excited", DANGER)
    assert reply.text == HELP
    assert reply.act is not None
    assert reply.act.kind == "halt"


def test_below_its_threshold_it_is_no_danger(grammar: Grammar) -> None:
    assert Behaviour(None, grammar, Told(0.49)).understand(DANGER).intent is None


def test_hardly_heard_words_count_for_less(grammar: Grammar) -> None:
    assert Behaviour(None, grammar, Told(0.9)).understand(DANGER, 0.3).intent is None


@pytest.mark.parametrize("text", ["sit down", "is it my fault that he died", "i want to die"])
def test_orders_truth_and_rules_of_danger_go_before(grammar: Grammar, text: str) -> None:
    reader = Told(1.0)
    understood = Behaviour(None, grammar, reader).understand(text)
    assert reader.given == []
    assert "rule" in understood.why


def test_the_pets_mood_goes_along_with_the_speakers(grammar: Grammar) -> None:
    understood = Behaviour(None, grammar, Told(0.0, "sadness")).understand("we buried the old tree today")
    assert (understood.intent, understood.feeling) == (None, "sadness")
    along, aside = Emotion(1), Emotion(1)
    along.hear(understood.intent, understood.feeling)
    aside.hear(understood.intent)
    assert along.valence < aside.valence
    assert along.mood != "curious"


def test_windows_hold_every_token_and_are_bounded() -> None:
    ids = [1, *range(10, 240), 2]
    cut = windows(ids)
    assert {token for window in cut for token in window} == set(ids)
    assert all(window[0] == 1 and window[-1] == 2 and len(window) <= MAX_TOKENS for window in cut)
    assert len(windows([1, *range(10, 99_999), 2])) == MAX_WINDOWS


def test_a_folder_without_a_reader_says_so(tmp_path: Path) -> None:
    with pytest.raises(PackError, match="not a usable ONNX model"):
        Reader(tmp_path)


def test_the_shipped_one_helps_in_words_that_no_rule_was_written_for() -> None:
    mind = Conversation(starter.load_pack())
    turn = mind.read(DANGER)
    assert turn.understanding.intent == CRISIS
    assert "reader" in turn.understanding.why
    assert turn.reply.text == HELP
    assert mind.read("my phone battery died on me again").understanding.intent != CRISIS
