"""The pet's command grammar: Rhino YAML in, intents and slots out.

    context:
      expressions:
        turn:
          - "[turn, go] $direction:direction (please)"
      slots:
        direction: [left, right]

A grammar is checked when it is loaded: GrammarError names the line of whatever is empty, undefined,
unbalanced or contradictory (one sentence under two intents). Everything is compared in normalised form:
lower case, letters and apostrophes. Slot values come back as the file spells them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import yaml

from runtime.contracts.errors import GrammarError
from runtime.mind.automaton import Automaton, Determinised, determinise, minimise
from runtime.mind.expression import (
    ExpressionParser,
    Layout,
    Lexicon,
    Sequence,
    Word,
    leaves,
    normalise,
    sample,
)

__all__ = ["Grammar", "Parse", "normalise"]

MAX_BYTES = 1_000_000
QUESTIONS = frozenset({
    "what", "what's", "who", "who's", "whose", "which", "when", "where", "why", "how", "is", "are", "am",
    "was", "were", "do", "does", "did", "can", "could", "will", "would", "should", "shall", "may", "have",
    "has",
})  # fmt: skip
"""Words that begin a question"""
YOU = frozenset({"you", "your", "yours", "yourself", "you're"})
_PARTS = ("expressions", "slots", "macros")


@dataclass(frozen=True, slots=True)
class Parse:
    """What a sentence means: `slots` is name -> phrase of the grammar."""

    intent: str
    slots: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Expression:
    intent: str
    line: int
    """Line in the file, from 1"""
    body: Sequence


class Grammar:
    """Expressions of all intents, in the order of the file; the first that matches a sentence wins."""

    def __init__(self, expressions: list[Expression]) -> None:
        self._expressions = expressions
        self._layout = Layout()
        self._first: list[int] = []
        self._ends: dict[int, int] = {}
        self.beginnings: dict[str, set[str]] = {}
        """Intent -> the first words of its sentences"""
        for number, expression in enumerate(expressions):
            self._place(number, expression)
        self._dfa = determinise([w.text for w in self._layout.words], self._first, self._layout.follow)
        self._check_contradictions(self._dfa)

    @classmethod
    def load(cls, source: Path | str) -> "Grammar":
        """From a file (Path) or from YAML text (str)."""
        return cls(list(_Reader(*_read(source)).expressions()))

    @property
    def intents(self) -> list[str]:
        return list(dict.fromkeys(e.intent for e in self._expressions))

    @cached_property
    def words(self) -> list[str]:
        """Every word a sentence may hold, sorted."""
        return sorted({word.text for word in self._layout.words})

    @cached_property
    def asked_of_you(self) -> frozenset[str]:
        """Intents with questions, each of which speaks of "you": "how old are you" is no "how old is he"."""
        asked: set[str] = set()
        others: set[str] = set()
        for expression in self._expressions:
            words = [word.text for word in leaves(expression.body)]
            if words[0] in QUESTIONS:
                (asked if YOU.intersection(words) else others).add(expression.intent)
        return frozenset(asked - others)

    @cached_property
    def slots(self) -> dict[str, dict[str, list[str]]]:
        """Intent -> slot -> its phrases; intents without slots are left out."""
        table: dict[str, dict[str, list[str]]] = {}
        for expression in self._expressions:
            for word in leaves(expression.body):
                if not word.slot:
                    continue
                phrases = table.setdefault(expression.intent, {}).setdefault(word.slot, [])
                if word.value not in phrases:
                    phrases.append(word.value)
        return table

    def parse(self, text: str) -> Parse | None:
        """The meaning of a whole sentence, or None where the grammar does not hold it."""
        words = normalise(text).split()
        path = self._path(words)
        if not path:
            return None
        chosen = [self._layout.words[p] for p in path]
        return Parse(self._expressions[self._ends[path[-1]]].intent, _slots(chosen))

    def sentences(self, rng: np.random.Generator, n: int) -> list[tuple[str, str, dict[str, str]]]:
        """`n` random (text, intent, slots): uniform over intents, then expressions, then choices."""
        by_intent: dict[str, list[Expression]] = {}
        for expression in self._expressions:
            by_intent.setdefault(expression.intent, []).append(expression)
        intents = list(by_intent)
        drawn = []
        for _ in range(n):
            intent = intents[int(rng.integers(len(intents)))]
            options = by_intent[intent]
            chosen: list[Word] = []
            sample(options[int(rng.integers(len(options)))].body, rng, chosen)
            drawn.append((" ".join(word.text for word in chosen), intent, _slots(chosen)))
        return drawn

    def automaton(self) -> Automaton:
        """The smallest word acceptor of exactly the grammar's sentences."""
        return self._automaton

    @cached_property
    def _automaton(self) -> Automaton:
        final = [any(p in self._ends for p in members) for members in self._dfa.members]
        return minimise(self._dfa.arcs, final)

    def _place(self, number: int, expression: Expression) -> None:
        span = self._layout.place(expression.body)
        if span.empty:
            raise GrammarError(
                f"line {expression.line}: an expression of {expression.intent!r} may be left out whole; "
                "keep at least one word outside of ( )"
            )
        self._first.extend(span.first)
        begun = (self._layout.words[p].text for p in span.first)
        self.beginnings.setdefault(expression.intent, set()).update(begun)
        self._ends.update(dict.fromkeys(span.last, number))

    def _check_contradictions(self, dfa: Determinised) -> None:
        for state, members in enumerate(dfa.members):
            numbers = sorted({self._ends[p] for p in members if p in self._ends})
            rivals = [
                n for n in numbers if self._expressions[n].intent != self._expressions[numbers[0]].intent
            ]
            if rivals:
                one, other = self._expressions[numbers[0]], self._expressions[rivals[0]]
                raise GrammarError(
                    f"line {other.line}: {dfa.example(state)!r} means {other.intent!r} here and "
                    f"{one.intent!r} at line {one.line}; keep one of them"
                )

    def _path(self, words: list[str]) -> list[int]:
        """Positions read by `words`, from the earliest expression that matches; [] where none does."""
        came: list[dict[int, int]] = []
        reachable = dict.fromkeys(self._first, -1)
        for word in words:
            active = {p: before for p, before in reachable.items() if self._layout.words[p].text == word}
            came.append(active)
            reachable = {}
            for p in active:
                for after in self._layout.follow[p]:
                    reachable.setdefault(after, p)
        ends = [p for p in came[-1] if p in self._ends] if came else []
        if not ends:
            return []
        path = [min(ends, key=lambda p: self._ends[p])]
        for active in reversed(came[1:]):
            path.append(active[path[-1]])
        return path[::-1]


