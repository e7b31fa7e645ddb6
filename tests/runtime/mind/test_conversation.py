"""Turns from words alone: what is too unsure is not acted on, and stop always is."""

import numpy as np
import pytest

from runtime import starter
from runtime.mind.behaviour import Understanding
from runtime.mind.conversation import LEAST_CONFIDENCE, Conversation, _sure


@pytest.fixture(scope="module")
def conversation() -> Conversation:
    return Conversation(starter.load_pack(), names=("hey buddy",))


@pytest.mark.parametrize("intent", ["sit", "walk", "stop", "crisis"])
def test_a_guess_is_not_acted_on_unless_it_is_a_stop(intent: str) -> None:
    kept = _sure(Understanding(intent, {"a": "b"}, LEAST_CONFIDENCE - 0.01, "guessed")).intent
    assert kept == (intent if intent in {"stop", "crisis"} else None)
    assert _sure(Understanding(intent, {}, LEAST_CONFIDENCE, "sure")).intent == intent
    assert _sure(Understanding(intent, {}, LEAST_CONFIDENCE, "guessed", guessed=True)).intent == kept


def test_words_become_an_act_and_a_reply(conversation: Conversation) -> None:
    turn = conversation.read("turn left please")
    assert turn.understanding.slots == {"direction": "left"}
    assert turn.act is not None
    assert turn.reply.text


def test_a_stop_that_only_the_detector_heard_still_stops(conversation: Conversation) -> None:
    noise = np.random.default_rng(7).normal(0, 500, 16_000).astype(np.int16)
    turn = conversation.hear(noise, stop=True)
    assert turn.understanding.intent == "stop"
    assert turn.act is not None
    assert turn.act.kind == "halt"


def test_the_same_words_after_a_reset_give_the_same_turn(conversation: Conversation) -> None:
    conversation.reset()
    first = [conversation.read(words) for words in ("sit down", "good boy", "what is your name")]
    conversation.reset()
    again = [conversation.read(words) for words in ("sit down", "good boy", "what is your name")]
    assert [t.reply for t in first] == [t.reply for t in again]
