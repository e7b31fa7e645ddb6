"""Sounds in their context: what a sound of a grammar gains where people say it so between its neighbours.

The "t" of "sit" is no "t" of "tea". CMU Sphinx's model tells them apart: thousands of mixtures over the very
Gaussians that the network listens to, tied over contexts that sound alike (senones: Hwang and Huang, 1992).
A node of the phone graph has few neighbours, so few senones; by as much as the likeliest of them beats the
sound's own states without context, the sound is likelier there. Nothing of this is trained.
"""

import io
import lzma
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from runtime.contracts.errors import PackError
from runtime.speech import units
from runtime.speech.graph import FILLER, Ints, PhoneGraph
from runtime.speech.units import LogProbs

SENONES = "senones.xz"
STREAMS, GAUSSIANS, OWN = 3, 128, 3
"""`OWN`: of each sound's mixtures the first, its states without context"""
SHARE = 0.4
"""Nats a nat, as much as the network's product gives to the Gaussians (training.asr.acoustic)"""
LIKELY = 6.0
"""Nats under the likeliest unit of a step; what is less likely there is on no path that matters"""
FRAMES = 2
"""A step"""
PLACES = 4
"""In a word: inside, at its begin, at its end, alone. A graph does not tell, so all four may be"""

Floats = npt.NDArray[np.float32]
Densities = tuple[Floats, ...]
"""A stream (frames, sounds, GAUSSIANS): each Gaussian's likelihood, the likeliest of its sound 1"""


@dataclass(frozen=True, slots=True)
class Senones:
    """The mixtures of all sounds, one sound's after the other's, and which of them a context needs."""

    levels: Floats
    """The weights that occur"""
    weights: npt.NDArray[np.uint8]
    """Shape (STREAMS, GAUSSIANS, mixtures): numbers of levels"""
    first: Ints
    """Shape (units + 1,): number of each unit's first mixture"""
    places: npt.NDArray[np.uint8]
    """Shape (units,): where its Gaussians stand in `Densities`"""
    steps: Ints
    """From each known `context` to the next, ascending from 0"""
    tied: npt.NDArray[np.uint16]
    """Shape (3, contexts): the mixtures of its states"""

    @classmethod
    def load(cls, asr_dir: Path) -> "Senones | None":
        """None where the folder has none. PackError where they are damaged."""
        path = asr_dir / SENONES
        if not path.is_file():
            return None
        try:
            with np.load(io.BytesIO(lzma.decompress(path.read_bytes())), allow_pickle=False) as file:
                found = cls(**{name: file[name] for name in cls.__slots__})
        except (OSError, EOFError, lzma.LZMAError, zipfile.BadZipFile, ValueError, KeyError) as error:
            raise PackError(f"{path} cannot be read ({error}); rebuild or reinstall the pack") from error
        if not found._fits():
            raise PackError(f"{path}: its tables do not fit each other; rebuild or reinstall the pack")
        return found

    def save(self, asr_dir: Path) -> None:
        """The same bytes every time."""
        data = io.BytesIO()
        np.savez(data, **{name: getattr(self, name) for name in self.__slots__})
        (asr_dir / SENONES).write_bytes(lzma.compress(data.getvalue(), preset=9 | lzma.PRESET_EXTREME))

    def known(self, contexts: Ints) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.uint16]]:
        """(which of `contexts` the model knows, (3, of these): their mixtures)."""
        mine = np.cumsum(self.steps)
        at = np.searchsorted(mine, contexts).clip(max=max(0, len(mine) - 1))
        which = np.flatnonzero(mine[at] == contexts)
        return which, self.tied[:, at[which]]

    def _fits(self) -> bool:
        return (
            self.first.shape == (len(units.UNITS) + 1,)
            and self.places.shape == (len(units.UNITS),)
            and self.weights.shape == (STREAMS, GAUSSIANS, self.first[-1])
            and self.tied.shape == (3, len(self.steps))
            and self.tied.max(initial=0) < self.first[-1]
            and self.weights.max(initial=0) < len(self.levels)
        )


def context(unit: Ints, before: Ints, after: Ints, place: Ints) -> Ints:
    """One number for all four."""
    n = len(units.UNITS)
    return (((unit * n + before) * n + after) * PLACES + place).astype(np.int32)


