"""What is asked, and which facts answer it.

A fact answers a question when every telling word of the question may ask for that fact, the fact is about
whom the question is about, and it tells the kind of thing that is asked: a place to "where", a time to
"when". What nobody told is covered by no fact, so it stays unknown.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from runtime.mind.memory.entry import Entry
from runtime.mind.memory.facts import OPPOSITE, OWNER
from runtime.mind.memory.index import Index
from runtime.mind.memory.tokens import plain, token, tokens
from runtime.mind.memory.wordings import first_match, part, spelled

_ASKS = re.compile(
    r"^(?:who|whom|whose|what|which|when|where|why|how|(?:in|at|on|from) (?:which|what|when)|"
    r"am|is|are|was|were|do|does|did|have|has|had|can|could|will|would|should|shall|may)\b"
)
_ASKED_FOR = re.compile(r"^(?:my|our|the|[\w]+'s|about|if|whether)\b|^\w+$")
"""What may follow "tell me" without a question word"""
_INVERTED = re.compile(
    r"^(?:am|is|are|was|were|do|does|did|have|has|had|can|could|will|would|should|shall|may)\b"
)
_FIRST = re.compile(r"\b(?:i|me|my|mine|myself|we|us|our|ours)\b|\bi'")
_OWN_NAME = re.compile(
    r"^(?:.* )?(?:what|whats|how|who|guess|say|tell me|show me|know|is there|do you|does|you have|you saved|"
    r"let me know)\b.*\b(?:(?:call|refer to|reference|address|addressing|think of|associate with) me|"
    r"me (?:saved )?(?:as|under|by)|my (?:own |first |full |real |right |current )?name|"
    r"names? .*(?:for|of|about|with) me|i am called|am i called|am i known|i be referred|"
    r"(?:think|believe) i am)\b|\b(?:who i am|who am i)$|"
    r"^(?:my name is what|the name you have for me is what|tell me my name)$",
    re.IGNORECASE,
)
"""The many ways to ask "who am I", most of which speak of the pet as well"""
_NOT_OWN_NAME = re.compile(
    r"\bchange\b|\b(?:middle|last|family|maiden|nick|user) ?name\b|\b(?:why|when|where)\b|'s name", re.I
)
_SECOND = re.compile(r"\b(?:you|your|yours|yourself)\b|\byou'")
_NEGATED = re.compile(r"\b(?:not|never|cannot|don't|doesn't|didn't|isn't|aren't|wasn't|won't|no)\b")
_KINDS = {
    "place": re.compile(r"\bwhere\b|\b(?:which|what) (?:town|city|country|place|room)\b"),
    "time": re.compile(r"\bwhen\b|\b(?:which|what) (?:month|year|weekday)\b"),
    "name": re.compile(r"^who (?:is|are|was|were) (?:my|our)\b"),
    "number": re.compile(r"\bhow (?:many|much|age|tall|weight|big|long|far)\b|\bwhat age\b"),
}

_OF_THINGS = frozenset({"place", "is", "note", "does", "name"})
_OF_NAMES = frozenset({"name", "is", "note", "favourite"})
_MAX_WORDS = 11
_NO_FACT = re.compile(
    r"^(?:is|are|was|were|how is|how's) (?:it|there|this|that)\b|^how do (?:i|we) (?:look|sound|seem)\b"
    r"|\b(?:should|could|would|will|shall|may|might|must|have to|need to|want to|going to|get|find|buy)\b"
    r"|^(?:why|how (?!many|much|age|do|did|is|are|was|tall|weight|big|old|long have))\b"
    r"|\bcan (?:i|we) (?!eat|drink|swim|drive|ride|speak|play|cook|sing|dance|read)"
)
"""What asks for advice, permission or the world, and not for something that was told"""
_WHERE_OR_WHEN = re.compile(r"^(?:where|when) (?:is|are|was|were|does|do|did) (?!it\b|that\b|this\b|there\b)")


@dataclass(frozen=True, slots=True)
class Question:
    """`wanted`: the telling words. `anchor`: whose "my" it is, None where nobody's."""

    text: str
    wanted: frozenset[str]
    anchor: str | None
    kind: str = ""
    """"place", "time", "number", or "" for any"""
    yes_no: bool = False
    negated: bool = False

    @property
    def personal(self) -> bool:
        return self.anchor is not None

    @property
    def short(self) -> bool:
        return len(self.text.split()) <= _MAX_WORDS

    @property
    def for_memory(self) -> bool:
        """Only somebody of the house can know it, so that nobody else need try: "where is my hat". What asks
        for a yes or a no may as well ask for care: "do I have a fever"."""
        if self.yes_no or not self.short or not self.wanted or _NO_FACT.search(self.text):
            return False
        return self.personal or bool(_WHERE_OR_WHEN.match(self.text))


