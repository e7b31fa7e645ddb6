"""No word that does not exist: a small model's reply is held to words it was taught and words of its prompt.

A model of word pieces may begin a word it just read and end it as another ("cup" + "en"). Held to whole words
it goes on as the prompt has it ("cupboard") or chooses another. It works on text, for any tokenizer.
"""

import re
from collections.abc import Iterable

from runtime.mind.casing import folded

_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*'?")
_LOOKS_BACK = 80
"""Letters at the end of a reply that are looked at: more than two words have"""


def words_in(texts: Iterable[str]) -> frozenset[str]:
    """All words, folded, without a possessive 's."""
    return frozenset(
        word.removesuffix("'").removesuffix("'s") for text in texts for word in _WORD.findall(folded(text))
    )


class Spelling:
    """The words of one reply: `taught` ones and those of the `prompt`'s texts."""

    def __init__(self, taught: frozenset[str], prompt: Iterable[str]) -> None:
        self._taught = taught
        self._beginnings = _beginnings(taught)
        self.read(prompt)

    def read(self, prompt: Iterable[str]) -> None:
        """Another prompt's words in place of the last one's."""
        self._given = words_in(prompt)
        self._given_beginnings = _beginnings(self._given)

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
        return bare in self._taught or bare in self._given

    def _begins(self, part: str) -> bool:
        known = part in self._beginnings or part in self._given_beginnings
        return known or (part.endswith(("'", "'s")) and self._is_word(part))


def _beginnings(words: Iterable[str]) -> frozenset[str]:
    return frozenset(word[:n] for word in words for n in range(1, len(word) + 1))
