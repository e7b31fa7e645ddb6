"""What synthetic people say around a name, instead of it, and what must not count as something else."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from runtime.speech.units import BLANK
from training.data.sentences import neighbours, orders
from training.wake import words as wake_words
from training.wake.words import phones_of

_DATA = Path(__file__).parents[1] / "data"
_STOP_NEAR = tuple((_DATA / "near_stop.txt").read_text().splitlines())
_MANDARIN = tuple((_DATA / "mandarin.txt").read_text(encoding="utf-8").splitlines())
_FROM_TALK = 120


@dataclass(frozen=True, slots=True)
class Words:
    """What counts as the name, what it may stand among, and what only sounds like it."""

    name: str
    spellings: tuple[str, ...]
    """Ways to write the name for a synthesiser, drawn alike often"""
    before: tuple[str, ...]
    after: tuple[str, ...]
    near: tuple[str, ...]
    banned: tuple[str, ...]
    """A sentence with one of these in it is no negative"""

    @property
    def mandarin(self) -> bool:
        return is_mandarin(self.name)


def is_mandarin(name: str) -> bool:
    """True for a name written in Chinese characters."""
    return any("\u4e00" <= c <= "\u9fff" for c in name)


def words_for(name: str, spellings: Sequence[str] = ()) -> Words:
    """Phrases for `name`; the stop word and Chinese names have their own."""
    said = name.lower()
    ways = (said, *spellings)
    if said == "stop":
        before = ("please ", "buddy ", "hey buddy ", "no ", "okay ", "now ", "stop ", "hey ", "oh no ")
        after = (" it", " now", " stop", " that", " right there", " moving", " please", " buddy", " walking")
        near = tuple(neighbours("stop", 45)) + _STOP_NEAR
        return Words(said, ways, before, after, near, ("stop", "top"))
    if is_mandarin(said):
        return Words(said, ways, (), ("，你好", "，过来", "，坐下", "，快来"), _near_mandarin(said), (said,))
    before = ("okay ", "oh ", "well ", "good morning, ", "so ", "yes, ", "and ")
    after = tuple(f"{pause}{order}" for order in orders()[::3] for pause in (", ", " "))
    return Words(said, ways, before, after, _near_names(said), (said,))


def tolerance(name: str) -> float:
    """Sounds that may differ in what cannot be told from the name in a hurry, so must be no negative."""
    return min(0.9, 0.12 * len(phones_of(name)))


def _near_names(name: str) -> tuple[str, ...]:
    """Words of real talk that sound like it; the name with one word changed, in pieces, turned round."""
    words = name.split()
    found = [*words, " ".join(reversed(words))] if len(words) > 1 else []
    for i, word in enumerate(words):
        for other in neighbours(word, 40 if len(word) > 3 else 25):
            found.append(" ".join([*words[:i], other, *words[i + 1 :]]))
        found.append(" ".join([*words[:i], word[: max(2, len(word) - 2)], *words[i + 1 :]]))
        found += [f"{start} {word}" for start in ("some", "every", "any", "the", "my", "hello", "good")]
        found += [f"{word} {end}" for end in ("come here", "boy", "what", "sit down", "there", "look")]
    phones = phones_of(name)
    if phones:
        found += [s.text for s in wake_words.talk().close(phones, 0.45 * len(phones))[:_FROM_TALK]]
    texts = sorted({text for text in found if text})
    return tuple(text for text, same in zip(texts, alike(name, texts), strict=True) if not same)


def alike(name: str, texts: Sequence[str]) -> list[bool]:
    """For each text: True where it holds the name or what no one tells apart from it."""
    phones = phones_of(name)
    if not phones:
        return [name in text for text in texts]
    row = wake_words.Talk(texts)
    text_of = np.cumsum(row.units == BLANK) - 1
    near = text_of[row.distances(phones)[0] <= tolerance(name)]
    same = set(near.tolist())
    return [name in text or i in same for i, text in enumerate(texts)]


def _near_mandarin(name: str) -> tuple[str, ...]:
    """Everyday words, the name's characters one by one and turned round, and each beside other characters."""
    others = sorted({c for text in _MANDARIN for c in text if is_mandarin(c)} - set(name))[:60]
    found = [*_MANDARIN, *name, name[::-1]]
    found += [name[0] + other for other in others] + [other + name[-1] for other in others]
    return tuple(sorted({text for text in found if name not in text}))
