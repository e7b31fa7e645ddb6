"""Teaching, asking, correcting, forgetting, as people say it."""

import re

import pytest

from runtime.mind.memory.figures import sentences
from runtime.mind.memory.memory import Memory
from tests.runtime.mind.memory.saying import says

TALKS: dict[str, list[tuple[str, str]]] = {
    "taught and asked": [
        ("remember that my sister is Anna", "your sister is called Anna"),
        ("what is my sister called?", "^Your sister is called Anna.$"),
        ("who is Anna", "your sister is called Anna"),
        ("what is my brother called", "don't know"),
    ],
    "who am I": [
        ("who am I", "don't know"),
        ("my name is Robert", "Hello Robert"),
        ("who am I", "your name is Robert"),
        ("do you know my name", "Robert"),
    ],
    "likes collect and turn": [
        ("I like tea", "you like tea"),
        ("I also like soup", "you also like soup"),
        ("what do I like", "tea.*soup"),
        ("I don't like tea any more", "so you don't like tea"),
        ("what do I like", "soup(?!.*tea)"),
    ],
    "one value takes the place of another": [
        ("we live in Hamburg", "live in Hamburg"),
        ("we live in Kiel", "^Okay, so you live in Kiel"),
        ("where do we live", "Kiel(?!.*Hamburg)"),
    ],
    "no, her name is Hanna": [
        ("remember that my sister is called Anna", "Anna"),
        ("no, her name is Hanna", "so your sister is called Hanna"),
        ("what is my sister called", "Hanna"),
        ("who is Anna", "don't know|^$"),
    ],
    "other ways of putting right": [
        ("my dog is called Rex", "Rex"),
        ("actually, he is called Max", "Max"),
        ("no, Felix", "Felix"),
        ("not Felix but Otto", "Otto"),
        ("it's Bruno, not Otto", "Bruno"),
        ("sorry, my dog is called Emil", "Emil"),
        ("what is my dog called", "^Your dog is called Emil.$"),
    ],
    "she is whoever was spoken of": [
        ("my sister is called Anna", "Anna"),
        ("remember that she likes opera", "your sister likes opera"),
        ("her birthday is on the second of May", "your sister's birthday is on the second of May"),
        ("when was Anna born", "second of May"),
        ("what does Anna like", "opera"),
        ("what do you know about my sister", "Anna.*opera.*second of May"),
    ],
    "another beside the first": [
        ("my sister is called Anna", "Anna"),
        ("I have another sister called Eva", "Eva"),
        ("what are my sisters called", "Anna.*Eva"),
    ],
    "forget that": [
        ("my birthday is on the ninth of May", "ninth"),
        ("forget that", "forgot it"),
        ("when is my birthday", "don't know"),
        ("forget that my birthday is on the ninth of May", "nothing to forget"),
    ],
    "forget what was said, by what it says": [
        ("my sister is called Anna", "Anna"),
        ("my sister likes opera", "opera"),
        ("please forget that my sister is called Anna", "forgot it"),
        ("what does my sister like", "opera"),
        ("what is my sister called", "don't know"),
        ("forget what my sister likes", "forgot it"),
        ("what does my sister like", "don't know"),
    ],
    "forget everything about somebody": [
        ("my sister is called Anna", "Anna"),
        ("remember that Anna works in Rome", "Rome"),
        ("I like tea", "tea"),
        ("forget everything about my sister", "forgot 2 things"),
        ("who is Anna", "don't know|^$"),
        ("where does Anna work", "don't know"),
        ("what do I like", "tea"),
    ],
    "forget everything, asked back once": [
        ("I like tea", "tea"),
        ("we live in Kiel", "Kiel"),
        ("forget everything", "really forget all 2 things"),
        ("no", "keep everything"),
        ("what do I like", "tea"),
        ("forget everything you know", "really forget"),
        ("what do I like", "tea"),
        ("yes", "^$"),
        ("forget everything", "really forget"),
        ("yes please", "forgot everything"),
        ("what do I like", "don't know"),
        ("what do you know about me", "don't know"),
    ],
    "what cannot be sorted is kept as it was said": [
        ("remember that the bins go out on Tuesday", "the bins go out on Tuesday"),
        ("when do the bins go out", "Tuesday"),
        ("what do you know about the bins", "Tuesday"),
        ("where are the bins", "don't know"),
    ],
    "secrets are not kept": [
        ("remember that my pin is 1234", "secret"),
        ("remember my password is swordfish", "secret"),
        ("my credit card number is 4539 1488 0343 6467", "secret"),
        ("remember 4539148803436467", "secret"),
        ("what is my pin", "don't know"),
        ("what do you know", "don't know"),
    ],
    "questions are not facts": [
        ("remember", "^$"),
        ("do you remember my sister", "don't know"),
        ("what is my favourite colour", "don't know"),
        ("what do you know about me", "don't know"),
    ],
    "moments are not facts": [
        ("I am tired", "^$"),
        ("my head hurts", "^$"),
        ("I am so happy today", "^$"),
        ("I love you", "^$"),
        ("I like it when you bark", "^$"),
        ("you are the best", "^$"),
        ("what do you know about me", "don't know"),
    ],
}


@pytest.mark.parametrize("talk", TALKS.values(), ids=TALKS.keys())
def test_talks(memory: Memory, talk: list[tuple[str, str]]) -> None:
    for said, expected in talk:
        reply = says(memory, said)
        assert re.search(expected, reply, re.IGNORECASE), (said, reply)


def test_a_tired_person_is_nobodys_name(memory: Memory) -> None:
    for said in ("I am tired", "I am home", "I am a robot", "it's raining", "I am so sorry"):
        assert says(memory, said) == ""


@pytest.mark.parametrize("letters", [225, 232, 236, 238, 239, 240, 241, 600])
def test_no_length_of_a_word_breaks_it(memory: Memory, letters: int) -> None:
    """Every word of every shipped sentence in turn, so long that the whole has about the most letters."""
    tellings = [tell.split() for tell, *_ in sentences().taught[::4]]
    for words in tellings:
        for place, word in enumerate(words):
            rest = len(" ".join(words)) - len(word)
            says(memory, " ".join([*words[:place], "Q" + "q" * (letters - rest - 1), *words[place + 1 :]]))
    says(memory, "I like tea")
    assert "tea" in says(memory, "what do I like")
