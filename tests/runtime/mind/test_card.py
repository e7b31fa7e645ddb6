"""What the card says is answered in the card's words; what it does not say is left to others."""

import pytest

from runtime import starter
from runtime.mind.card import card_answer
from runtime.mind.conversation import Conversation
from tests.fakes.talkers import ScriptedTalker

CARD = ("I sleep in a basket by the door.", "I am afraid of thunder.", "I love my red ball.")


@pytest.mark.parametrize(
    ("heard", "said"),
    [
        ("where do you sleep", "I sleep in a basket by the door."),
        ("Are you scared of thunder?", "I am afraid of thunder."),
        ("do you hate thunder", "I am afraid of thunder."),
        ("what frightens you", "I am afraid of thunder."),
        ("what makes you happy", "I love my red ball."),
        ("are you afraid of something", "I am afraid of thunder."),
        ("are you afraid of dogs", None),
        ("what do you dislike", None),
        ("what are you afraid of", "I am afraid of thunder."),
        ("do you like your ball", "I love my red ball."),
        ("what do you love", "I love my red ball."),
        ("do you love rain", None),
        ("do you love me", None),
        ("do you like it", None),
        ("who are you", None),
        ("i sleep badly", None),
        ("my brother sleeps", None),
        ("", None),
    ],
)
def test_only_what_holds_every_telling_word_answers(heard: str, said: str | None) -> None:
    assert card_answer(CARD, heard) == said


def test_the_card_goes_before_a_model() -> None:
    pet = Conversation(starter.load_pack(), talker=ScriptedTalker("On the moon."))
    turn = pet.read("where do you sleep")
    assert (turn.reply.text, turn.reply.by) == ("I sleep in a basket by the door.", "lines")
    assert turn.reply.why == "its card says it"
    assert pet.read("where do whales sleep").reply.text == "On the moon."
