"""A command grammar as a graph of letters through which CTC can walk.

Nodes are of three kinds: a letter being said, the blank after it, and a filler that swallows whatever comes
before or after the command (half a wake word, a cough). Names may stand in front of the command and after it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from runtime.contracts.errors import GrammarError
from runtime.mind.automaton import START, Automaton, determinise, minimise
from runtime.mind.expression import normalise
from runtime.speech import units

Ints = npt.NDArray[np.int32]
FILLER = len(units.UNITS)
"""Label of the filler: a column that the decoder adds to the log-probabilities"""


@dataclass(frozen=True, slots=True)
class LetterGraph:
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


def letter_graph(automaton: Automaton, names: Sequence[str] = ()) -> LetterGraph:
    """GrammarError where a word holds a letter the recogniser does not know."""
    for word in (*automaton.words, *names):
        if bad := units.foreign(word):
            raise GrammarError(
                f"the recogniser has no letter {bad!r} (in {word!r}); spell it with a to z and '"
            )
    return _ctc(_spell(automaton, [normalise(name) for name in names]))


def _spell(automaton: Automaton, names: Sequence[str]) -> Automaton:
    """The same sentences, letter by letter, each name allowed once before and once after."""
    letters: list[str] = []
    follow: list[list[int]] = []

    def place(text: str) -> list[int]:
        """Positions of `text`, one after the other."""
        first = len(letters)
        letters.extend(text)
        follow.extend([i + 1] for i in range(first, len(letters)))
        follow[-1] = []
        return list(range(first, len(letters)))

    gaps = [place(" ")[0] for _ in range(automaton.states)]  # the space before the words of a state
    begin: list[int] = []
    final: set[int] = set()
    tails: list[int] = []
    for name in names:
        before, after = place(name), place(" " + name)
        begin.append(before[0])
        final.update((before[-1], after[-1]))
        follow[before[-1]].append(gaps[START])
        tails.append(after[0])
    for source, label, target in zip(automaton.source, automaton.label, automaton.target, strict=True):
        word = place(automaton.words[label])
        follow[gaps[source]].append(word[0])
        if source == START:
            begin.append(word[0])
        follow[word[-1]].append(gaps[target])
        if automaton.final[target]:
            final.add(word[-1])
            follow[word[-1]].extend(tails)
    dfa = determinise(letters, begin, follow)
    return minimise(dfa.arcs, [any(p in final for p in members) for members in dfa.members])


def _ctc(spelling: Automaton) -> LetterGraph:
    """One node an arc (its letter), one a state (the blank on it), a filler at either end."""
    arcs, states = len(spelling.source), spelling.states
    letter = np.array(units.encode("".join(spelling.words)), np.int32)[spelling.label]
    blank = arcs + np.arange(states)
    front, back = arcs + states, arcs + states + 1
    arc = np.arange(arcs)
    ending = spelling.final[spelling.target]
    first = spelling.source == START
    edges = [
        (np.arange(back + 1), np.arange(back + 1)),
        (blank[spelling.source], arc),
        (arc, blank[spelling.target]),
        _pairs(spelling, letter),
        (np.full(first.sum(), front), arc[first]),
        (np.array([front]), blank[[START]]),
        (arc[ending], np.full(ending.sum(), back)),
        (blank[spelling.final], np.full(spelling.final.sum(), back)),
    ]
    source = np.concatenate([e[0] for e in edges]).astype(np.int32)
    target = np.concatenate([e[1] for e in edges]).astype(np.int32)
    label = np.concatenate([letter, np.full(states, units.BLANK), [FILLER, FILLER]]).astype(np.int32)
    begins = np.concatenate([first, np.arange(states) == START, [True, False]])
    ends = np.concatenate([ending, spelling.final, [False, True]])
    return LetterGraph(label, source, target, begins, ends)


def _pairs(spelling: Automaton, letter: Ints) -> tuple[Ints, Ints]:
    """(arc, next arc) without a blank between them: never the same letter twice."""
    into: list[list[int]] = [[] for _ in range(spelling.states)]
    for arc, target in enumerate(spelling.target):
        into[target].append(arc)

    def found() -> Iterator[tuple[int, int]]:
        for arc, source in enumerate(spelling.source):
            for before in into[source]:
                if letter[before] != letter[arc]:
                    yield before, arc

    pairs = np.array(list(found()), np.int32).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]