def question_of(text: str, asker: str = OWNER) -> Question | None:
    """What `text` asks; None where it is no question, or one to the pet about itself."""
    said = spelled(text)
    if _OWN_NAME.search(said) and not _NOT_OWN_NAME.search(said):
        return Question("what is my name", frozenset({token("name")}), asker)
    framed = first_match(part("frames"), said)
    rest = plain(framed["rest"] if framed else text)
    marked = text.rstrip().endswith("?")
    if not _ASKS.match(rest) and not marked and not (framed and _ASKED_FOR.match(rest)):
        return None
    if _SECOND.search(rest):
        return None
    kind = next((kind for kind, pattern in _KINDS.items() if pattern.search(rest)), "")
    anchor = asker if _FIRST.search(rest) else None
    return Question(
        rest, frozenset(tokens(rest)), anchor, kind, bool(_INVERTED.match(rest)), bool(_NEGATED.search(rest))
    )


def answers(
    question: Question, index: Index, people: Mapping[str, str], aliases: Iterable[Entry]
) -> list[Entry]:
    """The entries that answer it best, newest last. `people`: token of a name -> person; `aliases`: names."""
    for asked in (question, *_otherwise(question, people, aliases)):
        found = [entry for entry in index.covering(asked.wanted) if _fits(entry, asked)]
        if found:
            return _best(found, asked)
    return []


def _fits(entry: Entry, question: Question) -> bool:
    if question.anchor is not None and entry.mine and entry.fact.person != question.anchor:
        return False
    if entry.about_a_person_alone and question.anchor is None:
        return False
    if question.anchor is not None and not entry.mine and not _of_the_house(entry, question):
        return False
    if not entry.owners <= question.wanted:
        return False
    if entry.head and not entry.head & question.wanted and not _told_of(entry, question):
        return False
    if not question.yes_no and bool(_NEGATED.search(plain(entry.fact.text))) != question.negated:
        return False
    told = {"place": entry.place, "time": entry.time, "number": entry.number_told}
    told["name"] = entry.fact.relation in _OF_NAMES
    return told.get(question.kind, True)


def _of_the_house(entry: Entry, question: Question) -> bool:
    """ "Where did I put the key" asks for the key; "do I like Emma" does not ask what Emma likes."""
    return bool(entry.head & question.wanted) and entry.fact.relation in _OF_THINGS


def _told_of(entry: Entry, question: Question) -> bool:
    """The question names what was told instead of whom: "who is afraid of spiders"."""
    return bool(question.wanted) and bool(entry.named & question.wanted)


def _best(found: list[Entry], question: Question) -> list[Entry]:
    """Those about exactly what was asked before those about more."""

    def surplus(entry: Entry) -> int:
        return len((entry.head | entry.owners) - question.wanted)

    least = min(map(surplus, found))
    return [entry for entry in found if surplus(entry) == least]


def _otherwise(question: Question, people: Mapping[str, str], aliases: Iterable[Entry]) -> Iterable[Question]:
    """The same question about a person by name, with a name for "my sister" or the reverse, denied."""
    if question.yes_no and (opposite := OPPOSITE.keys() & question.wanted):
        wanted = (question.wanted - opposite) | {OPPOSITE[one] for one in opposite}
        yield replace(question, wanted=wanted)
    for name, person in people.items():
        if name in question.wanted and question.anchor is None:
            yield replace(question, wanted=question.wanted - {name}, anchor=person)
    for alias in aliases:
        if alias.about_a_person_alone or not alias.head:
            continue
        named = alias.named
        mine = alias.fact.person if alias.mine else None
        if named <= question.wanted and question.anchor is None:
            yield replace(question, wanted=(question.wanted - named) | alias.head | alias.owners, anchor=mine)
        if alias.head <= question.wanted and (mine is None or question.anchor == mine):
            yield replace(question, wanted=(question.wanted - alias.head - alias.owners) | named, anchor=None)
