"""Turns from words alone: what is too unsure is not acted on, and stop always is."""

import numpy as np
import pytest

from runtime import starter
from runtime.contracts.audio import Samples
from runtime.mind.behaviour import Behaviour, Understanding
from runtime.mind.conversation import LEAST_CONFIDENCE, Conversation, _sure
from runtime.speech.asr import Hypothesis, Recogniser


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


def test_sound_that_was_looked_at_is_not_read_again_and_not_kept(
    conversation: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = 0

    def recognise(self: Recogniser, samples: Samples, n: int = 3) -> list[Hypothesis]:
        nonlocal read
        read += 1
        return [Hypothesis("sit down", 0.99, in_grammar=True)]

    monkeypatch.setattr(Recogniser, "recognise", recognise)
    sound = np.arange(16_000, dtype=np.int16)
    assert conversation.glance(sound, 0.3).text == conversation.glance(sound.copy(), 0.4).text == "sit down"
    assert conversation.begin(sound.copy()).heard == "sit down"
    assert read == 1
    conversation.begin(sound)
    assert read == 2
    conversation.glance(sound[:-1], 0.0)
    assert read == 3


def test_words_that_were_glanced_at_are_understood_once(
    conversation: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    understood: list[tuple[str | None, float]] = []
    heard = [Hypothesis("i feel so alone", 0.8, in_grammar=False)]

    def understand(self: Behaviour, text: str | None, asr_confidence: float = 1.0) -> Understanding:
        understood.append((text, asr_confidence))
        return Understanding(None)

    monkeypatch.setattr(Recogniser, "recognise", lambda self, samples, n=3: heard)
    monkeypatch.setattr(Behaviour, "understand", understand)
    for end in (15_000, 15_500):  # the utterance grows, and the words stay
        conversation.glance(np.zeros(end, np.int16), 0.1)
    conversation.begin(np.zeros(16_000, np.int16))
    assert understood == [("i feel so alone", 0.8)]
    conversation.begin(np.zeros(16_000, np.int16))
    assert len(understood) == 2, "nothing of an answered turn is kept"
    heard[0] = Hypothesis("i feel so alone", 0.4, in_grammar=False)
    conversation.glance(np.zeros(16_000, np.int16), 0.1)
    assert len(understood) == 3, "what is believed less may mean something else"


def test_the_same_words_after_a_reset_give_the_same_turn(conversation: Conversation) -> None:
    conversation.reset()
    first = [conversation.read(words) for words in ("sit down", "good boy", "what is your name")]
    conversation.reset()
    again = [conversation.read(words) for words in ("sit down", "good boy", "what is your name")]
    assert [t.reply for t in first] == [t.reply for t in again]
