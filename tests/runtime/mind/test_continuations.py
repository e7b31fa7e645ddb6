"""What a beginning may still become."""

from runtime.mind import continuations
from runtime.mind.continuations import Continuations
from runtime.mind.grammar import Grammar, Parse

GRAMMAR = """
context:
  expressions:
    sit:
      - "sit (down) (please)"
    shake_paw:
      - "shake (hands)"
    shake_head:
      - "shake your head"
    turn:
      - "turn $way:direction"
  slots:
    way: [left, right]
"""


def meanings(text: str) -> tuple[Parse, ...] | None:
    return Continuations(Grammar.load(GRAMMAR)).meanings(text)


def test_all_endings_of_one_meaning_count_once() -> None:
    assert meanings("sit") == (Parse("sit"),)
    assert meanings("sit down please") == (Parse("sit"),)


def test_another_meaning_further_on_is_seen() -> None:
    found = meanings("shake")
    assert found is not None
    assert {parse.intent for parse in found} == {"shake_paw", "shake_head"}


def test_slots_are_meanings_too() -> None:
    found = meanings("turn")
    assert found is not None
    assert [parse.slots for parse in sorted(found, key=str)] == [
        {"direction": "left"},
        {"direction": "right"},
    ]


def test_words_that_begin_nothing() -> None:
    assert meanings("fly") == ()
    assert meanings("sit up") == ()


def test_too_many_endings_are_not_counted(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(continuations, "MAX_ENDINGS", 2)
    assert meanings("sit") is None
