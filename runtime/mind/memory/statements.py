"""What somebody tells: a sentence becomes subject, relation and value, or a note that is kept as it is.

Only what plainly lasts is taken up unasked; after "remember that" everything is.
"""

import re
from dataclasses import dataclass, replace
from typing import Any

from runtime.mind.memory.facts import MAX_LETTERS, MAX_NAME, OPPOSITE, Fact
from runtime.mind.memory.tokens import given_names, kinds, silent, somebody, token, word_list
from runtime.mind.memory.wordings import Telling, bare, first_match, match, part, spelled, tellings

NOTE = "note"
_NAMED = "{s} {be} called {v}"
_PRONOUN = re.compile(r"^(?P<p>he|she|it|they|his|her|their|its)\b", re.IGNORECASE)
_OWNING = frozenset({"his", "her", "their", "its"})
_PLACE = re.compile(
    r"(?:in|on|at|under|behind|near|next to|inside|beside|between|above|below|upstairs|downstairs)\b", re.I
)
_LASTING = re.compile(r"an? [\w-]+$|vegan|vegetarian|married|single|divorced|left[- ]handed|deaf|blind", re.I)
_MAX_UNASKED_WORDS = 7
_MAX_NAME_WORDS = 6
_MORE_THAN_A_FACT = re.compile(
    r"[.!?;,]|\b(?:can|could|will|would) you\b|\b(?:what|which|when|why|because|should|help me)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Statement:
    """Something told. `one`: the relation has one value. `asked`: with "remember" or the like."""

    subject: str
    relation: str
    value: str
    text: str
    one: bool
    asked: bool


def statement_of(text: str, it: str | None = None) -> Statement | None:
    """What `text` tells, None where it tells nothing that lasts. `it`: whom "she" and "it" mean."""
    said = spelled(text)
    prefix = first_match(part("asked"), said)
    said = bare(prefix["rest"], "").strip(" ,.!") if prefix else said
    said = _named(re.sub(r"^to (?=\w)", "I have to ", said), it)  # "remember to lock the door"
    if len(said) > MAX_LETTERS or len(said.split()) < 2:
        return None
    asked = prefix is not None
    for telling in tellings():
        for pattern in telling.patterns:
            found = match(pattern, said)
            if found and (statement := _read(telling, found, said, asked)):
                return statement
    return Statement(_leading_noun(said), NOTE, said, said, False, asked) if asked else None


def fact_of(statement: Statement, **circumstances: Any) -> Fact:
    """The fact that it tells; `circumstances`: the other fields of Fact."""
    told = {"subject": statement.subject, "relation": statement.relation, "value": statement.value}
    return Fact.model_validate(told | {"text": statement.text} | circumstances)


def asks_to_remember(text: str) -> bool:
    """ "Remember that ...", whatever follows."""
    return first_match(part("asked"), spelled(text)) is not None


def name_shaped(text: str) -> bool:
    """One to three words that look like somebody's name: typed with large letters, or known first names."""
    parts = text.split()
    if not 1 <= len(parts) <= 3 or len(text) > MAX_NAME:
        return False
    large = all(part[:1].isupper() and not (part.isupper() and len(part) > 1) for part in parts)
    return large or parts[0].lower() in given_names()


def shown_name(text: str) -> str:
    """A spoken name as it is written: "anna" -> "Anna"."""
    return " ".join(w[:1].upper() + w[1:] if w.lower() in given_names() else w for w in text.split())


def _named(said: str, it: str | None) -> str:
    """A pronoun at the start replaced by whom it means."""
    found = _PRONOUN.match(said)
    if found is None or it is None:
        return said
    return (f"{it}'s" if found["p"].lower() in _OWNING else it) + said[found.end() :]


def _read(telling: Telling, found: dict[str, str], said: str, asked: bool) -> Statement | None:
    if "s" in found and "n" in found:  # "Jonas is my colleague"
        found["s"] = f"{found['s']} {found['n']}"
    subject, value = telling.subject.format_map({"s": "", "o": "", "n": ""} | found), found["v"]
    if subject.lower() == "my name":  # "John is my name"
        telling, subject = replace(telling, relation="name", one=True, back="my name is {v}"), "I"
    subject = _whole(telling.relation, subject)
    if not _makes_sense(telling, found, value, said):
        return None
    if not asked and not _plain_enough(telling, subject, value, said):
        return None
    relation, one = _settled(telling, subject, value)
    value = shown_name(value) if relation in {"name", "is"} else value
    template = _NAMED if relation == "name" and telling.relation == "is" else telling.back
    back = template.format_map({"be": "is"} | found | {"s": subject, "v": value}) if template else said
    if max(len(subject), len(back)) > MAX_LETTERS:
        return None
    return Statement(subject, relation, value, back, one, asked)


def _whole(relation: str, subject: str) -> str:
    """ "my brother's (name)" is about my brother, "I (was born on)" about my birthday."""
    if relation == "name":
        return re.sub(r"(?:'s|(?<=s)')$", "", subject)
    if relation == "birthday" and not subject.lower().endswith("birthday"):
        return "my birthday" if subject.lower() == "i" else f"{subject}'s birthday"
    return subject


def _makes_sense(telling: Telling, found: dict[str, str], value: str, said: str) -> bool:
    """Not "tomorrow is my birthday" with tomorrow as a name, not "call me by my name"."""
    if telling.relation == "name" and (
        value.lower().split()[0] in silent() | word_list("no_name")
        or len(value.split()) > _MAX_NAME_WORDS
        or len(value) > MAX_NAME
    ):
        return False
    turned = not said.lower().startswith(found.get("s", found.get("o", "")).lower())
    return not (turned and value.lower().split()[0] in word_list("no_name"))


def _settled(telling: Telling, subject: str, value: str) -> tuple[str, bool]:
    """(relation, whether it has one value) once subject and value are known."""
    if telling.relation != "is":
        return telling.relation, telling.one
    noun = subject.lower().split()[-1]
    if (noun in somebody() or noun.removesuffix("s") in somebody()) and name_shaped(value):
        return "name", True
    if _PLACE.match(value):
        return "place", True
    if token(value.lower()) in kinds()[token("colour")]:
        return "colour", True
    thing = value.lower().startswith(("a ", "an ")) and noun not in {"i", "we", *somebody()}
    return "is", telling.one or thing or noun in word_list("one_each")


def _plain_enough(telling: Telling, subject: str, value: str, said: str) -> bool:
    """It tells something that lasts, although nobody asked to remember it."""
    words, first = value.lower().split(), (subject.lower().split() or [""])[0]
    if telling.asked_only or len(words) > _MAX_UNASKED_WORDS or _MORE_THAN_A_FACT.search(said):
        return False
    if first in word_list("no_subject") or word_list("passing").intersection(words):
        return False
    if telling.relation in OPPOSITE and words[0] in word_list("no_value"):
        return False
    return _is_ours(telling.relation, subject.lower(), value, said.lower())


def _is_ours(relation: str, subject: str, value: str, said: str) -> bool:
    """It is about the speaker, about what is theirs, or about somebody by name."""
    first = subject.split()[0] if subject else ""
    if relation == "is" and first in {"i", "we"}:
        return bool(_LASTING.match(value))
    if relation == "is" or (relation == "does" and first not in {"i", "we"}):
        return first in {"my", "our"} and (said.startswith(subject) or name_shaped(value))
    if relation == "name" and first == "the":
        return True
    return first in {"i", "my", "our", "we"} or re.split(r"['\s]", first)[0] in given_names()


def _leading_noun(said: str) -> str:
    """The words before the verb of a note, as far as small words tell."""
    found = re.match(
        r"(?:(?:my|our|the|a|an) )?[\w'-]+(?: [\w'-]+)??(?= (?:is|are|was|goes|go|has|have|will|can|must)\b)",
        said,
        re.IGNORECASE,
    )
    return found.group() if found else said.split()[0]
