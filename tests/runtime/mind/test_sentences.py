"""Cutting text that comes in pieces into sentences."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.mind.sentences import MAX_LETTERS, Cutter


def cut(text: str, letters: int = 1) -> list[str]:
    cutter = Cutter()
    pieces = [text[start : start + letters] for start in range(0, len(text), letters)]
    return [one for piece in pieces for one in cutter.feed(piece)] + cutter.finish()


@pytest.mark.parametrize("letters", [1, 3, 1000])
@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("Hello you. I like balls!", ["Hello you.", "I like balls!"]),
        ("It is 3.5 metres. Far.", ["It is 3.5 metres.", "Far."]),
        ("Dr. Smith came. So did I. Good.", ["Dr. Smith came.", "So did I.", "Good."]),
        ("Really?! Yes... No", ["Really?!", "Yes...", "No"]),
        ('"Sit." he said', ['"Sit."', "he said"]),
        ("One!Two?Three", ["One!", "Two?", "Three"]),
        ("a line\nanother\n\n", ["a line", "another"]),
        ("*wags tail* Hi! 🐶🐶 (barks)", ["Hi!"]),
        ("", []),
        (" \n . 🐶", []),
    ],
)
def test_sentences_however_they_come(text: str, sentences: list[str], letters: int) -> None:
    assert cut(text, letters) == sentences


def test_a_sentence_is_out_with_the_first_letter_after_it() -> None:
    cutter = Cutter()
    assert cutter.feed("Hello there.") == []
    assert cutter.feed(" ") == ["Hello there."]


def test_a_long_first_sentence_begins_at_its_comma_and_only_the_first() -> None:
    long = "I like the red ball very much, and the blue one a little less, and so on"
    assert cut(f"{long}. {long}.")[0] == "I like the red ball very much, and the blue one a little less,"
    assert cut(f"Hm. {long}.") == ["Hm.", f"{long}."]


def test_what_never_ends_is_cut() -> None:
    assert len(cut("word " * 1000)[0]) <= MAX_LETTERS


@given(st.text(alphabet="ab .!?\n,*(1I", max_size=80), st.integers(1, 9))
def test_no_letter_is_lost_or_made_up(text: str, letters: int) -> None:
    plain = text.replace("*", "").replace("(", "")
    kept = [c for c in "".join(cut(plain, letters)) if c.isalnum()]
    assert kept == [c for c in plain if c.isalnum()]
