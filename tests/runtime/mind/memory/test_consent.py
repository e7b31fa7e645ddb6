"""Nothing is kept before the owner allowed it, and a denial counts at once."""

from pathlib import Path

from runtime.mind.memory import consent, replies
from runtime.mind.memory.memory import Memory
from tests.runtime.mind.memory.saying import says


def test_nothing_is_kept_or_made_before_it_is_allowed(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "memory")
    assert says(memory, "my sister is called Anna") == ""
    assert says(memory, "remember that my sister is called Anna") == replies.HOW_TO_ALLOW
    assert says(memory, "remember that my sister is called Anna") == replies.NOT_ALLOWED
    assert says(memory, "what is my sister called") == ""
    assert memory.recall("my sister") == ()
    assert not (tmp_path / "memory").exists()
    assert says(memory, "you may remember things") == replies.ALLOWED
    given = consent.read(tmp_path / "memory")
    assert given is not None
    assert (given.allowed, given.how) == (True, "typed")
    says(memory, "remember that my sister is called Anna")
    assert "Anna" in says(memory, "what is my sister called")
    assert says(memory, "you may not remember anything") == replies.DENIED
    assert says(memory, "what is my sister called") == ""
    assert memory.recall("my sister") == ()


def test_spoken_to_be_remembered_it_explains_and_typed_it_chats(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "memory")
    assert memory.hear("I like tea", "typed") is None
    answer = memory.hear("my name is tom", "said")
    assert answer is not None
    assert answer.text == replies.HOW_TO_ALLOW


def test_a_denial_counts_before_the_settings(memory: Memory) -> None:
    says(memory, "stop remembering things")
    assert says(memory, "I like tea") == ""
