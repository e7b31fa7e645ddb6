"""Free decoding: what was said, when the grammar does not hold it, in words that exist.

A prefix beam search over the phones of a lexicon. A finished word earns the logarithm of how likely it is
after the word before; a sound that fits no word is passed over at a price, so that a strange name does not
spoil its neighbours.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from runtime.speech import units
from runtime.speech.pronounce import Pronouncer
from runtime.speech.units import LogProbs

_WORD_WEIGHT = 0.9
_PASSED_OVER = -10.0
"""Nats a step for a sound that is taken for none"""
_CUT_OFF = 11.0
"""Nats for a word that the end cuts off, and that is left out; for less, no rare word would be the last"""
_PACK_COUNT = 100.0
"""The pack's own words count as if they had been seen so often"""
_LIKELY = 9.0
"""Nats under the likeliest unit of a step within which a unit is tried"""
_ROOT = 0
_DOUBT = 20.0
"""A word's own frequency counts as if it had been seen so often after the word before"""


class Lexicon:
    """Known words as a tree of phones, node 0 its root, and how likely each is after another.

    `counts`: how often each word was seen; `pairs`: how often "one other" was, in that order.
    """

    def __init__(
        self,
        counts: Mapping[str, float],
        pronouncer: Pronouncer,
        pack_words: Iterable[str] = (),
        pairs: Mapping[str, float] | None = None,
    ) -> None:
        self._counts = {word: count for word, count in counts.items() if count > 0}
        for word in pack_words:
            self._counts[word] = self._counts.get(word, 0.0) + _PACK_COUNT
        self._total = sum(self._counts.values()) or 1.0
        self._pairs = pairs or {}
        self.next: list[dict[int, int]] = [{}]
        """For every node: unit -> node"""
        self.words: list[list[str]] = [[]]
        """For every node: the words that end here"""
        for word in self._counts:
            for way in pronouncer.ways(word):
                self._add(word, units.encode(way))

    def _add(self, word: str, way: list[int]) -> None:
        node = _ROOT
        for unit in way:
            if unit not in self.next[node]:
                self.next[node][unit] = len(self.next)
                self.next.append({})
                self.words.append([])
            node = self.next[node][unit]
        self.words[node].append(word)

    def earns(self, word: str, before: str) -> float:
        """Nats for `word` after the word `before`, "" at the beginning."""
        alone = self._counts[word] / self._total
        seen = self._pairs.get(f"{before} {word}", 0.0)
        likely = (seen + _DOUBT * alone) / (self._counts.get(before, 0.0) + _DOUBT) if self._pairs else alone
        return _WORD_WEIGHT * math.log(likely)


@dataclass(slots=True)
class _Beam:
    blank: float = -math.inf
    phone: float = -math.inf
    """Log-probability of all alignments that end in a blank, in the last phone"""
    words: float = 0.0

    @property
    def sound(self) -> float:
        return _either(self.blank, self.phone)

    @property
    def score(self) -> float:
        return self.sound + self.words


@dataclass(frozen=True, slots=True)
class Transcript:
    """`sound` and `words` are nats: how well the text explains the sound, and how likely it is as English."""

    text: str
    """"" for silence"""
    sound: float = 0.0
    words: float = 0.0
    unfinished: bool = False
    """The end cut a word off"""


_Key = tuple[str, int, int]
"""Words so far, node of the unfinished word, last unit"""


def transcribe(log_probs: LogProbs, lexicon: Lexicon, width: int = 48) -> Transcript:
    """The likeliest text. Up to a millisecond a step that is no blank."""
    beams: dict[_Key, _Beam] = {("", _ROOT, units.BLANK): _Beam(blank=0.0)}
    for row in log_probs:
        beams = _prune(_advance(beams, row, lexicon), width)
    best = max(beams, key=lambda key: beams[key].score - (_CUT_OFF if key[1] != _ROOT else 0.0))
    return Transcript(best[0], beams[best].sound, beams[best].words, best[1] != _ROOT)


def _advance(beams: dict[_Key, _Beam], row: npt.NDArray[np.float32], lexicon: Lexicon) -> dict[_Key, _Beam]:
    steps = row.tolist()
    best = max(steps)
    nothing = max(steps[units.BLANK], best + _PASSED_OVER)
    likely = [int(u) for u in np.flatnonzero(row > best - _LIKELY) if u != units.BLANK]
    grown: dict[_Key, _Beam] = defaultdict(_Beam)
    for (text, node, last), beam in beams.items():
        sound = beam.sound
        same = grown[text, node, last]
        same.words = beam.words
        same.blank = _either(same.blank, sound + nothing)
        if last != units.BLANK:
            same.phone = _either(same.phone, beam.phone + steps[last])
        for unit in likely:
            child = lexicon.next[node].get(unit)
            if child is None:
                continue
            said = (beam.blank if unit == last else sound) + steps[unit]
            if lexicon.next[child]:
                _reach(grown[text, child, unit], said, beam.words)
            for word in lexicon.words[child]:
                words = beam.words + lexicon.earns(word, text.rpartition(" ")[2])
                _reach(grown[f"{text} {word}".strip(), _ROOT, unit], said, words)
    return grown


def _reach(beam: _Beam, said: float, words: float) -> None:
    beam.phone, beam.words = _either(beam.phone, said), words


def _either(a: float, b: float) -> float:
    """Log of the sum of two probabilities; numpy's takes five times as long for single numbers."""
    if a < b:
        a, b = b, a
    return a if b == -math.inf else a + math.log1p(math.exp(b - a))


def _prune(beams: dict[_Key, _Beam], width: int) -> dict[_Key, _Beam]:
    ranked = sorted(beams.items(), key=lambda item: -item[1].score)
    return dict(ranked[:width])
