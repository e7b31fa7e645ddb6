"""The last words of either are told word for word; what asks for something else is left to others."""

from pathlib import Path

import pytest

from runtime import starter
from runtime.contracts.config import CareSettings
from runtime.mind.conversation import MOMENT_S, Conversation
from runtime.mind.memory.memory import Memory
from runtime.mind.moment_ago import NOTHING_HEARD, NOTHING_SAID, said_again
from tests.fakes.talkers import ScriptedTalker

TURNS = [("sit down", "Sitting."), ("i bought a lamp", "A lamp! May I sniff it?")]


@pytest.mark.parametrize(
    "asks",
    [
        "what did i just say", "tell me what i said", "did you hear what i said", "what were my last words",
        "repeat my question please", "what was the last thing i told you", "what did you just hear",
        "do you remember what i just asked you", "buddy what did i say",
    ],
)  # fmt: skip
def test_the_owners_words(asks: str) -> None:
    assert said_again(asks, TURNS, "Buddy") == "You said: i bought a lamp."


@pytest.mark.parametrize(
    "asks",
    ["say that again", "sorry what did you say", "could you repeat that please", "pardon", "come again",
     "i did not catch that", "once more please", "what was your answer", "repeat yourself buddy",
     "what were you saying"],
)  # fmt: skip
def test_the_pets_words(asks: str) -> None:
    assert said_again(asks, TURNS, "Buddy") == "I said: A lamp! May I sniff it?"


@pytest.mark.parametrize(
    "asks",
    ["what did i say about anna", "what was that noise", "say hello again", "what did my sister say",
     "what should i say", "repeat after me i am alive", "what did you do", "say something", "i said sit",
     "do you hear me", "tell me a story again", "what did you say to my brother", "again and again", ""],
)  # fmt: skip
def test_what_asks_for_something_else(asks: str) -> None:
    assert said_again(asks, TURNS, "Buddy") is None


def test_nothing_was_said_yet() -> None:
    assert said_again("what did i say", []) == NOTHING_HEARD
    assert said_again("say that again", [(None, "")]) == NOTHING_SAID


def test_said_again_and_again_it_stays_the_same() -> None:
    once = said_again("say that again", TURNS)
    assert once is not None
    assert said_again("say that again", [*TURNS, ("say that again", once)]) == once


def test_a_conversation_tells_what_sounded() -> None:
    pet = Conversation(starter.load_pack(), talker=ScriptedTalker("On the moon. Or on Mars."))
    turn = pet.read("where do whales sleep")
    exchange = pet.history.begin(turn.heard)
    exchange.add("On the moon.", lambda: 1.0)
    exchange.add("Or on Mars.", lambda: 0.0)
    again = pet.read("say that again")
    assert again.reply.text == "I said: On the moon."
    assert (again.reply.by, again.reply.why) == ("rule", "said a moment ago")
    assert pet.read("what did i just say").reply.text == "You said: where do whales sleep."


def test_what_was_said_long_ago_is_not_told_to_whoever_comes_in() -> None:
    pet = Conversation(starter.load_pack())
    for quiet_s, tells in ((MOMENT_S, True), (MOMENT_S + 1, False)):
        pet.history.add("the key is under the mat", "I see.", lambda: 1.0)
        pet.rest(quiet_s)
        assert ("under the mat" in pet.read("what did i just say").reply.text) is tells


def test_danger_goes_before_it_and_what_the_owner_never_wants_said_is_not_repeated() -> None:
    pet = Conversation(starter.load_pack(), care=CareSettings(never_say=("umbrella",)))
    pet.history.add("my umbrella is green", "I see.", lambda: 1.0)
    assert "umbrella" not in pet.read("what did i just say").reply.text
    assert pet.read("i want to die").understanding.intent == "crisis"


def test_what_the_memory_does_not_hold_but_was_told_a_moment_ago_is_told(tmp_path: Path) -> None:
    memory = Memory(tmp_path, enabled=True)
    pet = Conversation(starter.load_pack(), talker=ScriptedTalker("Parsley."), memory=memory)
    asks = "what did i plant in the garden"
    assert pet.read(asks).understanding.intent == "recall"
    pet.history.add("i planted mint in the garden", "Mint! I like that.", lambda: 1.0)
    assert pet.read(asks).reply.text == "You just told me that you planted mint in the garden."
    pet.rest(MOMENT_S + 1)
    assert "mint" not in pet.read(asks).reply.text
    pet.history.add("my brother is called ben", "Ben. Got it.", lambda: 1.0)
    assert pet.read("what is my brother called").understanding.intent == "recall"
    memory.close()


def test_a_model_that_makes_up_what_it_was_told_is_not_heard(tmp_path: Path) -> None:
    memory = Memory(tmp_path, enabled=True)
    pet = Conversation(starter.load_pack(), talker=ScriptedTalker("Otto grew up in lentils."), memory=memory)
    pet.read("remember that otto is fond of rowing")
    said = pet.read("what does otto think about music").reply
    assert said.text == "I only know that otto is fond of rowing."
    assert "made up" in said.why
    memory.close()
