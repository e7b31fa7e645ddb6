"""Which kind of call it may be, and of which species: a suggestion, as machines are right two times in three.

Each kind is a row of what is published of it: Yin and McCowan (2004) and Pongrácz (2005) of barks, Cohen and
Fox (1976) and Yeon (2011) of whines, howls, growls, Nicastro (2004) and Schötz (2020) of meows, trills and
purrs. The owner's own word counts before it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from training.clone.voice.measure import Call

Range = tuple[float, float]
"""(middle, factor): two of three calls lie between middle / factor and middle * factor"""


@dataclass(frozen=True, slots=True)
class Kind:
    """What is known of one kind of call."""

    name: str
    species: str
    seconds: Range
    tonality: tuple[float, float]
    """(mean, deviation)"""
    f0_hz: Range
    attack_s: Range
    bright: Range
    """Centroid over pitch: how much lies above the fundamental"""
    centroid_hz: Range
    mood: tuple[float, float]
    """(valence, arousal) it mostly tells of"""
    beats: bool = False
    weight: float = 1.0
    """How usual it is"""


KINDS: Sequence[Kind] = (
    Kind("bark", "dog", (0.19, 1.6), (0.55, 0.3), (450, 1.7),
         (0.03, 1.9), (2.4, 1.6), (1_100, 1.5), (0.2, 0.6), weight=3),
    Kind("woof", "dog", (0.28, 1.5), (0.55, 0.3), (210, 1.4),
         (0.05, 1.9), (3.0, 1.6), (650, 1.4), (0.2, 0.1)),
    Kind("yip", "dog", (0.13, 1.5), (0.85, 0.2), (900, 1.4),
         (0.025, 1.8), (1.8, 1.5), (1_700, 1.5), (0.5, 0.7)),
    Kind("whine", "dog", (0.7, 1.8), (0.9, 0.15), (800, 1.6),
         (0.12, 1.9), (1.4, 1.4), (1_200, 1.6), (-0.5, 0.1)),
    Kind("howl", "dog", (2.0, 1.8), (0.95, 0.1), (520, 1.5),
         (0.3, 1.9), (1.5, 1.4), (800, 1.5), (-0.1, 0.3)),
    Kind("growl", "dog", (1.2, 2.0), (0.4, 0.3), (110, 1.4),
         (0.25, 2.0), (5.0, 1.7), (550, 1.5), (-0.4, 0.4)),
    Kind("pant", "dog", (0.2, 1.6), (0.05, 0.1), (120, 2.0),
         (0.08, 1.8), (15, 2.5), (2_300, 1.5), (0.5, 0.4)),
    Kind("meow", "cat", (0.75, 1.5), (0.92, 0.12), (620, 1.4),
         (0.15, 1.8), (2.6, 1.5), (1_600, 1.4), (0.1, 0.3), weight=3),
    Kind("mew", "cat", (0.5, 1.6), (0.93, 0.12), (1_050, 1.3),
         (0.1, 1.8), (2.1, 1.4), (2_300, 1.4), (-0.2, 0.5)),
    Kind("trill", "cat", (0.35, 1.5), (0.85, 0.2), (480, 1.4),
         (0.08, 1.8), (2.4, 1.5), (1_200, 1.4), (0.6, 0.3)),
    Kind("yowl", "cat", (1.7, 1.7), (0.93, 0.12), (600, 1.4),
         (0.3, 1.9), (2.5, 1.5), (1_500, 1.4), (-0.5, 0.6)),
    Kind("hiss", "cat", (0.8, 1.8), (0.03, 0.08), (120, 2.0),
         (0.08, 2.0), (30, 2.5), (4_000, 1.4), (-0.7, 0.7)),
    Kind("purr", "cat", (2.5, 2.0), (0.2, 0.3), (120, 2.0),
         (0.4, 2.5), (6.0, 2.5), (500, 1.8), (0.7, -0.3), beats=True),
)  # fmt: skip
BY_NAME: Mapping[str, Kind] = {kind.name: kind for kind in KINDS}
SPECIES = ("dog", "cat")
_OUTLIER = 3.0
"""A measure that is further off than so many deviations is no more telling than that"""
_BEAT = 2.0


def beliefs(call: Call, species: str = "") -> dict[str, float]:
    """Kind -> belief, adding up to 1; of one species where it is known."""
    kinds = [kind for kind in KINDS if species in ("", kind.species)]
    scores = np.array([_score(kind, call) for kind in kinds])
    shares = np.exp(scores - scores.max())
    return {kind.name: float(share) for kind, share in zip(kinds, shares / shares.sum(), strict=True)}


def species_of(calls: Iterable[Call]) -> tuple[str, float]:
    """(the likelier species, belief) of all calls of a recording; long and clear ones count for more."""
    sums = dict.fromkeys(SPECIES, 0.0)
    for call in calls:
        found = beliefs(call)
        trust = min(call.seconds, 1.0) ** 0.5 * (0.2 + call.quality)
        for kind in KINDS:
            sums[kind.species] += trust * found[kind.name]
    total = sum(sums.values())
    best = max(SPECIES, key=lambda name: sums[name])
    return (best, sums[best] / total) if total else ("", 0.0)


def _score(kind: Kind, call: Call) -> float:
    """Log-likelihood, with every measure bounded."""
    off = [
        _factor(call.seconds, kind.seconds),
        (call.tonality - kind.tonality[0]) / kind.tonality[1],
        _factor(call.attack_s, kind.attack_s),
        _factor(call.centroid_hz, kind.centroid_hz),
    ]
    spread = [kind.seconds[1], np.exp(kind.tonality[1]), kind.attack_s[1], kind.centroid_hz[1]]
    if call.tonality > 0.2:
        off += [_factor(call.f0_hz, kind.f0_hz), _factor(call.centroid_hz / call.f0_hz, kind.bright)]
        spread += [kind.f0_hz[1], kind.bright[1]]
    bounded = np.clip(np.abs(off), 0, _OUTLIER)
    beat = _BEAT * (kind.beats == (call.beat_hz > 0))
    return float(-0.5 * (bounded**2).sum() - np.log(np.log(spread)).sum() + np.log(kind.weight) + beat)


def _factor(value: float, of: Range) -> float:
    """How many deviations off, in pitch-like steps."""
    return float(np.log(max(value, 1e-3) / of[0]) / np.log(of[1]))
