"""How a sentence of the grammar may go on: every meaning its next words could still give it."""

from runtime.mind.automaton import START, Automaton
from runtime.mind.grammar import Grammar, Parse, normalise

MAX_ENDINGS = 400
"""Beginnings with more endings than this count as wide open"""
_MAX_KNOWN = 2_000


class Continuations:
    """Answers for one grammar; remembers them, since the same words are asked for again and again."""

    def __init__(self, grammar: Grammar) -> None:
        self._grammar = grammar
        self._automaton: Automaton = grammar.automaton()
        self._known: dict[str, tuple[Parse, ...] | None] = {}

    def meanings(self, text: str) -> tuple[Parse, ...] | None:
        """The meanings of all sentences that begin with the words of `text`, itself included where it is one.

        () where no sentence begins so; None where there are too many to tell.
        """
        words = tuple(normalise(text).split())
        key = " ".join(words)
        if key not in self._known:
            if len(self._known) >= _MAX_KNOWN:
                self._known.clear()
            self._known[key] = self._find(words)
        return self._known[key]

    def _find(self, words: tuple[str, ...]) -> tuple[Parse, ...] | None:
        state: int | None = START
        for word in words:
            state = self._automaton.arcs[state].get(word) if state is not None else None
        if state is None:
            return ()
        endings = self._endings(state)
        if endings is None:
            return None
        parses = (self._grammar.parse(" ".join([*words, *ending])) for ending in endings)
        found: list[Parse] = []
        for parse in parses:
            if parse is not None and parse not in found:
                found.append(parse)
        return tuple(found)

    def _endings(self, state: int) -> list[list[str]] | None:
        found: list[list[str]] = []
        stack: list[tuple[int, list[str]]] = [(state, [])]
        while stack:
            at, words = stack.pop()
            if self._automaton.final[at]:
                found.append(words)
            if len(found) > MAX_ENDINGS:
                return None
            stack += [(target, [*words, word]) for word, target in self._automaton.arcs[at].items()]
        return found
