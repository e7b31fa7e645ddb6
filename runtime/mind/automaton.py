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
    """Merge positions reachable by the same words. The empty member set stands for the start."""
    dfa = Determinised([{}], [frozenset()], [(START, "")])
    known: dict[frozenset[int], int] = {}
    for state in _growing(dfa.arcs):
        by_word: dict[str, set[int]] = defaultdict(set)
        reachable = first if state == START else {n for p in dfa.members[state] for n in follow[p]}
        for position in reachable:
            by_word[words[position]].add(position)
        for word, positions in by_word.items():
            subset = frozenset(positions)
            if subset not in known:
                known[subset] = len(dfa.arcs)
                dfa.arcs.append({})
                dfa.members.append(subset)
                dfa.came_from.append((state, word))
            dfa.arcs[state][word] = known[subset]
    return dfa


def _growing(states: list[dict[str, int]]) -> "range | _Growing":
    return _Growing(states)


class _Growing:
    """Indices of a list that grows while it is walked."""

    def __init__(self, states: list[dict[str, int]]) -> None:
        self._states, self._next = states, 0

    def __iter__(self) -> "_Growing":
        return self

    def __next__(self) -> int:
        if self._next >= len(self._states):
            raise StopIteration
        if len(self._states) > MAX_STATES:
            raise GrammarError(f"the grammar needs more than {MAX_STATES} states; use fewer optional parts")
        self._next += 1
        return self._next - 1
