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

    def __init__(self, taught: Words, prompt: Iterable[str], known: frozenset[str] = frozenset()) -> None:
        """`known`: words of the prompt that were found before, as by `words_in`."""
        self._taught, self._own = taught, known | words_in(prompt)

    def fits(self, text: str, *, ended: bool) -> bool:
        """Whether a reply may stand at `text`; its last word may be unfinished unless `ended`."""
        tail = folded(text[-_LOOKS_BACK:])
        words = _WORD.findall(tail)[-2:]
        if words and not ended and tail.endswith(words[-1]):
            return all(map(self._is_word, words[:-1])) and self._begins(words[-1])
        return all(map(self._is_word, words))

    def _is_word(self, word: str) -> bool:
        if word in self._taught.whole or word in self._own:
            return True
        bare = word.removesuffix("'").removesuffix("'s")
        return bare in self._taught.whole or bare in self._own

    def _begins(self, part: str) -> bool:
        if part in self._taught.beginnings or any(word.startswith(part) for word in self._own):
            return True
        return part.endswith(("'", "'s")) and self._is_word(part)
