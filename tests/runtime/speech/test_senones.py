"""What sounds gain by their contexts, against the same worked out one senone at a time."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from runtime.contracts.errors import PackError
from runtime.mind.grammar import Grammar
from runtime.speech import units
from runtime.speech.decoder import GrammarDecoder
from runtime.speech.graph import FILLER, SpokenGrammar
from runtime.speech.senones import (
    FRAMES,
    GAUSSIANS,
    LIKELY,
    OWN,
    PLACES,
    SENONES,
    SHARE,
    STREAMS,
    Contexts,
    Senones,
    context,
)  # fmt: skip
from runtime.starter import FOLDER
from tests.fakes.uniform_asr import PRONOUNCER, said

GRAMMAR = SpokenGrammar(
    Grammar.load("context: {expressions: {one: ['sit', 'tea', 'eat it']}}").automaton(), PRONOUNCER
)
SOUNDS = ("T", "IH", "IY", "S")


def senones(known: list[tuple[str, str, str]]) -> Senones:
    """SOUNDS with three own states each; every one of `known` (sound, before, after) has a mixture more."""
    mixtures = dict.fromkeys(SOUNDS, OWN)
    rows = []
    for sound, before, after in known:
        unit, left, right = (units.UNITS.index(name) for name in (sound, before, after))
        rows.append((context(*map(np.int32, (unit, left, right, 1))), sound, mixtures[sound]))
        mixtures[sound] += 1
    first = np.cumsum([0, *(mixtures.get(unit, 0) for unit in units.UNITS)]).astype(np.int32)
    rows.sort()
    steps = np.diff([int(key) for key, _, _ in rows], prepend=0).astype(np.int32)
    tied = [first[units.UNITS.index(sound)] + number for _, sound, number in rows]
    weights = np.random.default_rng(3).integers(0, 4, (STREAMS, GAUSSIANS, first[-1])).astype(np.uint8)
    places = np.arange(len(units.UNITS), dtype=np.uint8)[::-1].copy()
    levels = np.array([0.4, 0.1, 0.01, 1e-5], np.float32)
    return Senones(levels, weights, first, places, steps, np.array([tied] * 3, np.uint16))


def heard(frames: int) -> tuple[np.ndarray, ...]:
    shape = (STREAMS, frames, len(units.UNITS), GAUSSIANS)
    return tuple(np.random.default_rng(4).random(shape, np.float32))


KNOWN = [("T", "", "IY"), ("T", "IH", ""), ("IH", "S", "T"), ("IH", "T", "T"), ("S", "T", "T")]


def test_a_sound_gains_what_its_context_beats_its_own_states_by() -> None:
    table = senones(KNOWN)
    decoder = GrammarDecoder(GRAMMAR, senones=table)
    contexts, graph = decoder.contexts, GRAMMAR.graph()
    assert contexts is not None
    steps = np.array([0, 2, 3])
    log_probs = np.log(np.full((3, len(units.UNITS)), 1 / len(units.UNITS), np.float32))
    densities = heard(7)  # one less than the steps have, as the network's last step may have
    gains = contexts.gains(densities, steps, log_probs)

    def nats(mixture: int, place: int, frame: int) -> float:
        weights = table.levels[table.weights[:, :, mixture]]
        return sum(float(np.log(densities[s][frame, place] @ weights[s])) for s in range(STREAMS))

    seen = 0
    for node in range(graph.nodes):
        unit = int(graph.label[node])
        name = "" if unit in (units.BLANK, FILLER) else units.UNITS[unit]
        if contexts.kind[node] < 0:
            continue
        seen += 1
        mine = _mixtures(table, graph, node)
        for row, step in enumerate(steps):
            found = []
            for frame in (FRAMES * step, min(FRAMES * step + 1, 6)):
                own = max(nats(table.first[unit] + i, table.places[unit], frame) for i in range(OWN))
                found.append(max(nats(m, table.places[unit], frame) for m in mine) - own)
            wanted = SHARE * max(0.0, sum(found) / FRAMES)
            assert gains[row, contexts.kind[node]] == pytest.approx(wanted, abs=1e-4), name
    assert seen == 3  # "sit" and "eat it" end in the same nodes; the "t" of "eat" stands between others


def _mixtures(table: Senones, graph: object, node: int) -> list[int]:
    """By the definition: over all pairs of neighbours, of the sounds themselves and over one blank."""
    label, edges = graph.label, list(zip(graph.source.tolist(), graph.target.tolist(), strict=True))  # type: ignore[attr-defined]

    def beside(start: int, ahead: bool) -> set[int]:
        found: set[int] = set()
        for a, b in edges:
            other, this = (b, a) if ahead else (a, b)
            if this == start and other != start:
                if label[other] == units.BLANK:
                    found |= beside(other, ahead) if label[start] != units.BLANK else set()
                else:
                    found.add(units.BLANK if label[other] == FILLER else int(label[other]))
        ends = graph.ends if ahead else graph.begins  # type: ignore[attr-defined]
        return found | ({units.BLANK} if ends[start] else set())

    keys = np.cumsum(table.steps).tolist()
    mine = []
    for left in beside(node, ahead=False):
        for right in beside(node, ahead=True):
            for place in range(PLACES):
                key = int(context(*map(np.int32, (label[node], left, right, place))))
                if key in keys:
                    mine.append(int(table.tied[0, keys.index(key)]))
    return mine


def test_a_stretch_gains_the_same_alone_and_in_a_longer_one() -> None:
    contexts = GrammarDecoder(GRAMMAR, senones=senones(KNOWN)).contexts
    assert contexts is not None
    log_probs, densities = said("sit tea"), heard(60)
    whole = contexts.gains(densities, np.arange(len(log_probs)), log_probs)
    for step in range(len(log_probs)):
        one = contexts.gains(densities, np.array([step]), log_probs[[step]])
        np.testing.assert_allclose(one[0], whole[step], atol=1e-5)


def test_what_is_unlikely_there_is_not_looked_at() -> None:
    decoder = GrammarDecoder(GRAMMAR, senones=senones(KNOWN))
    assert decoder.contexts is not None
    log_probs = np.full((2, len(units.UNITS)), -1.0, np.float32)
    of_t, densities = decoder.contexts.units == units.UNITS.index("T"), heard(4)
    for stream in densities:
        stream[:, :, 1:] = 0.0  # one Gaussian alone, so that weights decide
    every = decoder.contexts.gains(densities, np.arange(2), log_probs)
    assert every[1, of_t].max() > 0
    log_probs[1, units.UNITS.index("T")] = -1.1 - LIKELY
    found = decoder.contexts.gains(densities, np.arange(2), log_probs)
    assert np.all(found[1, of_t] == 0)
    np.testing.assert_array_equal(found[1, ~of_t], every[1, ~of_t])
    np.testing.assert_array_equal(found[0], every[0])


def test_gains_turn_the_search_and_are_told() -> None:
    decoder = GrammarDecoder(GRAMMAR, senones=senones([("T", "", "IY"), ("IH", "S", "T")]))
    assert decoder.contexts is not None
    log_probs = said("sit")
    [plain, *_] = decoder.decode(log_probs, 2)
    assert (plain.text, plain.gain) == ("sit", 0.0)
    gains = np.zeros((len(log_probs), len(decoder.contexts.units)), np.float32)
    gains[:, decoder.contexts.units == units.UNITS.index("T")] = 50.0
    best = decoder.decode(log_probs, 1, gains)[0]
    assert best.text == "tea"
    assert best.gain >= 50.0
    assert best.gain % 50.0 == 0.0
    assert best.score - best.gain < plain.score


def test_a_folder_without_them_has_none(tmp_path: Path) -> None:
    assert Senones.load(tmp_path) is None


def test_they_are_read_as_they_were_written(tmp_path: Path) -> None:
    table = senones(KNOWN)
    table.save(tmp_path)
    once = (tmp_path / SENONES).read_bytes()
    again = Senones.load(tmp_path)
    assert again is not None
    for field in dataclasses.fields(Senones):
        np.testing.assert_array_equal(getattr(again, field.name), getattr(table, field.name))
    again.save(tmp_path)
    assert (tmp_path / SENONES).read_bytes() == once


@pytest.mark.parametrize("change", ["cut", "foreign", "empty", "unfit"])
def test_damaged_ones_are_refused(tmp_path: Path, change: str) -> None:
    table = senones(KNOWN)
    table.save(tmp_path)
    path = tmp_path / SENONES
    if change == "unfit":
        dataclasses.replace(table, tied=table.tied + np.uint16(999)).save(tmp_path)
    else:
        path.write_bytes({"cut": path.read_bytes()[:-20], "foreign": b"senones", "empty": b""}[change])
    with pytest.raises(PackError, match=r"senones\.xz"):
        Senones.load(tmp_path)


def test_the_starters_know_every_sound_between_common_others() -> None:
    table = Senones.load(FOLDER / "asr")
    assert table is not None
    assert np.all(np.diff(table.first)[1:] > OWN)
    every = SpokenGrammar(
        Grammar.load("context: {expressions: {one: ['quickly sit down', 'fetch']}}").automaton(), PRONOUNCER
    ).graph()
    kinds = Contexts(table, every).kind
    assert np.all((kinds >= 0) == ((every.label != units.BLANK) & (every.label != FILLER)))
