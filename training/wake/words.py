"""What a name sounds like, what everyday talk has that sounds like it, and whether to choose another one.

    python -m training.wake.words --name "hey buddy"

Names and talk are compared as rows of American English phones: a pair of one family (two vowels, "b" and
"p") counts half. The name is slid along all everyday sentences at once, word borders ignored, as ears do.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from runtime.contracts.errors import TrainingError
from runtime.speech.pronounce import Pronouncer
from runtime.speech.units import BLANK, PHONES, encode
from training.asr import lexicon
from training.data.sentences import everyday, orders

Way = tuple[str, ...]
_STARTER_ASR = Path(__file__).parents[2] / "runtime" / "starter" / "asr"
_VOWELS = ["AA", "AE", "AH", "AO", "AW", "AY", "EH", "ER", "EY", "IH", "IY", "OW", "OY", "UH", "UW"]
_FAMILIES = (_VOWELS, *(row.split() for row in ("B P", "D T", "G K", "F V TH DH", "S Z SH ZH", "CH JH",
                                                "M N NG", "L R W", "Y HH")))  # fmt: skip
_WALL = np.float32(99.0)
_CLOSE = 0.3
"""Share of the name's sounds that may be wrong in what counts as close to it"""
_GREETINGS = ("hey", "hello", "okay", "dear", "little", "mister")
_TIMES = (1.0, 8.0)
"""Close stretches in 10,000 words of talk up to which a name is good, and fair"""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Words of everyday talk that sound like the name."""

    text: str
    distance: float
    """Sounds that differ; those of one family count half"""
    times: int


@dataclass(frozen=True, slots=True)
class Judgement:
    """How confusable a name is."""

    name: str
    phones: Way
    nearest: tuple[Stretch, ...]
    per_10k_words: float
    """Stretches of talk as close as `_CLOSE`"""

    @property
    def syllables(self) -> int:
        return sum(phone in _VOWELS for phone in self.phones)

    @property
    def verdict(self) -> str:
        """good, fair or poor"""
        often = sum(self.per_10k_words > limit for limit in _TIMES)
        short = (len(self.phones) < 6) + (len(self.phones) < 5 or self.syllables < 2)
        return ("good", "fair", "poor")[max(often, short)]

    def lines(self) -> list[str]:
        alike = ", ".join(f'"{s.text}" ({s.distance:g})' for s in self.nearest[:6]) or "nothing close"
        return [
            f'"{self.name}": {len(self.phones)} sounds ({" ".join(self.phones)}), {self.syllables} syllables',
            f"everyday talk that sounds like it (sounds that differ): {alike}",
            f"{self.per_10k_words:.2f} such places in 10,000 words: a {self.verdict} name",
        ]


@cache
def _pronouncer() -> Pronouncer:
    try:
        return lexicon.pronouncer()
    except TrainingError:  # no pocketsphinx dictionary: the recogniser's own is the same but for new words
        return Pronouncer.load(_STARTER_ASR)


@cache
def phones_of(text: str) -> Way:
    """The phones of all words in their commonest way; () where a word cannot be read as English."""
    found: list[str] = []
    for word in "".join(c if c.isalpha() or c == "'" else " " for c in text.lower()).split():
        ways = _pronouncer().ways(word) or lexicon.guess(word)
        if not ways:
            return ()
        found += ways[0]
    return tuple(found)


@cache
def costs() -> npt.NDArray[np.float32]:
    """(40, 40): the price of hearing one unit for another; the blank is a sentence's border."""
    table = np.ones((len(PHONES) + 1, len(PHONES) + 1), np.float32)
    for family in _FAMILIES:
        numbers = encode(family)
        table[np.ix_(numbers, numbers)] = 0.5
    np.fill_diagonal(table, 0.0)
    table[BLANK], table[:, BLANK] = _WALL, _WALL
    return table


