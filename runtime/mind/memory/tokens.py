"""The words of a sentence that carry meaning, in one form each: "my mum's birthdays" -> mother, birth."""

import re
import tomllib
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import snowballstemmer

_MARKS = re.compile(r"[^\w' ]+|_")
_POSSESSIVE = re.compile(r"'s?\b")
_JOINED = re.compile(r"(?<=\w)-(?=\w)")
_SHORTEST_STEMMED = 4
_STEMMER = snowballstemmer.stemmer("english")


@cache
def lexicon() -> dict[str, Any]:
    """`lexicon.toml`."""
    return tomllib.loads(Path(__file__).with_name("lexicon.toml").read_text(encoding="utf-8"))


@cache
def _phrases() -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((re.compile(pattern), put) for pattern, put in lexicon()["phrases"].items())


@cache
def _any_phrase() -> re.Pattern[str]:
    """Most sentences hold none of the phrases, which one look tells."""
    return re.compile("|".join(f"(?:{pattern.pattern})" for pattern, _ in _phrases()))


@cache
def _forms() -> dict[str, str]:
    """Word -> the word that stands for it."""
    lines = [*lexicon()["irregular"], *lexicon()["same"]]
    return {word: words[0] for line in lines if (words := line.split()) for word in words}


@cache
def silent() -> frozenset[str]:
    return frozenset(lexicon()["silent"].split())


@cache
def given_names() -> frozenset[str]:
    return frozenset(lexicon()["names"]["given"].split())


@cache
def word_list(name: str) -> frozenset[str]:
    """A list of `[lists]`."""
    return frozenset(lexicon()["lists"][name].split())


def name_like(text: str) -> bool:
    """It begins as a name does: with a large letter, or a known first name."""
    return text[:1].isupper() or text.lower().split()[0] in given_names()


@cache
def somebody() -> frozenset[str]:
    """People and animals that have names: "my sister is Anna" says what she is called."""
    return frozenset(lexicon()["names"]["somebody"].split())


@cache
def kinds() -> dict[str, frozenset[str]]:
    """What is a what: "instrument" -> the tokens of violin, piano, ..."""
    return {token(kind): frozenset(map(token, words.split())) for kind, words in lexicon()["kinds"].items()}


@lru_cache(maxsize=20_000)
def token(word: str) -> str:
    """The one form of a word in small letters."""
    forms = _forms()
    if word in forms:
        return forms[word]
    if not word.isalpha() or len(word) < _SHORTEST_STEMMED:
        return word
    stem = str(_STEMMER.stemWord(word))
    return forms.get(stem, stem)


def plain(text: str) -> str:
    """Small letters, words that belong together rewritten as the lexicon has them."""
    small = " ".join(text.replace("’", "'").lower().split()).strip(" .?!,")
    if _any_phrase().search(small):
        for pattern, put in _phrases():
            small = pattern.sub(put, small)
    return " ".join(_MARKS.sub(" ", _JOINED.sub("", small)).split())


def words(text: str) -> list[str]:
    """Words of `plain`, possessives cut off."""
    return [cut for word in plain(text).split() if (cut := _POSSESSIVE.sub("", word))]


@lru_cache(maxsize=4_096)
def tokens(text: str) -> tuple[str, ...]:
    """What is left of `text` without silent words, each in its one form and once."""
    hushed = silent()
    return tuple(dict.fromkeys(token(word) for word in words(text) if word not in hushed))
