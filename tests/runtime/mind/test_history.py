"""Only what was really said is remembered as said."""

import pytest

from runtime.mind.history import LENGTH, History, spoken_part

LINE = "I walk, turn and howl."


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0.0, ""),
        (0.05, ""),
        (0.1, "I"),
        (0.4, "I walk,"),
        (0.9, "I walk, turn and"),
        (0.98, LINE),
        (1.0, LINE),
    ],
)
def test_whole_words_within_the_share(share: float, said: str) -> None:
    assert spoken_part(LINE, share) == said


def test_a_reply_grows_while_it_sounds() -> None:
    history, share = History(), [0.0]
    history.add("what can you do", LINE, lambda: share[0])
    assert history.turns() == [("what can you do", "")]
    share[0] = 0.5
    assert history.turns() == [("what can you do", "I walk,")]


def test_old_turns_are_forgotten() -> None:
    history = History()
    for number in range(LENGTH + 5):
        history.add(str(number), "", lambda: 1.0)
    assert len(history.turns()) == LENGTH
    assert history.turns()[0][0] == "5"