class Talk:
    """Sentences as one row of units, to be searched for what sounds like a name."""

    def __init__(self, sentences: Sequence[str]) -> None:
        row, owner, words = [BLANK], [0], ["."]
        for sentence in sentences:
            for word in sentence.split():
                plain = word.strip(".,!?;-'")
                units = encode(phones_of(plain)) if plain else []
                if units:
                    words.append(plain)
                    row += units
                    owner += [len(words) - 1] * len(units)
            words.append(".")
            row.append(BLANK)
            owner.append(len(words) - 1)
        self.units, self.owner, self.words = np.array(row), np.array(owner), words
        self.count = sum(word != "." for word in words)

    def distances(self, phones: Way) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
        """For every unit of the row: the best distance of a stretch that ends there, and where it starts."""
        places = np.arange(len(self.units))
        added = np.cumsum(np.where(self.units == BLANK, _WALL, 1.0)).astype(np.float64)  # a unit too many
        best, start = np.zeros(len(places)), places + 1
        for number, unit in enumerate(encode(phones)):
            before = np.concatenate([[float(number)], best[:-1]])
            begun = np.concatenate([[0], start[:-1]])
            swap, drop = before + costs()[unit][self.units], best + 1.0
            here, from_ = np.minimum(swap, drop), np.where(swap <= drop, begun, start)
            level = np.minimum.accumulate(here - added)
            chosen = np.maximum.accumulate(np.where(here - added <= level, places, 0))
            best, start = level + added, from_[chosen]
        return best.astype(np.float32), start

    def close(self, phones: Way, limit: float) -> list[Stretch]:
        """Whole words around every stretch within `limit`, nearest first, each text once."""
        best, start = self.distances(phones)
        found: dict[str, tuple[float, int]] = {}
        last = -1
        for end in _valleys(best, limit):
            first, final = int(self.owner[min(start[end], end)]), int(self.owner[end])
            text = " ".join(self.words[first : final + 1])
            if first <= last or "." in text:
                continue
            last = final
            distance, times = found.get(text, (float(best[end]), 0))
            found[text] = min(distance, float(best[end])), times + 1
        stretches = [Stretch(text, round(d, 2), times) for text, (d, times) in found.items()]
        return sorted(stretches, key=lambda s: (s.distance, -s.times, s.text))


def _valleys(best: npt.NDArray[np.float32], limit: float) -> list[int]:
    """Ends of stretches within the limit that are no worse than their neighbours."""
    low = best <= limit + 1e-6
    low[1:] &= best[1:] < best[:-1]
    low[:-1] &= best[:-1] <= best[1:]
    return [int(i) for i in np.flatnonzero(low)]


@cache
def talk() -> Talk:
    """Everyday talk and the pet's orders."""
    return Talk([*everyday(), *orders()])


def judge(name: str) -> Judgement:
    """TrainingError where the name has no reading in English sounds."""
    phones = phones_of(name)
    if not phones:
        raise TrainingError(
            f"{name!r} cannot be read in English sounds; spell it as it sounds, as in 'shao bye'"
        )
    stretches = talk().close(phones, _CLOSE * len(phones))
    others = [s for s in stretches if s.text != name]
    rate = 10_000 * sum(s.times for s in stretches) / talk().count
    return Judgement(name, phones, tuple(others[:60]), rate)


def proposals(name: str, n: int = 3) -> list[Judgement]:
    """Longer forms of the name that everyday talk holds less often, the best first."""
    own = judge(name)
    core = name.removeprefix("hey ").removeprefix("hello ").removeprefix("okay ")
    forms = [judge(f"{greeting} {core}") for greeting in _GREETINGS if f"{greeting} {core}" != name]
    ranks = {"good": 0, "fair": 1, "poor": 2}
    better = [
        form
        for form in forms
        if (ranks[form.verdict], form.per_10k_words) < (ranks[own.verdict], own.per_10k_words)
    ]
    return sorted(better, key=lambda form: (ranks[form.verdict], form.per_10k_words, len(form.name)))[:n]


def advice(name: str) -> list[str]:
    """Lines to print before training."""
    own = judge(name)
    better = proposals(name) if own.verdict != "good" and name != "stop" else []
    told = [f'better: "{form.name}" ({form.per_10k_words:.2f} in 10,000 words)' for form in better]
    return own.lines() + told


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m training.wake.words", description="Judge a name.")
    parser.add_argument("--name", required=True)
    try:
        print("\n".join(advice(" ".join(parser.parse_args(argv).name.lower().split()))))
    except TrainingError as error:
        print(f"everpaw: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
