"""A command grammar as a graph of phones through which CTC can walk.

Nodes are of three kinds: a phone being said, the blank after it, and a filler that swallows whatever comes
before or after the command (half a wake word, a cough). Names may stand in front of the command and after it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, product

import numpy as np
import numpy.typing as npt

from runtime.mind.automaton import START, Automaton, determinise, minimise
from runtime.speech import units
from runtime.speech.pronounce import Pronouncer, Way

Ints = npt.NDArray[np.int32]
FILLER = len(units.UNITS)
"""Label of the filler: a column that the decoder adds to the log-probabilities"""
_WAYS_OF_A_NAME = 8


@dataclass(frozen=True, slots=True)
class PhoneGraph:
    """Edge i goes from node `source[i]` to `target[i]`; a path may begin and end only at some nodes."""

    label: Ints
    """Shape (nodes,): the unit a node says, or FILLER"""
    source: Ints
    target: Ints
    begins: npt.NDArray[np.bool_]
    ends: npt.NDArray[np.bool_]

    @property
    def nodes(self) -> int:
        return len(self.label)


class SpokenGrammar:
    """The sentences of `automaton`, each of `names` allowed once before and once after, as they are said.

    GrammarError for a word whose pronunciation nobody told.
    """

    def __init__(self, automaton: Automaton, pronouncer: Pronouncer, names: Sequence[str] = ()) -> None:
        self._automaton = automaton
        self._ways = {word: pronouncer.must(word) for word in automaton.words}
        self._names = {name: _ways_of_phrase(name, pronouncer) for name in names if name}

    def graph(self) -> PhoneGraph:
        return _ctc(self._sounds())

    def read(self, phones: Sequence[str]) -> str:
        """The words of a path through the graph; of words that sound alike the first."""
        said = tuple(phones)
        for name, ways in self._names.items():
            for way in ways:
                if said[: len(way)] == way:
                    if len(said) == len(way):
                        return name
                    if (rest := self._words(said, START, len(way), set())) is not None:
                        return " ".join([name, *rest])
        return " ".join(self._words(said, START, 0, set()) or [])

    def _words(self, said: Way, state: int, at: int, dead: set[tuple[int, int]]) -> list[str] | None:
        """Words from `state` that are said as `said[at:]`; `dead`: where no way goes on."""
        if (state, at) in dead:
            return None
        if self._automaton.final[state]:
            if at == len(said):
                return []
            if name := next((n for n, ways in self._names.items() if said[at:] in ways), None):
                return [name]
        for word, target in self._automaton.arcs[state].items():
            for way in self._ways[word]:
                if said[at : at + len(way)] == way:
                    rest = self._words(said, target, at + len(way), dead)
                    if rest is not None:
                        return [word, *rest]
        dead.add((state, at))
        return None

    def _sounds(self) -> Automaton:
        """The same sentences, phone by phone."""
        automaton = self._automaton
        phones: list[str] = []
        follow: list[list[int]] = []

        def place(way: Way) -> tuple[int, int]:
            """First and last position of `way`, its phones one after the other."""
            first = len(phones)
            phones.extend(way)
            follow.extend([i + 1] for i in range(first, len(phones)))
            follow[-1] = []
            return first, len(phones) - 1

        starts: list[list[int]] = [[] for _ in range(automaton.states)]
        lasts: list[tuple[int, int]] = []
        for source, label, target in zip(automaton.source, automaton.label, automaton.target, strict=True):
            for way in self._ways[automaton.words[label]]:
                first, last = place(way)
                starts[source].append(first)
                lasts.append((last, int(target)))
        tails: list[int] = []
        final: set[int] = set()
        begin = list(starts[START])
        for ways in self._names.values():
            for way in ways:
                before, after = place(way), place(way)
                begin.append(before[0])
                follow[before[1]].extend(starts[START])
                tails.append(after[0])
                final.update((before[1], after[1]))
        for last, target in lasts:
            follow[last].extend(starts[target])
            if automaton.final[target]:
                follow[last].extend(tails)
                final.add(last)
        dfa = determinise(phones, begin, follow)
        return minimise(dfa.arcs, [any(p in final for p in members) for members in dfa.members])


def _ways_of_phrase(phrase: str, pronouncer: Pronouncer) -> tuple[Way, ...]:
    choices = product(*(pronouncer.must(word) for word in phrase.split()))
    return tuple(tuple(p for way in ways for p in way) for ways in islice(choices, _WAYS_OF_A_NAME))


def _ctc(spoken: Automaton) -> PhoneGraph:
    """One node an arc (its phone), one a state (the blank on it), a filler at either end."""
    arcs, states = len(spoken.source), spoken.states
    phone = np.array(units.encode(spoken.words), np.int32)[spoken.label]
    blank = arcs + np.arange(states)
    front, back = arcs + states, arcs + states + 1
    arc = np.arange(arcs)
    ending = spoken.final[spoken.target]
    first = spoken.source == START
    edges = [
        (np.arange(back + 1), np.arange(back + 1)),
        (blank[spoken.source], arc),
        (arc, blank[spoken.target]),
        _pairs(spoken, phone),
        (np.full(first.sum(), front), arc[first]),
        (np.array([front]), blank[[START]]),
        (arc[ending], np.full(ending.sum(), back)),
        (blank[spoken.final], np.full(spoken.final.sum(), back)),
    ]
    source = np.concatenate([e[0] for e in edges]).astype(np.int32)
    target = np.concatenate([e[1] for e in edges]).astype(np.int32)
    label = np.concatenate([phone, np.full(states, units.BLANK), [FILLER, FILLER]]).astype(np.int32)
    begins = np.concatenate([first, np.arange(states) == START, [True, False]])
    ends = np.concatenate([ending, spoken.final, [False, True]])
    return PhoneGraph(label, source, target, begins, ends)


def _pairs(spoken: Automaton, phone: Ints) -> tuple[Ints, Ints]:
    """(arc, next arc) without a blank between them: never the same phone twice."""
    into: list[list[int]] = [[] for _ in range(spoken.states)]
    for arc, target in enumerate(spoken.target):
        into[target].append(arc)

    def found() -> Iterator[tuple[int, int]]:
        for arc, source in enumerate(spoken.source):
            for before in into[source]:
                if phone[before] != phone[arc]:
                    yield before, arc

    pairs = np.array(list(found()), np.int32).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]