def _slots(words: list[Word]) -> dict[str, str]:
    return {word.slot: word.value for word in words if word.slot}


def _read(source: Path | str) -> tuple[str, str]:
    """(name for messages, YAML text)"""
    if isinstance(source, str):
        return "grammar", source
    try:
        if source.stat().st_size > MAX_BYTES:
            raise GrammarError(f"{source}: {source.stat().st_size} bytes; a grammar has at most {MAX_BYTES}")
        return source.name, source.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise GrammarError(f"{source} cannot be read ({error}); give a YAML file in UTF-8") from error


class _Reader:
    """Walks the YAML's nodes, which know their lines; scalars stay the text they are ("off" is a word)."""

    def __init__(self, name: str, text: str) -> None:
        self._name = name
        try:
            root = yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.YAMLError as error:
            raise GrammarError(f"{name}: not valid YAML: {' '.join(str(error).split())}") from error
        if root is None:
            raise GrammarError(f"{name}: is empty; it needs context: expressions:")
        context = self._mapping(root, "the file").get("context")
        if context is None:
            raise self._error(root, "has no 'context'", "start with context: expressions:")
        self._parts = self._mapping(context, "context")
        for part, node in self._parts.items():
            if part not in _PARTS:
                raise self._error(node, f"has an unknown part {part!r}", f"known: {', '.join(_PARTS)}")
        if "expressions" not in self._parts:
            raise self._error(context, "has no 'expressions'", "list at least one intent")
        self._lexicon = Lexicon(self._phrases("slots"), self._phrases("macros"))

    def expressions(self) -> Iterator[Expression]:
        intents = self._mapping(self._parts["expressions"], "expressions")
        for intent, node in intents.items():
            for item in self._items(node, f"intent {intent!r}"):
                line = item.start_mark.line + 1
                where = f"{self._name} line {line}, intent {intent!r}"
                yield Expression(intent, line, ExpressionParser(item.value, self._lexicon, where).parse())

    def _phrases(self, part: str) -> dict[str, tuple[str, ...]]:
        if part not in self._parts or self._is_blank(self._parts[part]):
            return {}
        table: dict[str, tuple[str, ...]] = {}
        for name, node in self._mapping(self._parts[part], part).items():
            values = self._items(node, f"{part}: {name}")
            for value in values:
                self._check_phrase(value, name)
            table[name] = tuple(" ".join(value.value.split()) for value in values)
        return table

    def _check_phrase(self, node: yaml.ScalarNode, name: str) -> None:
        if not normalise(node.value) or any(c.isdigit() for c in node.value):
            raise self._error(
                node, f"{name!r} has the phrase {node.value!r}", "write it in letters, as spoken"
            )

    def _mapping(self, node: yaml.Node, what: str) -> dict[str, yaml.Node]:
        if not isinstance(node, yaml.MappingNode) or not node.value:
            raise self._error(
                node, f"{what} holds no 'name:' entries", "see the example in the documentation"
            )
        table: dict[str, yaml.Node] = {}
        for key, value in node.value:
            if key.value in table:
                raise self._error(key, f"{key.value!r} stands twice in {what}", "merge the two")
            table[str(key.value)] = value
        return table

    def _items(self, node: yaml.Node, what: str) -> list[yaml.ScalarNode]:
        items = node.value if isinstance(node, yaml.SequenceNode) else []
        if not items:
            raise self._error(node, f"{what} is empty", "write a list with at least one '- ...' line")
        for item in items:
            if not isinstance(item, yaml.ScalarNode) or self._is_blank(item):
                raise self._error(item, f"{what} has an empty or nested entry", "write plain text")
        return list(items)

    @staticmethod
    def _is_blank(node: yaml.Node) -> bool:
        return isinstance(node, yaml.ScalarNode) and not node.value.strip()

    def _error(self, node: yaml.Node, what: str, cure: str) -> GrammarError:
        return GrammarError(f"{self._name} line {node.start_mark.line + 1}: {what}; {cure}")
