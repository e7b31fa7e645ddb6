"""Who answers what: the table, row by row."""

import pytest

from runtime import starter
from runtime.contracts.config import DialogueSettings
from runtime.contracts.errors import PackError
from runtime.mind import conversation
from runtime.mind.conversation import Conversation
from runtime.mind.safety import HELP
from tests.fakes.talkers import BreakingTalker, ScriptedTalker

EVERYTHING = DialogueSettings(orders="model", small_talk="model", open_talk="model")


@pytest.fixture(scope="module")
def pet() -> Conversation:
    return Conversation(starter.load_pack(), settings=EVERYTHING, talker=ScriptedTalker("I like that."))


@pytest.mark.parametrize(
    ("text", "by"),
    [
        ("i want to die", "rule"),
        ("stop", "lines"),
        ("stay there", "lines"),
        ("are you alive", "lines"),
        ("what can you do", "lines"),
        ("", "lines"),
        ("sit down", "model"),
        ("good boy", "model"),
        ("what is your name", "model"),
        ("my grandmother bought three green umbrellas", "model"),
    ],
)
def test_with_a_model_for_everything(pet: Conversation, text: str, by: str) -> None:
    pet.reset()
    turn = pet.read(text)
    assert turn.reply.by == by
    assert turn.reply.text == {"rule": HELP, "model": "I like that."}.get(by, turn.reply.text)
    assert turn.reply.text


def test_by_default_a_model_is_for_open_talk_alone() -> None:
    pet = Conversation(starter.load_pack(), talker=ScriptedTalker("I like that."))
    assert pet.read("sit down").reply.by == "lines"
    assert pet.read("good boy").reply.by == "lines"
    assert pet.read("my grandmother bought three green umbrellas").reply.by == "model"


def test_what_was_badly_heard_is_not_given_to_a_model(pet: Conversation) -> None:
    pet.reset()
    turn = pet.answer("my grandmother bought three green umbrellas", 0.4)
    assert (turn.reply.by, turn.reply.why, turn.reply.prompt) == ("lines", "badly heard", None)


def test_the_act_is_the_tables_and_told_to_the_model() -> None:
    talker = ScriptedTalker("I like that.")
    pet = Conversation(starter.load_pack(), settings=EVERYTHING, talker=talker)
    turn = pet.read("sit down")
    assert turn.act is not None
    assert (turn.act.name, talker.prompts[0].act) == ("sit", "sit")
    assert talker.prompts[0].mood == turn.mood
    assert talker.prompts[0].card[0].startswith("I am a robot")


def test_the_model_knows_what_was_really_said_and_what_is_remembered() -> None:
    talker = ScriptedTalker("I like that.")
    pet = Conversation(
        starter.load_pack(), talker=talker, recall=lambda heard: [f"{heard.split()[1]} is remembered"]
    )
    pet.history.add("what can you do", "I walk, turn, look around, bark and howl.", lambda: 0.3)
    pet.history.add("mumbled words", "Pardon?", lambda: 1.0, clear=0.2)
    pet.read("my grandmother bought three green umbrellas")
    [prompt] = talker.prompts
    assert prompt.history == (("what can you do", "I walk,"),)
    assert prompt.facts == ("grandmother is remembered",)


def test_a_model_that_fails_leaves_a_line_and_is_not_asked_at_once_again() -> None:
    talker = BreakingTalker()
    pet = Conversation(starter.load_pack(), talker=talker)
    for text in ("my grandmother bought three green umbrellas", "seven times eight is fifty six"):
        turn = pet.read(text)
        assert turn.reply.text
        assert turn.reply.by == "lines"
    assert talker.asked == 1


def test_a_pack_whose_model_is_broken_speaks_in_its_lines(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(pack: object, settings: object) -> None:
        raise PackError("model.onnx is not a usable ONNX model")

    monkeypatch.setattr(conversation, "talker_of", broken)
    pet = Conversation(starter.load_pack())
    assert pet.talker is None
    assert pet.read("my grandmother bought three green umbrellas").reply.text
    assert "not a usable ONNX model" in caplog.text


def test_the_same_seed_asks_with_the_same_seeds() -> None:
    seeds = []
    for _ in range(2):
        talker = ScriptedTalker("I like that.")
        pet = Conversation(starter.load_pack(), seed=3, talker=talker)
        pet.read("my grandmother bought three green umbrellas")
        pet.read("seven times eight is fifty six")
        seeds.append(talker.seeds)
    assert seeds[0] == seeds[1]
    assert len(set(seeds[0])) == 2
