"""Whose "my" it is: sentences turned from who told them to who hears them.

"my sister is called Anna" -> "your sister is called Anna" for whoever said it, "Tom's sister ..." for others.
"""

import re
from functools import cache
from itertools import pairwise

from runtime.mind.memory.tokens import lexicon, word_list

_WORD = re.compile(r"[\w']+|[^\w']+")


@cache
def _pet() -> dict[str, str]:
    """The listener's words for the pet as the pet's own: "your" -> "my"."""
    return dict(lexicon()["pet"])


@cache
def _listener() -> dict[str, str]:
    """The speaker's words as the pet says them back: "my" -> "your"."""
    return {**lexicon()["listener"], **_pet()}


def to_listener(text: str) -> str:
    """As the pet says it to whoever told it: "I like tea" -> "you like tea"."""
    return _turned(text, _listener())


def to_others(text: str, name: str) -> str:
    """As the pet says it to others: "I like tea" -> "Tom likes tea"."""
    table = {
        "i": name, "i'm": f"{name} is", "i've": f"{name} has", "i'll": f"{name} will", "i'd": f"{name} would",
        "me": name, "my": f"{name}'s", "mine": f"{name}'s", "myself": name,
        "we": name, "we're": f"{name} is", "we've": f"{name} has", "we'll": f"{name} will", "us": name,
        "our": f"{name}'s", "ours": f"{name}'s", **_pet(),
    }  # fmt: skip
    return _turned(_third_person(text), table)


def sentence(text: str) -> str:
    """First letter large, full stop."""
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def _turned(text: str, table: dict[str, str]) -> str:
    parts = _WORD.findall(text)
    before = ""
    for at, part in enumerate(parts):
        word = part.lower().replace("’", "'")
        if word == "you" and before in word_list("before_object"):
            parts[at] = "me"
        elif word == "are" and at >= 2 and parts[at - 2] == "I":
            parts[at] = "am"
        elif word == "was" and at >= 2 and parts[at - 2] == "you":
            parts[at] = "were"
        elif word in table:
            parts[at] = table[word]
        if part.strip():
            before = word
    return "".join(parts)


def _third_person(text: str) -> str:
    """Verbs after I and we as they stand after a name."""
    parts = _WORD.findall(text)
    said = [at for at, part in enumerate(parts) if part.strip()]
    for at, after in pairwise(said):
        if parts[at].lower() in {"i", "we"}:
            parts[after] = _conjugated(parts[after])
    return "".join(parts)


def _conjugated(verb: str) -> str:
    small = verb.lower()
    if small in lexicon()["third"]:
        return str(lexicon()["third"][small])
    if small in word_list("unchanged") or small.endswith(("ed", "ly")):
        return verb
    if re.search(r"(?:s|sh|ch|x|z|o)$", small):
        return verb + "es"
    if re.search(r"[^aeiou]y$", small):
        return verb[:-1] + "ies"
    return verb + "s"
