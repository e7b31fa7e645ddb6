"""A word automaton: deterministic, minimal, without loops, as arrays a decoder can index."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from runtime.contracts.errors import GrammarError

MAX_STATES = 100_000
START = 0


@dataclass(frozen=True)
class Automaton:
    """Arc i reads `words[label[i]]` and goes from state `source[i]` to `target[i]`; state 0 is the start."""

    words: tuple[str, ...]
    source: npt.NDArray[np.int32]
    label: npt.NDArray[np.int32]
    target: npt.NDArray[np.int32]
    final: npt.NDArray[np.bool_]
    """Shape (states,): a sentence may end here"""

    @property
    def states(self) -> int:
        return len(self.final)

    @cached_property
    def arcs(self) -> list[dict[str, int]]:
        """For every state: word -> next state."""
        table: list[dict[str, int]] = [{} for _ in range(self.states)]
        for source, label, target in zip(self.source, self.label, self.target, strict=True):
            table[source][self.words[label]] = int(target)
        return table

    def accepts(self, words: Sequence[str]) -> bool:
        state: int | None = START
        for word in words:
            state = self.arcs[state].get(word) if state is not None else None
        return state is not None and bool(self.final[state])


@dataclass(slots=True)
class Determinised:
    """Subset construction over word positions; state 0 is the start."""

    arcs: list[dict[str, int]]
    members: list[frozenset[int]]
    came_from: list[tuple[int, str]]
    """The state and word that first led here, so that an example sentence can be shown"""

    def example(self, state: int) -> str:
        words: list[str] = []
        while state != START:
            state, word = self.came_from[state]
            words.append(word)
        return " ".join(reversed(words))


def determinise(words: Sequence[str], first: Sequence[int], follow: Sequence[Sequence[int]]) -> Determinised:
    """Merge positions that the same words lead to. The start alone has no members."""
    dfa = Determinised([{}], [frozenset()], [(START, "")])
    known: dict[frozenset[int], int] = {}
    state = START
    while state < len(dfa.arcs):
        by_word: dict[str, set[int]] = defaultdict(set)
        reachable = first if state == START else {n for p in dfa.members[state] for n in follow[p]}
        for position in reachable:
            by_word[words[position]].add(position)
        for word in sorted(by_word):
            subset = frozenset(by_word[word])
            if subset not in known:
                known[subset] = _add(dfa, subset, (state, word))
            dfa.arcs[state][word] = known[subset]
        state += 1
    return dfa


def _add(dfa: Determinised, members: frozenset[int], came_from: tuple[int, str]) -> int:
    if len(dfa.arcs) >= MAX_STATES:
        raise GrammarError(f"the grammar needs more than {MAX_STATES} states; use fewer optional parts")
    dfa.arcs.append({})
    dfa.members.append(members)
    dfa.came_from.append(came_from)
    return len(dfa.arcs) - 1


def minimise(arcs: Sequence[dict[str, int]], final: Sequence[bool]) -> Automaton:
    """Merge states that the same endings follow. There are no loops, so one pass from the ends suffices."""
    merged: dict[tuple[bool, tuple[tuple[str, int], ...]], int] = {}
    number = [-1] * len(arcs)
    for state in _ends_first(arcs):
        endings = tuple(sorted((word, number[target]) for word, target in arcs[state].items()))
        number[state] = merged.setdefault((final[state], endings), len(merged))
    # The start comes out last; counting backwards makes it state 0.
    last = len(merged) - 1
    rows = [(last - n, word, last - t) for (_, ends), n in merged.items() for word, t in ends]
    rows.sort()
    words = tuple(sorted({word for _, word, _ in rows}))
    index = {word: i for i, word in enumerate(words)}
    return Automaton(
        words,
        np.array([source for source, _, _ in rows], dtype=np.int32),
        np.array([index[word] for _, word, _ in rows], dtype=np.int32),
        np.array([target for _, _, target in rows], dtype=np.int32),
        np.array([is_final for is_final, _ in reversed(merged)], dtype=np.bool_),
    )


def _ends_first(arcs: Sequence[dict[str, int]]) -> list[int]:
    """States so ordered that every arc leads to an earlier one; all are reachable from the start."""
    order: list[int] = []
    seen = {START}
    stack = [(START, iter(arcs[START].values()))]
    while stack:
        state, targets = stack[-1]
        target = next((t for t in targets if t not in seen), None)
        if target is None:
            order.append(state)
            stack.pop()
        else:
            seen.add(target)
            stack.append((target, iter(arcs[target].values())))
    return order
