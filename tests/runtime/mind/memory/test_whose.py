"""Whose fact it is: everybody has a "my" of their own, and a guest takes nothing of the owner's away."""

import pytest

from runtime.mind.memory import replies
from runtime.mind.memory.memory import Memory
from tests.runtime.mind.memory.saying import UNKNOWN, Clock, says


def test_everybody_has_a_my_of_their_own(memory: Memory, clock: Clock) -> None:
    for said in ("my name is Robert", "my sister is called Anna", "I like tea", "the key is under the mat"):
        says(memory, said)
    says(memory, "remember that the key is under the mat")
    assert "Hello Tom" in says(memory, "I am Tom")
    assert UNKNOWN.search(says(memory, "what is my sister called"))
    says(memory, "my sister is called Eva")
    says(memory, "I like coffee")
    assert "Eva" in says(memory, "what is my sister called")
    assert says(memory, "what do I like") == "You like coffee."
    assert says(memory, "what does Robert like") == "Robert likes tea."
    assert "mat" in says(memory, "where is the key")
    assert "Hello Robert" in says(memory, "it's me, Robert")
    assert says(memory, "what is my sister called") == "Your sister is called Anna."
    assert says(memory, "what is Tom's sister called") == "Tom's sister is called Eva."
    says(memory, "this is Tom")
    clock.now_s += 10_000
    assert says(memory, "what do I like") == "You like tea."


def test_a_guest_takes_nothing_of_the_owners_away(memory: Memory) -> None:
    for said in ("my name is Robert", "remember that the key is under the mat", "I am Tom"):
        says(memory, said)
    says(memory, "remember that the key is in the shed")
    says(memory, "I am Robert")
    assert "mat" in says(memory, "where is the key")
    says(memory, "remember that the key is in the drawer")
    assert says(memory, "where is the key") == "The key is in the drawer."


def test_a_guest_forgets_only_what_is_theirs_and_allows_nothing(memory: Memory) -> None:
    for said in (
        "my name is Robert",
        "my sister is called Anna",
        "remember that the key is under the mat",
        "I am Tom",
    ):
        says(memory, said)
    says(memory, "I like coffee")
    assert says(memory, "forget everything about the key") == replies.NOT_YOURS
    assert "all 2 things" in says(memory, "forget everything")
    assert "2 things" in says(memory, "yes")
    assert says(memory, "you may not remember anything") == replies.ASK_THE_OWNER
    says(memory, "I am Robert")
    assert "mat" in says(memory, "where is the key")
    assert "Anna" in says(memory, "what is my sister called")


@pytest.mark.parametrize("name", ["Q" + "q" * 45, "Q" + "q" * 300])
def test_nobody_is_called_what_is_too_long_to_keep(memory: Memory, name: str) -> None:
    """Neither as a guest nor as the right value of a fact."""
    for said in ("my name is Robert", "my sister is called Anna"):
        says(memory, said)
    for said in (
        f"I am {name}",
        f"my name is {name}",
        f"call me {name}",
        f"no, her name is {name}",
        f"no, {name}",
        "I like tea",
    ):
        says(memory, said)
    assert says(memory, "what do I like") == "You like tea."
    assert len(says(memory, "what is my sister called")) < 100


def test_facts_for_the_prompt_are_in_the_speakers_words(memory: Memory) -> None:
    for said in ("my name is Robert", "my sister is called Anna", "I like tea", "we live in Hamburg"):
        says(memory, said)
    assert memory.recall("shall we visit my sister")[0] == "my sister is called Anna"
    assert memory.recall("xyzzy plugh") == ()
    says(memory, "I am Tom")
    assert memory.recall("where does Robert's sister live")[0].startswith("Robert")


def test_a_yes_or_no_that_nobody_told_is_the_dialogues_to_give(memory: Memory) -> None:
    """ "Do I have a fever" asks for care and not for what was told."""
    says(memory, "remember that I am allergic to nuts")
    assert "nuts" in says(memory, "am I allergic to nuts")
    for asked in ("do I have a fever", "is somebody watching me", "is our talk private"):
        assert says(memory, asked) == ""
    assert UNKNOWN.search(says(memory, "what is my blood type"))