class Contexts:
    """The senones of one graph. Nodes of the same sound in the same contexts are of one kind.

    `kind` (nodes,): the column of `gains`, -1 where a node gains nothing. `units` (kinds,): what each says.
    """

    def __init__(self, senones: Senones, graph: PhoneGraph) -> None:
        sets = _mixtures(senones, graph)
        kinds: dict[tuple[int, tuple[int, ...]], int] = {}
        self.kind = np.full(graph.nodes, -1, np.int32)
        for node, mixtures in sets.items():
            key = int(graph.label[node]), mixtures
            self.kind[node] = kinds.setdefault(key, len(kinds))
        self.units = np.array([unit for unit, _ in kinds], np.intp)
        self._sounds = [
            _Sound(senones, unit, {kind: mixtures for (of, mixtures), kind in kinds.items() if of == unit})
            for unit in sorted({unit for unit, _ in kinds})
        ]

    def gains(self, densities: Densities, steps: npt.NDArray[np.intp], log_probs: LogProbs) -> Floats:
        """Nats that every kind gains, (steps, kinds).

        `steps`: those of the network that the rows of `log_probs` are.
        """
        found = np.zeros((len(steps), len(self.units)), np.float32)
        likely = log_probs > log_probs.max(axis=1, keepdims=True) - LIKELY
        frames = FRAMES * steps[:, None] + np.arange(FRAMES)
        frames = np.minimum(frames, len(densities[0]) - 1)
        for sound in self._sounds:
            rows = np.flatnonzero(likely[:, sound.unit])
            if len(rows):
                found[rows[:, None], sound.kinds] = sound.gains(densities, frames[rows])
        return found


class _Sound:
    """One unit's kinds and the weights of the mixtures that they need."""

    def __init__(self, senones: Senones, unit: int, kinds: dict[int, tuple[int, ...]]) -> None:
        self.unit, self.kinds = unit, np.array([*kinds], np.intp)
        self._place = int(senones.places[unit])
        first = int(senones.first[unit])
        needed = np.unique(np.concatenate([np.arange(first, first + OWN), *map(np.array, kinds.values())]))
        self._weights = np.ascontiguousarray(
            senones.levels[senones.weights[:, :, needed]].transpose(0, 2, 1)
        )  # (streams, mixtures, Gaussians)
        sets = [np.searchsorted(needed, mixtures) for mixtures in kinds.values()]
        self._flat = np.concatenate(sets)
        self._starts = np.cumsum([0, *map(len, sets)])[:-1]

    def gains(self, densities: Densities, frames: npt.NDArray[np.intp]) -> Floats:
        """(steps, FRAMES) -> (steps, kinds)"""
        of = frames.ravel()
        likelihoods: Floats = np.ones((1, 1), np.float32)
        for weights, stream in zip(self._weights, densities, strict=True):
            likelihoods = likelihoods * (weights @ stream[of, self._place].T)  # (mixtures, frames)
        best = np.maximum.reduceat(likelihoods[self._flat], self._starts, axis=0)
        ratio = best / likelihoods[:OWN].max(axis=0)
        nats = np.log(ratio).reshape(len(self.kinds), *frames.shape).mean(axis=2)
        return np.asarray(SHARE * np.maximum(nats, 0.0).T, np.float32)


def _mixtures(senones: Senones, graph: PhoneGraph) -> dict[int, tuple[int, ...]]:
    """Node -> the mixtures of all contexts it can have; nodes without any are left out."""
    rows = np.array([*_neighbours(graph)], np.int32).reshape(-1, 3)  # node, before, after
    every = np.repeat(rows, PLACES, axis=0)
    place = np.tile(np.arange(PLACES, dtype=np.int32), len(rows))
    which, tied = senones.known(context(graph.label[every[:, 0]], every[:, 1], every[:, 2], place))
    if len(which) == 0:
        return {}
    pairs = np.unique(np.column_stack([np.tile(every[which, 0], len(tied)), tied.ravel()]), axis=0)
    nodes, starts = np.unique(pairs[:, 0], return_index=True)
    groups = np.split(pairs[:, 1], starts[1:])
    return {int(node): tuple(group.tolist()) for node, group in zip(nodes, groups, strict=True)}


def _neighbours(graph: PhoneGraph) -> Iterator[tuple[int, int, int]]:
    """(node, unit before it, unit after it); a blank between two sounds is passed over, an end is silence."""
    before, after = _sides(graph, graph.source, graph.target), _sides(graph, graph.target, graph.source)
    for node in np.flatnonzero(_says(graph)).tolist():
        lefts = before[node] | ({units.BLANK} if graph.begins[node] or not before[node] else set())
        rights = after[node] | ({units.BLANK} if graph.ends[node] or not after[node] else set())
        yield from ((node, left, right) for left in sorted(lefts) for right in sorted(rights))


def _sides(graph: PhoneGraph, source: Ints, target: Ints) -> list[set[int]]:
    """For every node the units of the sounds that lead to it, also over a blank; a filler is silence."""
    says, label = _says(graph), graph.label
    found: list[set[int]] = [set() for _ in range(graph.nodes)]
    edges = [(int(s), int(t)) for s, t in zip(source, target, strict=True) if s != t]
    for s, t in edges:
        if says[s]:
            found[t].add(int(label[s]))
        elif label[s] == FILLER:
            found[t].add(units.BLANK)
    for s, t in edges:
        if label[s] == units.BLANK and says[t]:
            found[t] |= found[s]
    return found


def _says(graph: PhoneGraph) -> npt.NDArray[np.bool_]:
    return np.asarray((graph.label != units.BLANK) & (graph.label != FILLER))
