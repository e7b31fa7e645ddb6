"""How confusable a name is: the search through talk against a slow and obvious one, and the verdicts."""

import numpy as np
import pytest

pytest.importorskip("torch", reason="pip install 'everpaw[training]'")

from runtime.contracts.errors import TrainingError
from runtime.speech.units import BLANK, encode
from training.wake import words as wake_words
from training.wake.words import Talk, judge, phones_of

TALK = [
    "please turn the radio off",
    "the service was bad",
    "call jarvis now",
    "do not starve us",
    "a harvest",
]


def slow_distance(name: list[int], text: list[int]) -> float:
    """Best over all stretches of `text`, one at a time."""
    best = float(len(name))
    for start in range(len(text)):
        row = np.arange(len(name) + 1, dtype=float)
        for unit in text[start:]:
            before, row[0] = row.copy(), row[0] + 1
            for i, mine in enumerate(name, 1):
                swap = before[i - 1] + wake_words.costs()[mine, unit]
                row[i] = min(swap, before[i] + 1, row[i - 1] + 1)
            best = min(best, row[-1])
    return best


@pytest.mark.parametrize("name", ["jarvis", "stop", "hey buddy", "service"])
def test_the_search_finds_what_a_slow_one_finds(name: str) -> None:
    for sentence in TALK:
        text = [u for word in sentence.split() for u in encode(phones_of(word))]
        expected = slow_distance(encode(phones_of(name)), text)
        assert Talk([sentence]).distances(phones_of(name))[0].min() == pytest.approx(expected), sentence


def test_stretches_are_whole_words_of_one_sentence() -> None:
    talk = Talk(TALK)
    found = {s.text: s.distance for s in talk.close(phones_of("jarvis"), 2.5)}
    assert found["jarvis"] == 0
    assert set(found) >= {"starve us", "service"}
    assert all(any(text in sentence for sentence in TALK) for text in found)
    assert (talk.units == BLANK).sum() == len(TALK) + 1


def test_a_name_said_all_day_is_poor_and_a_long_one_good() -> None:
    poor, good = judge("okay"), judge("hello marzipan")
    assert (poor.verdict, good.verdict) == ("poor", "good")
    assert poor.per_10k_words > 5 > good.per_10k_words
    assert good.syllables == 5
    assert "12" in good.lines()[0] or "13" in good.lines()[0]


def test_a_short_name_gets_better_proposals() -> None:
    told = wake_words.advice("rex")
    assert "1 syllables" in told[0]
    assert sum(line.startswith("better:") for line in told) == 3
    assert all(form.per_10k_words < judge("rex").per_10k_words for form in wake_words.proposals("rex"))
    assert not any(line.startswith("better:") for line in wake_words.advice("hello marzipan"))


def test_what_cannot_be_read_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wake_words.lexicon, "guess", lambda word: ())
    with pytest.raises(TrainingError, match="spell it as it sounds"):
        judge("qzxvim")


def test_where_a_name_ends_in_a_sentence() -> None:
    """A voice says name and order with silence put between; the end is found within 60 ms."""
    from training.asr import gaussians
    from training.data import espeak
    from training.wake import ends as wake_ends

    if not (gaussians.MODEL / "means").is_file():
        pytest.skip("no acoustic model: apt install pocketsphinx-en-us")
    speaker = espeak.espeak()
    if speaker is None:
        pytest.skip("no espeak-ng: pip install 'everpaw[voice]'")
    import soxr

    def say(text: str) -> np.ndarray:
        sound = speaker.speak(text, "en-us", 160, 50, 50, 0)
        sound = soxr.resample(sound.astype(np.float32), speaker.rate_hz, 16_000)
        loud = np.flatnonzero(np.abs(sound) > 300)
        return sound[loud[0] : loud[-1]].astype(np.int16)

    name, order = say("hey jarvis"), say("turn left")
    joined = np.concatenate([name, np.zeros(1600, np.int16), order])
    end = wake_ends.end_of(joined, "hey jarvis", " turn left")
    assert end is not None
    assert abs(end - len(name)) < 0.06 * 16_000
    assert wake_ends.end_of(name[:3000], "hey jarvis", " turn left around the big house") is None
