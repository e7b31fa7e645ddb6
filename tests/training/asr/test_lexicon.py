"""Words in sounds: the dictionary, guesses by espeak-ng, and real talk cut into words."""

from pathlib import Path

import numpy as np
import pytest

from runtime.contracts.errors import GrammarError
from runtime.speech.pronounce import Pronouncer
from runtime.speech.units import decode, encode
from training.asr import lexicon, sphinx
from training.asr.heard_speech import Recording, SpokenWord
from training.data.espeak import espeak

pytestmark = pytest.mark.skipif(
    not lexicon.SOURCE.is_file(), reason="no pronouncing dictionary; apt install pocketsphinx-en-us"
)


@pytest.mark.skipif(espeak() is None, reason="espeak-ng is not installed; pip install 'everpaw[voice]'")
def test_a_word_of_no_dictionary_is_guessed_and_added_once(tmp_path: Path) -> None:
    lexicon.write(tmp_path / "dictionary.xz")
    assert lexicon.guess("nala") == (("N", "AA", "L", "AH"),)
    assert lexicon.write_additions(tmp_path, ["sit", "nala", "wakey"]) == ["nala", "wakey"]
    assert lexicon.write_additions(tmp_path, ["nala"]) == []
    told = Pronouncer.load(tmp_path)
    assert told.ways("wakey") == (("W", "EY", "K", "IY"),)
    assert told.ways("nala") == lexicon.pronouncer().ways("nala")


def test_what_nobody_can_say_is_an_error(tmp_path: Path) -> None:
    lexicon.write(tmp_path / "dictionary.xz")
    with pytest.raises(GrammarError, match="is said"):
        lexicon.write_additions(tmp_path, ["'"])


def test_pocketsphinx_segments_become_words_with_their_ways() -> None:
    line = "0 S 0 T -9 A -8 L -1 0 -9 0 <s> 19 -1 -757 to(3) 30 -7 -52 <sil> 50 -2 -6 hush 80 -1 -1 </s> 90"
    _, *fields = line.split()
    words = sphinx._segments(fields[fields.index("L") + 2 :])
    assert words == [("to", "T AH", 19 * 160, 30 * 160), ("hush", "HH AH SH", 50 * 160, 80 * 160)]


def test_part_of_a_talk_is_words_in_a_row_with_their_sound() -> None:
    words = tuple(
        SpokenWord(text, tuple(encode(lexicon.pronouncer().must(text)[0])), 1_000 * i, 1_000 * (i + 1))
        for i, text in enumerate(["go", "and", "get", "the", "ball", "now"])
    )
    talk = Recording(np.arange(8_000, dtype=np.int16), words, "someone")
    rng = np.random.default_rng(0)
    for _ in range(20):
        samples, units, text = talk.part(rng)
        first = talk.words[0].text if not text else text.split()[0]
        start = ["go", "and", "get", "the", "ball", "now"].index(first) * 1_000
        assert samples[0] == max(0, start - 320)
        assert len(samples) >= 1_000 * len(text.split())
        assert decode(units) == [p for w in text.split() for p in lexicon.pronouncer().must(w)[0]]
