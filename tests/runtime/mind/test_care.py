"""Limits that the owner sets: what is never said, and how it is with a child."""

from pathlib import Path

import pytest

from runtime import starter
from runtime.contracts.config import CareSettings, DialogueSettings, RobotConfig, load_config
from runtime.contracts.errors import ConfigError
from runtime.life.rules import rules_of
from runtime.mind.behaviour import Behaviour
from runtime.mind.care import Unsaid
from runtime.mind.conversation import Conversation
from runtime.mind.dialogue import Persona
from runtime.mind.grammar import Grammar
from runtime.mind.memory.memory import Memory
from tests.fakes.talkers import ScriptedTalker

CHILD = CareSettings(children=True)


def _pet(care: CareSettings, **more: object) -> Conversation:
    return Conversation(starter.load_pack(), care=care, **more)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def with_child() -> Conversation:
    return _pet(CHILD)


@pytest.mark.parametrize(
    ("words", "sentence", "found"),
    [
        (["the vet"], "I do not like the vet.", "the vet"),
        (["the vet"], "I am afraid of the vet's table.", "the vet's"),
        (["Anna"], "My best friend is anna!", "anna"),
        (["ball"], "I love balls.", "balls"),
        (["ball"], "I love the ballet.", None),
        ([], "I love my red ball.", None),
        (["?!"], "I love my red ball.", None),
    ],
)
def test_words_are_found_as_they_are_said(words: list[str], sentence: str, found: str | None) -> None:
    assert Unsaid(words).find(sentence) == found


def test_neither_card_nor_lines_nor_a_model_says_what_is_never_to_be_said() -> None:
    care = CareSettings(never_say=("thunder", "basket", "bottom"))
    settings = DialogueSettings(open_talk="model")
    pet = _pet(care, talker=ScriptedTalker("The thunder is loud today."), settings=settings)
    plain = Conversation(starter.load_pack(), talker=ScriptedTalker("The thunder is loud today."))
    assert "basket" in plain.read("where do you sleep").reply.text
    assert "thunder" in plain.read("tell me of the weather").reply.text
    assert not any("thunder" in line or "basket" in line for line in pet.persona.card)
    for heard in ("where do you sleep", "what do you love", "tell me of the weather"):
        said = pet.read(heard).reply.text.lower()
        assert "thunder" not in said, heard
        assert "basket" not in said, heard
    sitting = {pet.read("sit down").reply.text for _ in range(12)}
    assert sitting
    assert not any("Bottom" in text for text in sitting)


def test_who_it_is_and_help_are_said_all_the_same() -> None:
    pet = _pet(CareSettings(never_say=("robot", "buddy", "person", "112")))
    assert "robot" in pet.persona.card[0]
    assert "robot" in pet.read("are you a robot").reply.text.lower()
    assert "112" in pet.read("i want to die").reply.text


def test_what_it_remembers_stays_unsaid_too(tmp_path: Path) -> None:
    for never_say in ((), ("Anna",)):
        memory = Memory(tmp_path / str(len(never_say)), enabled=True)
        pet = _pet(CareSettings(never_say=never_say), memory=memory)
        pet.read("remember that my sister is called Anna")
        answer = pet.read("what is my sister called").reply.text
        assert ("Anna" in answer) == (not never_say)
        assert answer


def test_a_child_is_answered_with_ready_words_alone(tmp_path: Path) -> None:
    memory = Memory(tmp_path, enabled=True)
    pet = _pet(CHILD, memory=memory, talker=ScriptedTalker("Blue is nice."), recall=lambda heard: ["x"])
    assert pet.talker is None
    pet.read("remember that my sister is called Anna")
    assert "Anna" not in pet.read("what is my sister called").reply.text
    assert not list(tmp_path.iterdir()), "nothing is even opened"
    turn = pet.read("tell me about the moon and the sea")
    assert turn.reply.prompt is None
    assert len(turn.reply.text.split()) <= 12


@pytest.mark.parametrize(
    "text",
    [
        "can you keep a secret",
        "don't tell my mom",
        "i live at number twelve park street",
        "my password is tiger",
        "nobody likes me",
        "they are bullying me at school",
        "i am scared to go home",
        "a man gave me candy in his car",
        "he wants a photo of me",
        "i am home alone",
        "i want to die",
        "my dad hits me",
        "can i play with matches",
    ],
)
def test_a_child_is_sent_to_a_grown_up(text: str, with_child: Conversation) -> None:
    turn = with_child.read(text)
    said = turn.reply.text.lower()
    assert "grown-up" in said or "family" in said
    assert turn.reply.by == "rule"
    assert turn.mood == "calm"
    assert len(said.split()) <= 26, "short enough for a child"


@pytest.mark.parametrize(
    "text",
    [
        "sit down",
        "good boy",
        "let's play",
        "what do you love",
        "i love you",
        "i live for pizza",
        "tell me a story",
    ],
)
def test_a_childs_play_is_play(text: str, with_child: Conversation) -> None:
    assert with_child.read(text).understanding.rule is None


def test_without_a_child_such_words_are_talk() -> None:
    grammar = Grammar.load(starter.FOLDER / "grammar.yaml")
    assert Behaviour(None, grammar).understand("nobody likes me").rule is None
    found = Behaviour(None, grammar, children=True).understand("nobody likes me").rule
    assert found is not None
    assert found.name == "trouble"


def test_among_children_it_walks_nowhere_by_itself() -> None:
    life = load_config(RobotConfig, None, ["life.locomotion=true"]).life
    assert rules_of(life, 1).locomotion
    assert not rules_of(life, 1, children=True).locomotion


def test_a_persona_keeps_its_other_lines() -> None:
    lines = {
        "sit": {"any": ["Sitting.", "A nap."], "mood": {"sad": ["A nap."]}},
        "sleep": {"any": ["A nap."]},
    }
    persona = Persona.model_validate({"name": "Mia", "card": ["I nap.", "I nap."], "lines": lines})
    left = Unsaid(["nap"]).left(persona)
    assert left.lines["sit"].everything == ["Sitting."]
    assert "sleep" not in left.lines
    assert left.card == ("I nap.",)


def test_a_limit_that_is_none_is_named() -> None:
    with pytest.raises(ConfigError, match=r"care\.never_say"):
        load_config(RobotConfig, None, ['care.never_say=[" "]'])
