"""Capitals for a model that writes in lower case: sentence starts, "I", and the names it was given."""

import re
import unicodedata
from collections.abc import Iterable, Mapping

from runtime.mind.prompt import Prompt

_WORD = re.compile(r"[^\W\d_]+")
_PART = re.compile(r"[^\W\d_]+|[.!?]")
_SENTENCE = re.compile(r"[.!?]\s*|^\s*")
_ALWAYS = (
    "January February April June July August September October November December Monday Tuesday Wednesday "
    "Thursday Friday Saturday Sunday I"
)


def folded(text: str) -> str:
    """As the model's tokenizer sees it: lower case without accents."""
    if text.isascii():
        return text.lower()
    parts = unicodedata.normalize("NFD", text)
    return "".join(part for part in parts if not unicodedata.combining(part)).lower()


def names_in(texts: Iterable[str]) -> dict[str, str]:
    """Folded word -> its spelling, for words with a capital that no sentence start explains."""
    found: dict[str, str] = {}
    for text in texts:
        starts = {match.end() for match in _SENTENCE.finditer(text)}
        for match in _WORD.finditer(text):
            word = match.group()
            if word[0].isupper() and match.start() not in starts and len(word) > 1:
                found[folded(word)] = word
    return found


_CALENDAR = names_in([_ALWAYS]) | {"i": "I"}
"""May and March are left to their context: both are common words too"""


class Casing:
    """Writes one reply; give it whole words, in order."""

    def __init__(self, prompt: Prompt, known: Mapping[str, str] | None = None) -> None:
        """`known`: the names of the prompt's card, where they were found before."""
        said = [said for _, said in prompt.history]
        card = names_in(prompt.card) if known is None else known
        self._names = {**_CALENDAR, **names_in(said), **card, **names_in(prompt.facts)}
        self._names |= {folded(part): part for part in prompt.name.split()}
        self._starts = True

    def write(self, words: str) -> str:
        """The same words with their capitals."""
        return _PART.sub(self._cased, words)

    def _cased(self, match: re.Match[str]) -> str:
        word = match.group()
        if word in ".!?":
            self._starts = True
            return word
        spelled = self._names.get(word, word)
        if self._starts:
            spelled = spelled[:1].upper() + spelled[1:]
        self._starts = False
        return spelled
