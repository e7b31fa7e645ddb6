"""The facts of one folder, findable, with the rules of what a new statement does to the old ones.

- A relation with one value takes the new value in place of the old; others collect.
- What somebody likes they no longer dislike, and the reverse.
- Everybody's "my" is their own. Of things that are nobody's, the owner's statement takes the place of any
  other; a guest's stands beside the owner's and never takes its place.
- What was replaced is gone, or kept as replaced where the owner consented to a history.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from runtime.mind.memory.entry import Entry, entry_of
from runtime.mind.memory.facts import OPPOSITE, OWNER, Fact
from runtime.mind.memory.index import Index
from runtime.mind.memory.questions import Question, answers
from runtime.mind.memory.statements import Statement, fact_of
from runtime.mind.memory.store import Store
from runtime.mind.memory.tokens import tokens

Outcome = Literal["new", "known", "replaced"]


@dataclass(frozen=True, slots=True)
class Told:
    """What came of a statement: `entry` holds it, `old` is what it replaced."""

    outcome: Outcome
    entry: Entry
    old: tuple[Fact, ...] = ()


class Knowledge:
    """Opens (or makes) the memory in `folder`; FactError as by Store. `history`: keep what is replaced."""

    def __init__(self, folder: Path, *, history: bool = False) -> None:
        self._store = Store(folder)
        self._index = Index()
        self.history = history

    def close(self) -> None:
        self._store.close()

    def facts(self) -> dict[int, Fact]:
        """Everything by its number, what was replaced included."""
        return dict(self._store.facts())

    def entries(self) -> list[Entry]:
        """What counts, oldest first."""
        return self._fresh().entries()

    def tell(self, fact: Fact, one: bool) -> Told:
        """Take up a statement by the rules above; `one`: the relation has one value."""
        key = _key(entry_of(0, fact))
        rivals = [old for old in self.entries() if _key(old) == key and _may_replace(fact, old.fact)]
        same = [old for old in rivals if _same_value(old.fact, fact)]
        opposed = [old for old in self.entries() if _contradicts(old.fact, fact)]
        other = [old for old in rivals if old not in same] if one else []
        if same and not other and not opposed and (not one or same[0].fact.text == fact.text):
            return Told("known", same[0])
        replaced = [*opposed, *other, *(same if one else [])]
        [number] = self._exchange([fact], replaced)
        outcome: Outcome = "replaced" if opposed or other else "new"
        return Told(outcome, entry_of(number, fact), tuple(r.fact for r in replaced))

    def add(self, facts: Sequence[Fact]) -> None:
        """Take facts as they are, without a look at what is there."""
        self._store.change(facts)

    def rotate(self) -> None:
        """Seal everything anew under a new key."""
        self._store.rotate()

    def replace(self, old: Entry, fact: Fact) -> Entry:
        """Put `fact` in the place of `old`."""
        [number] = self._exchange([fact], [old])
        return entry_of(number, fact)

    def forget(self, gone: Iterable[Entry]) -> int:
        """Take entries away for good, and whatever they had replaced; how many facts that were."""
        going = list(gone)
        keys = {_key(entry) for entry in going}
        numbers = {entry.number for entry in going}
        numbers |= {
            n for n, fact in self._store.facts().items() if fact.replaced and _key(entry_of(n, fact)) in keys
        }
        self._store.change(removing=sorted(numbers))
        return len(going)

    def forget_everything(self) -> None:
        """What was replaced as well."""
        self._store.change(removing=list(self._store.facts()))

    def answer(self, question: Question) -> list[Entry]:
        """What answers it; [] where nobody told."""
        return answers(question, self._fresh(), self.people(), self.names())

    def about(self, topic: str, asker: str) -> list[Entry]:
        """Everything that mentions `topic` ("my sister", "Anna", "the bins"), oldest first."""
        wanted = tokens(topic)
        mine = topic.lower().startswith(("my ", "our "))
        found = [
            e for e in self._fresh().covering(wanted) if not (mine and e.mine and e.fact.person != asker)
        ]
        for name in self.names():
            called = name.named
            if name.about_a_person_alone and called == set(wanted):
                found += [e for e in self.entries() if e.mine and e.fact.person == name.fact.person]
            elif name.head and called == set(wanted):
                found += self._fresh().covering([*name.head, *name.owners])
            elif name.head | name.owners == set(wanted) and name.head and name.fact.person in (asker, OWNER):
                found += self._fresh().covering(called)
        return sorted({e.number: e for e in found}.values(), key=lambda e: e.number)

    def of(self, person: str) -> list[Entry]:
        """What `person` told."""
        return [entry for entry in self.entries() if entry.fact.person == person]

    def recall(self, text: str, n: int) -> list[Entry]:
        """At most `n` entries that have to do with `text`, the fittest first."""
        return self._fresh().nearest(tokens(text), text, n)

    def like(self, statement: Statement, person: str) -> list[Entry]:
        """Entries that say what `statement` says."""
        fact = fact_of(statement, person=person)
        key = _key(entry_of(0, fact))
        return [e for e in self.entries() if _same_value(e.fact, fact) and _key(e) == key]

    def names(self) -> list[Entry]:
        """Who is called what."""
        return [entry for entry in self._fresh().entries() if entry.fact.relation == "name"]

    def name_of(self, person: str) -> str:
        """What `person` is called, "" where nobody told."""
        named = [e.fact.value for e in self.names() if e.about_a_person_alone and e.fact.person == person]
        return named[-1] if named else ""

    def people(self) -> dict[str, str]:
        """Token of a name -> the person who has it."""
        known = {person for entry in self.entries() if (person := entry.fact.person) != OWNER}
        found = {token: person for person in known for token in tokens(person)}
        return found | dict.fromkeys(tokens(self.name_of(OWNER)), OWNER)

    def _fresh(self) -> Index:
        self._index.update(self._store.facts())
        return self._index

    def _exchange(self, adding: Sequence[Fact], removing: Sequence[Entry]) -> list[int]:
        values = {fact.value for fact in adding}
        kept = [
            r.fact.model_copy(update={"replaced": True})
            for r in removing
            if self.history and r.fact.value not in values
        ]
        return self._store.change([*adding, *kept], [r.number for r in removing])[: len(adding)]


def _key(entry: Entry) -> tuple[str, frozenset[str], str]:
    """What two statements share that may contradict each other."""
    person = entry.fact.person if entry.mine else "*"
    return (person, entry.owners | entry.head, entry.fact.relation)


def _may_replace(new: Fact, old: Fact) -> bool:
    return new.person in (old.person, OWNER)


def _same_value(one: Fact, other: Fact) -> bool:
    return tokens(one.value) == tokens(other.value) and one.value.lower() == other.value.lower()


def _contradicts(old: Fact, new: Fact) -> bool:
    """The same person likes and dislikes the same."""
    return (
        OPPOSITE.get(new.relation) == old.relation
        and old.person == new.person
        and tokens(old.subject) == tokens(new.subject)
        and tokens(old.value) == tokens(new.value)
    )
