"""One line of a command grammar: `[turn, go] (please) $direction:way`, parsed and laid out as word positions.

Words stand for themselves, `[a, b]` is a choice, `(a)` or `(a, b)` may be left out, `$slot:name` takes one
of the slot's phrases, `@macro:name` one of the macro's. Choices nest. A laid out expression is a set of
positions (one a word) with the ways in, through and out: Glushkov's construction, which needs no empty arcs.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from runtime.contracts.errors import GrammarError

MAX_POSITIONS = 200_000
_MAX_DEPTH = 16
_TOKEN = re.compile(r"\s+|[\[\](),]|[$@][^\s\[\](),$@]+|[^\s\[\](),$@]+|[$@]")
_NOT_SPOKEN = re.compile(r"[^\w']|[\d_]")
_NOT_A_WORD = re.compile(r"[^\w'’-]|[\d_]")
_CLOSES = {"[": "]", "(": ")"}


def normalise(text: str) -> str:
    """Lower case, plain apostrophes, whatever is not a letter a space; words parted by one space."""
    plain = unicodedata.normalize("NFKC", text).lower().replace("’", "'").replace("‘", "'")
    words = (word.strip("'") for word in _NOT_SPOKEN.sub(" ", plain).split())
    return " ".join(word for word in words if word)


def unspoken(text: str) -> str:
    """The first character that no one can say as written (a digit, a sign), or ""."""
    found = _NOT_A_WORD.search(text.replace(" ", ""))
    return found.group() if found else ""


@dataclass(frozen=True, slots=True)
class Word:
    """`slot` and `value` say which slot this word fills and with which phrase of the grammar."""

    text: str
    slot: str = ""
    value: str = ""


@dataclass(frozen=True, slots=True)
class Sequence:
    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the options; an empty sequence among them makes the choice optional."""

    options: tuple["Node", ...]


Node = Word | Sequence | Choice
NOTHING = Sequence(())


@dataclass(frozen=True, slots=True)
class Lexicon:
    """What `$slot:…` and `@macro:…` stand for, as written: name -> phrases."""

    slots: Mapping[str, tuple[str, ...]]
    macros: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def phrase(text: str, slot: str = "") -> Sequence:
    """Plain words, normalised; `text` itself stays the slot's value."""
    return Sequence(tuple(Word(word, slot, text if slot else "") for word in normalise(text).split()))


class ExpressionParser:
    """Parses one expression; GrammarError names the place by `where`."""

    def __init__(self, text: str, lexicon: Lexicon, where: str) -> None:
        self._text, self._lexicon, self._where = text, lexicon, where
        self._tokens = [token for token in _TOKEN.findall(text) if not token.isspace()]
        self._next = 0
        self._slots: set[str] = set()

    def parse(self) -> Sequence:
        sequence = self._sequence(closing="", depth=0)
        if not sequence.parts:
            raise self._error("is empty", "write at least one word")
        return sequence

    def _error(self, what: str, cure: str) -> GrammarError:
        return GrammarError(f"{self._where}: {self._text!r} {what}; {cure}")

    def _sequence(self, closing: str, depth: int) -> Sequence:
        """Up to, not including, a comma or the closing bracket."""
        parts: list[Node] = []
        while self._next < len(self._tokens):
            token = self._tokens[self._next]
            if token in "]),":
                if not closing or token not in (",", closing):
                    raise self._error(f"has {token!r} out of place", "balance the brackets")
                return Sequence(tuple(parts))
            self._next += 1
            parts.append(self._node(token, depth))
        if closing:
            raise self._error(f"lacks {closing!r}", "close the bracket")
        return Sequence(tuple(parts))

    def _node(self, token: str, depth: int) -> Node:
        if token in _CLOSES:
            return self._choice(token, depth + 1)
        if token[0] == "$":
            return self._slot(token)
        if token[0] == "@":
            return self._macro(token)
        if bad := unspoken(token):
            raise self._error(f"has {bad!r} in {token!r}", "use letters; write numbers as words")
        return phrase(token)

    def _choice(self, opening: str, depth: int) -> Choice:
        if depth > _MAX_DEPTH:
            raise self._error(f"nests more than {_MAX_DEPTH} brackets", "simplify it")
        options: list[Node] = []
        while True:
            option = self._sequence(_CLOSES[opening], depth)
            if not option.parts:
                raise self._error("has an empty choice", f"write words between {opening!r}, ',' and its end")
            options.append(option)
            self._next += 1
            if self._tokens[self._next - 1] != ",":
                break
        return Choice((*options, NOTHING) if opening == "(" else tuple(options))

    def _slot(self, token: str) -> Choice:
        kind, _, name = token[1:].partition(":")
        if not kind or not name:
            raise self._error(f"has {token!r}", "write a slot as $type:name")
        if kind not in self._lexicon.slots:
            known = ", ".join(self._lexicon.slots) or "none"
            raise self._error(f"uses the slot type {kind!r}, which is not defined", f"known: {known}")
        self._slots.add(name)
        return Choice(tuple(phrase(value, name) for value in self._lexicon.slots[kind]))

    def _macro(self, token: str) -> Choice:
        kind = token[1:].partition(":")[0]
        if kind not in self._lexicon.macros:
            known = ", ".join(self._lexicon.macros) or "none"
            raise self._error(f"uses the macro {kind!r}, which is not defined", f"known: {known}")
        return Choice(tuple(phrase(value) for value in self._lexicon.macros[kind]))


def sample(node: Node, rng: np.random.Generator, chosen: list[Word]) -> None:
    """Append one random way through `node`, every option equally likely."""
    if isinstance(node, Word):
        chosen.append(node)
    elif isinstance(node, Sequence):
        for part in node.parts:
            sample(part, rng, chosen)
    else:
        sample(node.options[int(rng.integers(len(node.options)))], rng, chosen)


def leaves(node: Node) -> Iterator[Word]:
    """Every word `node` may hold, in the order written."""
    if isinstance(node, Word):
        yield node
        return
    for part in node.parts if isinstance(node, Sequence) else node.options:
        yield from leaves(part)


@dataclass(slots=True)
class Span:
    """The positions a piece may begin and end with, and whether it may be empty."""

    first: list[int]
    last: list[int]
    empty: bool


@dataclass(slots=True)
class Layout:
    """Word positions of all expressions: `follow[p]` may come after position p."""

    words: list[Word] = field(default_factory=list)
    follow: list[list[int]] = field(default_factory=list)

    def place(self, node: Node) -> Span:
        """Lay `node` out behind what is there."""
        if isinstance(node, Word):
            return self._word(node)
        if isinstance(node, Sequence):
            return self._chain(node)
        spans = [self.place(option) for option in node.options]
        return Span(
            [p for span in spans for p in span.first],
            [p for span in spans for p in span.last],
            any(span.empty for span in spans),
        )

    def _word(self, word: Word) -> Span:
        if len(self.words) >= MAX_POSITIONS:
            raise GrammarError(
                f"the grammar has more than {MAX_POSITIONS} words when written out; shorten it"
            )
        self.words.append(word)
        self.follow.append([])
        position = len(self.words) - 1
        return Span([position], [position], empty=False)

    def _chain(self, node: Sequence) -> Span:
        whole = Span([], [], empty=True)
        for part in node.parts:
            span = self.place(part)
            for position in whole.last:
                self.follow[position].extend(span.first)
            whole.first = whole.first + span.first if whole.empty else whole.first
            whole.last = whole.last + span.last if span.empty else span.last
            whole.empty = whole.empty and span.empty
        return whole
