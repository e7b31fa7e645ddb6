"""No word that does not exist: a small model's reply is held to words it was taught and words of its prompt.

A model of word pieces may begin a word it just read and end it as another ("cup" + "en"). Held to whole words
it goes on as the prompt has it ("cupboard") or chooses another. It works on text, for any tokenizer.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from runtime.mind.casing import folded

_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*'?")
_LOOKS_BACK = 80
"""Letters at the end of a reply that are looked at: more than two words have"""


def words_in(texts: Iterable[str]) -> frozenset[str]:
    """All words, folded, without a possessive 's."""
    return frozenset(
        word.removesuffix("'").removesuffix("'s") for text in texts for word in _WORD.findall(folded(text))
    )


@dataclass(frozen=True, slots=True)
class Words:
    """Known words, folded, and every way in which one of them may begin."""

    whole: frozenset[str]
    beginnings: frozenset[str]

    @classmethod
    def of(cls, words: Iterable[str]) -> "Words":
        whole = frozenset(words)
        return cls(whole, frozenset(word[:n] for word in whole for n in range(1, len(word) + 1)))


class Spelling:
    """The words of one reply: `taught` ones and those of the `prompt`'s texts."""

    def __init__(self, taught: Words, prompt: Iterable[str]) -> None:
        self._known = (taught, Words.of(words_in(prompt)))

    def fits(self, text: str, *, ended: bool) -> bool:
        """Whether a reply may stand at `text`; its last word may be unfinished unless `ended`."""
        tail = folded(text[-_LOOKS_BACK:])
        found = list(_WORD.finditer(tail))[-2:]
        is_open = bool(found) and not ended and found[-1].end() == len(tail)
        words = [match.group() for match in found]
        whole = words[:-1] if is_open else words
        return all(map(self._is_word, whole)) and (not is_open or self._begins(words[-1]))

    def _is_word(self, word: str) -> bool:
        bare = word.removesuffix("'").removesuffix("'s")
        return any(bare in words.whole for words in self._known)

    def _begins(self, part: str) -> bool:
        known = any(part in words.beginnings for words in self._known)
        return known or (part.endswith(("'", "'s")) and self._is_word(part))
