"""What an owner tells a pet, and the same in its mouth: "my sister is Anna" -> "your sister is Anna"."""

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from training.data.phrases import Part, Words, fill, lines, read, share, slots_of

_TURNS = {
    "my": "your", "mine": "yours", "i": "you", "me": "you", "myself": "yourself", "i'm": "you're",
    "i've": "you've", "we": "you", "our": "your", "your": "my", "yours": "mine", "you're": "i'm",
}  # fmt: skip
_AFTER_I = {"am": "are", "was": "were"}
_AFTER_YOU = {"are": "am", "were": "was"}
_BEFORE_OBJECT = re.compile(r"(?:gave|give|loves?|likes?|misses|to|for|with|of|at)$")
_SUBJECTS = frozenset({"name", "kin"})


def turned(sentence: str) -> str:
    """The owner's sentence as the pet would say it, persons turned."""
    words = sentence.lower().split()
    out: list[str] = []
    for index, word in enumerate(words):
        before = words[index - 1] if index else ""
        if word in _AFTER_I and before == "i":
            out.append(_AFTER_I[word])
        elif word in _AFTER_YOU and before == "you":
            out.append(_AFTER_YOU[word])
        elif word == "you":
            out.append("me" if _BEFORE_OBJECT.search(before) else "i")
        else:
            out.append(_TURNS.get(word, word))
    return " ".join(out)


@dataclass(frozen=True)
class Kind:
    """One kind of fact: ways to tell it and to ask for it."""

    name: str
    tell: tuple[str, ...]
    ask: tuple[str, ...]
    answer: tuple[str, ...]
    keys: frozenset[str]
    other: tuple[str, ...]
    paired: bool
    own_words: bool
    """Told by the pet itself (a card): no persons are turned"""
    any_subject: bool
    """A question need not name whom the fact is about"""

    def asks(self, tell: str, part: Part) -> list[str]:
        """Questions that `tell` answers, of one part."""
        if self.paired:
            return [self.ask[self.tell.index(tell)]]
        return [ask for ask in share(self.ask, part) if self._fits(ask, tell)]

    def _fits(self, ask: str, tell: str) -> bool:
        """No word is asked for that was not told, and both are about the same person."""
        subjects = frozenset() if self.any_subject or self.own_words else _SUBJECTS - self.keys
        same = slots_of(ask) & subjects == slots_of(tell) & subjects
        return same and slots_of(ask) <= slots_of(tell)

    def others(self, tell: str, part: Part) -> list[str]:
        """Questions about the same that it does not answer."""
        fitting = [ask for ask in self.other if slots_of(ask) - {"kind2"} <= slots_of(tell)]
        return share(fitting, part) or fitting


@dataclass(frozen=True)
class Fact:
    """A kind with its slots filled."""

    kind: Kind
    template: str
    values: Mapping[str, str]

    @property
    def text(self) -> str:
        return fill(self.template, self.values)

    def answered(self) -> frozenset[str]:
        """Every question this fact answers, in any wording of the kind."""
        asks = [self.kind.ask[self.kind.tell.index(self.template)]] if self.kind.paired else self.kind.ask
        return frozenset(fill(ask, self.values) for ask in asks if slots_of(ask) <= self.values.keys())

    def answer(self, chance: random.Random) -> str:
        """In the pet's mouth."""
        own = [a for a in self.kind.answer if slots_of(a) <= self.values.keys()]
        if own and chance.random() < 0.5:
            return fill(chance.choice(own), self.values)
        text = self.text.rstrip(".!")
        return (text if self.kind.own_words else turned(text)) + "."

    def keys_for(self, heard: str) -> tuple[str, ...]:
        """The words an answer to `heard` has to bring: keys that were not in the question."""
        said = set(heard.lower().split())
        keys = [self.values[k].lower() for k in sorted(self.kind.keys & slots_of(self.template))]
        return tuple(key for key in keys if not said >= set(key.split()))


@cache
def kinds(file: str, part: Part) -> tuple[Kind, ...]:
    """The kinds of facts.yaml or persona.yaml: those that may be taught, or all of them to measure on."""
    found = []
    for name, row in read(file).items():
        if row.get("held_out") and part == "train":
            continue
        found.append(
            Kind(
                name=name,
                tell=tuple(lines(row["tell"])),
                ask=tuple(lines(row["ask"])),
                answer=tuple(lines(row.get("answer", ""))),
                keys=frozenset(row["keys"].split()),
                other=tuple(lines(row["other"])),
                paired=bool(row.get("paired")),
                own_words=file == "persona",
                any_subject=bool(row.get("any_subject")),
            )
        )
    return tuple(found)


def draw(kind: Kind, words: Words) -> Fact:
    """A fact of this kind; a wording of the part where the kind leaves a choice."""
    tells = list(kind.tell) if kind.paired else share(kind.tell, words.part)
    template = words.chance.choice(tells or list(kind.tell))
    fresh = words.fresh()
    if "pet" in slots_of(template) and kind.own_words:
        fresh.values["pet"] = words.value("pet")
    if kind.name == "favourite":
        _favourites(fresh)
    for ask in (*kind.ask, *kind.other):
        if slots_of(ask) - {"kind2"} <= slots_of(template):
            fresh.fill(ask.replace("$kind2", ""))
    fresh.fill(template)
    return Fact(kind, template, dict(fresh.values))


_FAVOURITES = (
    "food", "drink", "colour", "animal", "city", "sport", "instrument", "plant", "country", "month", "day",
    "toy", "hobby", "vehicle", "room",
)  # fmt: skip


def _favourites(words: Words) -> None:
    one, two = words.chance.sample(_FAVOURITES, 2)
    words.values |= {"kind1": one, "kind2": two, "value1": words.fresh().value(one)}
