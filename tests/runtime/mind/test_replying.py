"""A reply's words: from a model while it behaves, from the lines otherwise, and never too late."""

import logging
import threading
import time

import pytest

from runtime.contracts.config import DialogueSettings
from runtime.mind.dialogue import Reply
from runtime.mind.forbidden import Instead
from runtime.mind.prompt import Prompt
from runtime.mind.replying import REST_S, Speaking, Telling
from runtime.mind.talker import Talker
from tests.fakes.talkers import BreakingTalker, ScriptedTalker

LINE = "Hm? I did not catch that."
PROMPT = Prompt("Buddy", "what do you like", card=("I love my red ball.",))
ASKED = Reply(LINE, by="model", why="open talk", prompt=PROMPT, seed=5)


def instead(what: Instead, mood: str) -> str:
    return {"ask_robot": "I'm a robot.", "help": "Talk to somebody.", "beyond": "Beyond me."}.get(what, "")


def speaking(talker: Talker | None, **settings: float) -> Speaking:
    return Speaking(DialogueSettings(**settings), instead, talker)  # type: ignore[arg-type]


def told(talker: Talker | None, **settings: float) -> tuple[list[str], Telling]:
    telling = speaking(talker, **settings).begin(ASKED, "calm")
    return list(telling), telling


def test_a_models_sentences_one_by_one() -> None:
    talker = ScriptedTalker("I love my red ball. Shall we play?")
    said, telling = told(talker)
    assert said == ["I love my red ball.", "Shall we play?"]
    assert telling.by == "model"
    assert (talker.prompts, talker.seeds) == ([PROMPT], [5])


def test_the_first_sentence_does_not_wait_for_the_rest() -> None:
    talker = ScriptedTalker("Hello. " + "I like balls and sticks. " * 3, letters=1, piece_s=0.05)
    telling = speaking(talker).begin(ASKED, "calm")
    assert next(iter(telling)) == "Hello."
    assert talker.given < 30


def test_a_reply_without_a_prompt_is_its_line() -> None:
    talker = ScriptedTalker("Never asked.")
    telling = speaking(talker).begin(Reply(LINE), "calm")
    assert (list(telling), telling.by, talker.prompts) == ([LINE], "lines", [])
    assert list(speaking(None).begin(Reply(""), "calm")) == []


@pytest.mark.parametrize(
    ("text", "said", "by"),
    [
        ("I am alive! Let's play.", ["I'm a robot."], "rule"),
        ("I like balls. I am alive! I like you.", ["I like balls.", "I'm a robot."], "model"),
        ("Buy a friend.", [LINE], "lines"),
        ("I like balls. Don't leave me. Ever.", ["I like balls."], "model"),
        ("You could end your life.", ["Talk to somebody."], "rule"),
        ("Ball ball ball ball.", [LINE], "lines"),
        ("I like balls. I like balls. I like balls.", ["I like balls."], "model"),
        ("<act:sit>Hello.", [LINE], "lines"),
        ("It's seven.", [LINE], "lines"),
        ("", [LINE], "lines"),
        ("🐶🐶", [LINE], "lines"),
        ("word " * 5_000, [LINE], "lines"),
        ("I like balls, you know. " + "And so on it goes for ever. " * 2, None, "model"),
    ],
)
def test_what_a_rule_objects_to_is_never_said(text: str, said: list[str] | None, by: str) -> None:
    found, telling = told(ScriptedTalker(text, letters=7))
    assert telling.by == by
    assert found == (said or ["I like balls, you know.", "And so on it goes for ever."])


def test_a_model_stops_when_a_rule_objects() -> None:
    talker = ScriptedTalker("I am alive. " + "More and more. " * 10_000)
    told(talker)
    assert talker.closed.wait(5)
    assert talker.given < 500


@pytest.mark.parametrize("error", [None, ValueError("a mistake in the model"), OSError("gone"), KeyError()])
def test_a_model_that_breaks_is_replaced_or_ended(error: Exception | None) -> None:
    said, telling = told(BreakingTalker("I like ba", error))
    assert (said, telling.by) == ([LINE], "lines")
    said, telling = told(BreakingTalker("I like balls. And st", error))
    assert (said, telling.by) == (["I like balls."], "model")


def test_a_slow_model_is_not_waited_for() -> None:
    began = time.monotonic()
    said, telling = told(ScriptedTalker("Too late.", piece_s=30), first_sentence_s=0.1)
    assert (said, telling.by) == ([LINE], "lines")
    assert "too long" in telling.why
    assert time.monotonic() - began < 2


def test_a_model_that_dawdles_is_cut_after_a_sentence() -> None:
    talker = ScriptedTalker("Hi. " + "well and so " * 100, letters=1, piece_s=0.01)
    said, _ = told(talker, first_sentence_s=2, reply_s=0.3)
    assert said == ["Hi."]
    assert talker.closed.wait(5)


def test_barge_in_ends_it_from_another_thread() -> None:
    talker = ScriptedTalker("One thing. " + "Then another thing. " * 50, letters=1, piece_s=0.005)
    telling = speaking(talker).begin(ASKED, "calm")
    said = []
    for sentence in telling:
        said.append(sentence)
        threading.Thread(target=telling.stop).start()
        time.sleep(0.05)
    assert said == ["One thing."]
    assert talker.closed.wait(5)


def test_stopped_before_its_first_sentence_it_says_nothing_at_all() -> None:
    telling = speaking(ScriptedTalker("Hello.", piece_s=0.2)).begin(ASKED, "calm")
    telling.stop()
    assert list(telling) == []


def test_a_failure_is_told_once_and_the_model_rests(caplog: pytest.LogCaptureFixture) -> None:
    now_s = [0.0]
    talker = BreakingTalker()
    pet = Speaking(DialogueSettings(), instead, talker, clock=lambda: now_s[0])
    assert pet.has_model
    with caplog.at_level(logging.WARNING):
        list(pet.begin(ASKED, "calm"))
        assert not pet.has_model
        now_s[0] += REST_S
        assert pet.has_model
        list(pet.begin(ASKED, "calm"))
    assert [record.message for record in caplog.records] == [
        "the language model did not answer (the model broke); the persona's lines do"
    ]


def test_a_model_gets_ready_in_the_background_and_is_not_heard() -> None:
    talker = ScriptedTalker("I love my red ball. " * 100, letters=20, piece_s=0.05)
    pet = speaking(talker)
    pet.warm(PROMPT)
    assert talker.closed.wait(30)
    assert talker.given < 100
    assert list(pet.begin(ASKED, "calm")) == ["I love my red ball."]
    speaking(None).warm(PROMPT)
