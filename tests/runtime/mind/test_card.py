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
        ("what do you dislike", "I am afraid of thunder."),
        ("what makes you hide", "I am afraid of thunder."),
        ("which toy do you like", "I love my red ball."),
        ("tell me about your bed", "I sleep in a basket by the door."),
        ("which room do you sleep in", "I sleep in a basket by the door."),
        ("where is the bed", None),
        ("what is your favourite colour", None),
        ("where do you live", None),
        ("what do you eat", None),
        ("tell me what you are afraid of", "I am afraid of thunder."),
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


OWN = (
    "I am a robot that copies Rex, a small terrier.",
    "My best friend is Anna.",
    "I always dig in the garden.",
    "I live in Leeds.",
    "Rex used to steal cheese.",
    "Vacuums make me hide.",
    "My favourite place is the porch.",
)


@pytest.mark.parametrize(
    ("heard", "place"),
    [
        ("what breed are you", 0), ("describe yourself", 0), ("what are you a copy of", 0),
        ("whose pet are you", 1), ("who do you love", 1), ("do you have a friend", 1),
        ("what is your hobby", 2), ("how do you spend your day", 2), ("what do you like to do", 2),
        ("where are you from", 3), ("which town do you live in", 3),
        ("what food do you like", 4), ("what did rex like to eat", 4),
        ("what scares you", 5), ("does something scare you", 5), ("what do you run away from", 5),
        ("where do you feel best", 6),
        ("how tall are you", None), ("how many friends do you have", None), ("how are you called", None),
        ("who taught you to sit", None), ("what are you called", None),
        ("what did tom like to eat", None), ("do you like trains", None), ("what are you made of", None),
    ],
)  # fmt: skip
def test_each_kind_of_sentence_answers_what_asks_for_its_kind(heard: str, place: int | None) -> None:
    assert card_answer(OWN, heard, "Rex") == (None if place is None else OWN[place])


def test_the_card_goes_before_a_model() -> None:
    pet = Conversation(starter.load_pack(), talker=ScriptedTalker("On the moon."))
    turn = pet.read("where do you sleep")
    assert (turn.reply.text, turn.reply.by) == ("I sleep in a basket by the door.", "lines")
    assert turn.reply.why == "its card says it"
    assert pet.read("where do whales sleep").reply.text == "On the moon."


def test_what_the_card_answers_goes_before_small_talk_that_is_only_guessed() -> None:
    """ "What do you love" sounds like "I love you" to the classifier."""
    turn = Conversation(starter.load_pack()).read("what do you love")
    assert turn.understanding.intent == "love"
    assert "I love my red ball." in turn.reply.text
