"""Free decoding: what was said, when the grammar does not hold it, spelled with words that exist.

A prefix beam search over letters. A finished word earns the logarithm of its frequency; letters that begin no
known word cost as they come, so that a strange name can still be spelled, but seldom is.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from runtime.speech import units
from runtime.speech.units import LogProbs

_WORD_WEIGHT = 0.6
_WORD_BONUS = 5.0
"""Nats: makes up for the weight of an average word, so that sentences are not kept short"""
_STRANGE_LETTER = -2.0
_PACK_COUNT = 100.0
"""The pack's own words count as if they had been seen so often"""
_LEAST = math.log(1e-3)


class Lexicon:
    """Known words with their log-frequencies, and all their beginnings."""

    def __init__(self, counts: Mapping[str, float], pack_words: Iterable[str] = ()) -> None:
        merged = dict(counts)
        for word in pack_words:
            merged[word] = merged.get(word, 0.0) + _PACK_COUNT
        total = sum(merged.values()) or 1.0
        self._log = {word: math.log(count / total) for word, count in merged.items() if count > 0}
        self._beginnings = {word[:i] for word in self._log for i in range(1, len(word) + 1)}

    def letter(self, word: str, letter: str) -> float:
        """Nats for `letter` after the unfinished `word`."""
        if letter == " ":
            return self.end(word)
        return 0.0 if word + letter in self._beginnings else _STRANGE_LETTER

    def end(self, word: str) -> float:
        """Nats for ending `word` here."""
        if not word:
            return 0.0
        if word in self._log:
            return _WORD_BONUS + _WORD_WEIGHT * self._log[word]
        return _STRANGE_LETTER


@dataclass(slots=True)
class _Beam:
    blank: float = -math.inf
    letter: float = -math.inf
    """Log-probability of all alignments that end in a blank, in the last letter"""
    words: float = 0.0

    @property
    def sound(self) -> float:
        return float(np.logaddexp(self.blank, self.letter))

    @property
    def score(self) -> float:
        return self.sound + self.words


def transcribe(log_probs: LogProbs, lexicon: Lexicon, width: int = 12) -> str:
    """The likeliest text, "" for silence. About 100 microseconds a step that is no blank."""
    beams = {"": _Beam(blank=0.0)}
    for row in log_probs:
        likely = [int(u) for u in np.flatnonzero(row > max(_LEAST, float(row.max()) - 7.0))]
        beams = _prune(_advance(beams, row, likely, lexicon), width)
    finished = {text: beam.score + lexicon.end(text.rpartition(" ")[2]) for text, beam in beams.items()}
    return " ".join(max(finished, key=lambda text: finished[text]).split())


def _advance(
    beams: dict[str, _Beam],
    row: "np.ndarray[tuple[int], np.dtype[np.float32]]",
    likely: list[int],
    lexicon: Lexicon,
) -> dict[str, _Beam]:
    grown: dict[str, _Beam] = defaultdict(_Beam)
    for text, beam in beams.items():
        same = grown[text]
        same.words = beam.words
        sound = beam.sound
        same.blank = float(np.logaddexp(same.blank, sound + float(row[units.BLANK])))
        last = text[-1:]
        if last:
            said = float(row[units.encode(last)[0]])
            same.letter = float(np.logaddexp(same.letter, beam.letter + said))
        for unit in likely:
            letter = units.UNITS[unit]
            if unit == units.BLANK or (letter == " " and last in ("", " ")):
                continue
            more = grown[text + letter]
            more.words = beam.words + lexicon.letter(text.rpartition(" ")[2], letter)
            before = beam.blank if letter == last else sound
            more.letter = float(np.logaddexp(more.letter, before + float(row[unit])))
    return grown


def _prune(beams: dict[str, _Beam], width: int) -> dict[str, _Beam]:
    ranked = sorted(beams.items(), key=lambda item: -item[1].score)
    return dict(ranked[:width])
