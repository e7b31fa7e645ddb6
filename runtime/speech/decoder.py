"""Decoding of CTC log-probabilities: the likeliest sentences of a grammar.

Exact Viterbi over a phone graph, one numpy gather and one segmented maximum a step. A second sweep from the
end gives the best path through every node, from which the runners-up are read: the second sentence is exact,
later ones nearly always are.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from runtime.speech import units
from runtime.speech.graph import FILLER, Ints, SpokenGrammar
from runtime.speech.senones import Contexts, Senones
from runtime.speech.units import LogProbs

_NEVER = np.float32(-1e9)
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Path:
    """One sentence and how the sound was spent on it."""

    text: str
    score: float
    """Natural logarithm of the best alignment's probability, fillers' penalties included"""
    filler_steps: int
    """Steps swallowed by a filler although they were no silence"""
    gain: float = 0.0
    """Nats of the score that its sounds have gained by their contexts"""

    @property
    def plain(self) -> float:
        """The score without them: what the network alone makes of it."""
        return self.score - self.gain


_NARROW = 4
_PATHS = 24
"""Followed a sentence asked for: many differ only in how a word is said"""


class Edges:
    """Edges grouped by the node they lead to; every node has itself among its predecessors.

    Most nodes have four or fewer, so a step is four gathers and maxima over all nodes, which is five times as
    fast as a segmented maximum; only the few wide nodes need one.
    """

    def __init__(self, source: Ints, target: Ints, nodes: int) -> None:
        order = np.argsort(target, kind="stable")
        self._source = source[order].astype(np.intp)
        self._starts = np.searchsorted(target[order], np.arange(nodes))
        self._stops = np.append(self._starts[1:], len(order))
        last = self._stops - 1
        self._columns = [self._source[np.minimum(self._starts + k, last)] for k in range(_NARROW)]
        self._wide = np.flatnonzero(self._stops - self._starts > _NARROW)
        groups = [self.before(int(node)) for node in self._wide]
        self._wide_source = np.concatenate([np.zeros(0, np.intp), *groups])
        self._wide_starts = np.cumsum([0, *(len(group) for group in groups)])[:-1].astype(np.intp)

    def best(self, score: Floats) -> Floats:
        """For every node the highest score among its predecessors."""
        found = score.take(self._columns[0])
        for column in self._columns[1:]:
            np.maximum(found, score.take(column), out=found)
        if len(self._wide):
            found[self._wide] = np.maximum.reduceat(score.take(self._wide_source), self._wide_starts)
        return np.asarray(found, np.float32)

    def before(self, node: int) -> npt.NDArray[np.intp]:
        return self._source[self._starts[node] : self._stops[node]]


class GrammarDecoder:
    """Finds the sentences of one grammar.

    `filler_penalty`: nats for every step a filler swallows. `senones`: what its sounds gain by is read from
    them, where the steps come with `gains`.
    """

    def __init__(
        self, grammar: SpokenGrammar, filler_penalty: float = 2.0, senones: Senones | None = None
    ) -> None:
        self._grammar, self._graph, self._penalty = grammar, grammar.graph(), filler_penalty
        graph = self._graph
        self.contexts = Contexts(senones, graph) if senones else None
        self._forward = Edges(graph.source, graph.target, graph.nodes)
        self._backward = Edges(graph.target, graph.source, graph.nodes)

    def decode(self, log_probs: LogProbs, n: int = 1, gains: Floats | None = None) -> list[Path]:
        """Up to `n` different sentences, best first; [] for no steps or when none fits.

        `gains`: of the contexts, a row a step.
        """
        if len(log_probs) == 0:
            return []
        said = self._said(log_probs, gains)  # (T, nodes)
        ahead = self._sweep(said, self._forward, self._graph.begins)
        last = np.where(self._graph.ends, ahead[-1], _NEVER)
        if last.max() <= _NEVER / 2:
            return []
        found: dict[str, Path] = {}
        best = self._trace_back(ahead, len(said) - 1, int(last.argmax()))
        self._keep(found, best, float(last.max()), log_probs, gains)
        if n > 1:
            back = self._sweep(said[::-1], self._backward, self._graph.ends)[::-1]
            self._runners_up(found, said, ahead, back, n, log_probs, gains)
        return sorted(found.values(), key=lambda path: -path.score)[:n]

    def _said(self, log_probs: LogProbs, gains: Floats | None) -> Floats:
        """Log-probability of what each node says, at every step, and what it gains."""
        voiced = 1.0 - np.exp(log_probs[:, units.BLANK])
        filler = log_probs.max(axis=1) - self._penalty * voiced
        plain = np.column_stack([log_probs, filler]).astype(np.float32)
        if gains is None or self.contexts is None:
            return plain[:, self._graph.label]
        gained = plain[:, self.contexts.units] + gains
        kind = self.contexts.kind
        column = np.where(kind < 0, self._graph.label, plain.shape[1] + kind)
        return np.concatenate([plain, gained], axis=1)[:, column]

    def _sweep(self, said: Floats, edges: Edges, allowed: npt.NDArray[np.bool_]) -> Floats:
        """Best score of any path from the allowed nodes to each node, its own step included, (T, nodes)."""
        score = np.empty_like(said)
        score[0] = np.where(allowed, said[0], _NEVER)
        for t in range(1, len(said)):
            score[t] = edges.best(score[t - 1]) + said[t]
        return score

    def _runners_up(
        self, found: dict[str, Path], said: Floats, ahead: Floats, back: Floats, n: int, log_probs: LogProbs,
        gains: Floats | None,
    ) -> None:  # fmt: skip
        """Follow the best path through each of the likeliest nodes until `n` sentences are found."""
        through = ahead + back - said
        last = len(said) - 1
        ends = np.flatnonzero(self._graph.ends)
        # through each node, and to each end: a sentence may be the beginning of the best one
        node = np.concatenate([np.arange(self._graph.nodes), ends])
        step = np.concatenate([through.argmax(axis=0), np.full(len(ends), last)])
        score = np.concatenate([through.max(axis=0), ahead[last, ends]])
        tried: set[float] = set()
        for i in np.argsort(-score):
            if len(found) > n or len(tried) > _PATHS * n or score[i] <= _NEVER / 2:
                return
            # all nodes of one path share its score
            if (key := round(float(score[i]), 2)) in tried:
                continue
            tried.add(key)
            before = self._trace_back(ahead, int(step[i]), int(node[i]))
            after = self._trace_on(back, int(step[i]), int(node[i]))
            self._keep(found, before + after, float(score[i]), log_probs, gains)

    def _trace_back(self, ahead: Floats, step: int, node: int) -> list[int]:
        nodes = [node]
        for t in range(step - 1, -1, -1):
            choices = self._forward.before(nodes[-1])
            nodes.append(int(choices[ahead[t, choices].argmax()]))
        return nodes[::-1]

    def _trace_on(self, back: Floats, step: int, node: int) -> list[int]:
        nodes = [node]
        for t in range(step + 1, len(back)):
            choices = self._backward.before(nodes[-1])
            nodes.append(int(choices[back[t, choices].argmax()]))
        return nodes[1:]

    def _keep(
        self, found: dict[str, Path], nodes: list[int], score: float, log_probs: LogProbs,
        gains: Floats | None,
    ) -> None:  # fmt: skip
        labels = self._graph.label[nodes]
        said = [
            int(label)
            for i, label in enumerate(labels)
            if label not in (units.BLANK, FILLER) and (i == 0 or nodes[i] != nodes[i - 1])
        ]
        text = self._grammar.read(units.decode(said))
        if text not in found or found[text].score < score:
            swallowed = (labels == FILLER) & (log_probs.argmax(axis=1) != units.BLANK)
            found[text] = Path(text, score, int(swallowed.sum()), self._gain(nodes, gains))

    def _gain(self, nodes: list[int], gains: Floats | None) -> float:
        if gains is None or self.contexts is None:
            return 0.0
        kind = self.contexts.kind[nodes]
        steps = np.flatnonzero(kind >= 0)
        return float(gains[steps, kind[steps]].sum())
