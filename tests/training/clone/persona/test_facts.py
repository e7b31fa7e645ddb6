"""What is told for good becomes a sentence of the robot; everything else is passed over."""

import pytest

from training.clone.persona.facts import Told, facts_in
from training.clone.persona.language import first_person
from training.clone.persona.notes import Line
from training.clone.persona.style import style_of
from training.clone.persona.subject import Animal

BUDDY = Animal("Buddy", "male", "Ann")


def told(*lines: str, animal: Animal = BUDDY, speaker: str = "") -> list[Told]:
    return facts_in([Line("d.md", n, text, None, speaker) for n, text in enumerate(lines, 1)], animal)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("Buddy loves his red ball more than anything!", "I love my red ball."),
        ("Our dog is crazy about snow 😍", "I love snow."),
        ("Buddy can't stand baths.", "I do not like baths."),
        ("Buddy is really scared of the hair dryer, poor boy.", "I am afraid of the hair dryer."),
        ("Buddy always spins twice before dinner.", "I always spin twice before dinner."),
        ("Buddy carries his bowl around every evening.", "I always carry my bowl around every evening."),
        ("Buddy barks when I come home.", "I bark when Ann comes home."),
        ("Buddy sleeps on my bed.", "I sleep on Ann's bed."),
        ("Buddy usually sleeps under the table.", "I sleep under the table."),
        ("Buddy's favourite food is cheese.", "My favourite food is cheese."),
        ("Buddy's best friend is Luna.", "My best friend is Luna."),
        ("Buddy howls when he hears sirens.", "I howl when I hear sirens."),
    ],
)
def test_what_lasts_is_taken_up(line: str, says: str) -> None:
    [fact] = told(line)
    assert fact.says == says
    assert (fact.source, fact.confidence > 0.8) == ("d.md:1", True)


@pytest.mark.parametrize(
    "line",
    [
        "Buddy loved the walk today.", "Does Buddy like rain?", "Buddy might like rain.",
        "I think Buddy hates rain.",
        "Anna loves Buddy.", "My sister's dog loves snow.", "Buddy never barks at children.",
        "Buddy loves it.",
        "Buddy loves cucumber, but only with salt.", "If Buddy loves you, you know.",
        "Buddy would love a bed.",
        'Buddy "loves" the vet.', "Buddy likes the hoover? No way.", "Buddy no longer likes his ball.",
        "Buddy loves Tom and his guitar.", "Buddy loves the PIN number 1234.", "Buddy is not afraid of bees.",
        "Buddy loves killing himself.", "Buddy used to love rain.", "He loves rain.",
    ],
)  # fmt: skip
def test_what_is_of_a_day_in_doubt_or_of_others_is_not(line: str) -> None:
    assert told(line) == []


def test_he_is_the_animal_only_while_nobody_else_came_in() -> None:
    assert [f.says for f in told("Buddy loves snow. He hates rain.")] == [
        "I love snow.",
        "I do not like rain.",
    ]
    assert [f.says for f in told("Buddy met Rex. He hates rain.")] == []
    assert [f.says for f in told("Buddy is fine. My husband is home. He hates rain.")] == []
    assert [f.says for f in told("Buddy loves snow.", "He hates rain.", speaker="Ann")] == ["I love snow."]
    assert [f.says for f in told("Buddy is here. She hates rain.")] == []


def test_an_answer_in_a_few_words_is_read_by_its_question() -> None:
    asked = {
        "What is he afraid of?": ("Thunder and fireworks", "I am afraid of thunder and fireworks."),
        "Where does he sleep?": ("On the sofa", "I sleep on the sofa."),
        "Who is his best friend?": ("Luna", "My best friend is Luna."),
        "What is his favourite toy?": ("A duck", "My favourite toy is a duck."),
        "When does he howl?": ("When sirens pass", "I howl when sirens pass."),
        "What does he not like?": ("nothing", None),
        "What does he like?": ("I am not sure", None),
        "Where does he sleep, ": ("everywhere", None),
    }
    for question, (answer, says) in asked.items():
        found = facts_in([Line("q.txt", 2, answer, None, "", question)], BUDDY)
        assert [f.says for f in found] == ([says] if says else []), question


def test_of_an_animal_in_memory_the_past_is_told() -> None:
    rex = Animal("Rex", "male", "Ann", living=False)
    found = told("Rex loved snow.", "Rex used to sleep on the sofa.", "Rex was afraid of bees.", animal=rex)
    assert [f.says for f in found] == ["I love snow.", "I sleep on the sofa.", "I am afraid of bees."]


def test_a_fact_told_twice_stands_once_with_its_first_line() -> None:
    assert [f.source for f in told("Buddy loves snow.", "Buddy loves SNOW!")] == ["d.md:1"]


def test_style_follows_the_words_and_stays_in_the_middle_without() -> None:
    lines = [Line("d.md", n, "Buddy is lazy and naps.") for n in range(9)]
    found = style_of(lines, ("curious",), BUDDY)
    assert found.numbers["energy"] < 0.2
    assert found.numbers["curiosity"] > 0.7
    assert found.numbers["sociability"] == 0.5
    assert found.because["curiosity"] == ("profile.toml",)
    assert style_of([], ("not shy",), BUDDY).numbers["sociability"] > 0.5


def test_verbs() -> None:
    pairs = {
        "chases": "chase",
        "carries": "carry",
        "watches": "watch",
        "lies": "lie",
        "goes": "go",
        "spins": "spin",
    }
    assert {verb: first_person(verb) for verb in pairs} == pairs
