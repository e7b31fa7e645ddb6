"""A fact as it is looked up: whose it is, what it is about, which words ask for it, what it tells."""

import re
from dataclasses import dataclass

from runtime.mind.memory.facts import Fact
from runtime.mind.memory.tokens import kinds, name_like, tokens, word_list, words

_FIRST_PERSON = re.compile(r"\b(?:i|me|my|mine|myself|we|us|our|ours)\b|\bi'", re.IGNORECASE)
_PERSON_ALONE = re.compile(r"^(?:i|me|we|us)$", re.IGNORECASE)
_PET = re.compile(r"^(?:you|your)\b", re.IGNORECASE)
_ASKED_BY = {
    "name": "name",
    "favourite": "like favourite",
    "birthday": "birthday",
    "birthplace": "born town city country",
    "age": "age",
    "job": "job",
    "live": "live town city country home",
    "from": "come town city country",
    "allergy": "allergy",
}
"""Words that ask for a relation although nobody said them"""
_INDEFINITE = re.compile(r"^an? ", re.IGNORECASE)
_DATE = re.compile(r"\w*\d|\w+days?|\w+th")
_PHRASE_WORDS = 3
_ADDED = re.compile(
    r"(?:thir|four|fif|six|seven|eigh|nine)teen|(?:twen|thir|for|fif|six|seven|eigh|nine)ty.*"
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One fact, ready to be asked for."""

    number: int
    """Of the row in the store"""
    fact: Fact
    mine: bool
    """It says "I" or "my": it is about the person who told it, or what is theirs"""
    owners: frozenset[str]
    """Tokens of those it belongs to, beside that person: "my wife's birthday" -> wife"""
    head: frozenset[str]
    """The other tokens of what it is about; none where it is about the person alone"""
    named: frozenset[str]
    """Tokens of the value"""
    asked_by: frozenset[str]
    """Every token that may ask for it"""
    place: bool
    time: bool
    number_told: bool

    @property
    def about_a_person_alone(self) -> bool:
        return self.mine and not self.head and not self.owners


def entry_of(number: int, fact: Fact) -> Entry:
    """How `fact` is looked up."""
    owners, head = _parts(fact.subject)
    told = f"{fact.text} {fact.value}"
    rest = _without(fact.text, fact.subject)
    said = {*tokens(told), *tokens(fact.subject), *tokens(_ASKED_BY.get(fact.relation, ""))}
    place = _tells_place(rest) or fact.relation in {"live", "from", "birthplace"}
    if _INDEFINITE.match(fact.value) and fact.relation == "is":
        said.add("job")
    if fact.relation == "is" and name_like(fact.value):
        said.add("name")
    if place:
        said |= {*tokens("town city country place")}
    said |= {kind for kind, members in kinds().items() if said & members}
    mine = bool(_FIRST_PERSON.search(fact.text)) or bool(_FIRST_PERSON.search(fact.subject))
    return Entry(
        number, fact, mine, owners, head, frozenset(tokens(fact.value)), frozenset(said), place,
        _tells_time(rest), _tells_number(rest),
    )  # fmt: skip


def _parts(subject: str) -> tuple[frozenset[str], frozenset[str]]:
    """(tokens of owners, tokens of what is owned): "my wife's red car" -> {wife}, {red, car}."""
    if _PERSON_ALONE.match(subject):
        return frozenset(), frozenset()
    if _PET.match(subject):
        return frozenset({"you"}), frozenset(tokens(subject))
    *before, last = re.split(r"'s |s' ", subject)
    return frozenset(t for part in before for t in tokens(part)), frozenset(tokens(last))


def _without(text: str, subject: str) -> list[str]:
    """Words of `text` after its subject, where it begins with it."""
    return words(text[len(subject) :] if text.lower().startswith(subject.lower()) else text)


def _tells_place(said: list[str]) -> bool:
    """ "under the bed", and not "on the third of May"."""
    after = [said[at + 1 : at + 1 + _PHRASE_WORDS] for at, w in enumerate(said) if w in word_list("place")]
    return any(not _tells_time(phrase[-1:]) for phrase in after)


def _tells_time(said: list[str]) -> bool:
    return bool(word_list("time").intersection(said)) or any(map(_DATE.fullmatch, said))


def _tells_number(said: list[str]) -> bool:
    return bool(word_list("number").intersection(said)) or any(
        w.isdigit() or _ADDED.fullmatch(w) for w in said
    )
