"""The spotter on written sounds: doubt is what it costs to insist on the word."""

import itertools

import numpy as np
import pytest

from runtime.contracts.audio import Samples
from runtime.speech.spotter import NEVER, Spotter
from runtime.speech.units import BLANK, UNITS, LogProbs, encode

STOP = ("S", "T", "AA", "P")
ANY: Samples = np.zeros(1, np.int16)


def heard(*names: str, price: float = 6.0) -> LogProbs:
    """One step a name, sure of it: every other unit is `price` nats less likely. "" is the blank."""
    log_probs = np.full((len(names), len(UNITS)), -price, np.float32)
    for step, name in enumerate(names):
        log_probs[step, encode([name])[0] if name else BLANK] = 0.0
    return log_probs


def doubt(log_probs: LogProbs, *ways: tuple[str, ...]) -> float:
    return Spotter(lambda samples: log_probs, ways or (STOP,)).doubt(ANY)


@pytest.mark.parametrize(
    "names",
    [
        STOP,
        ("", "S", "", "T", "AA", "AA", "", "P", ""),
        ("B", "AH", "D", "IY", *STOP, "IH", "T"),
        ("S", "S", "T", "AA", "P", "S", "T"),
    ],
)
def test_the_word_anywhere_with_or_without_blanks_is_no_doubt(names: tuple[str, ...]) -> None:
    assert doubt(heard(*names)) == pytest.approx(0.0)


@pytest.mark.parametrize(
    ("names", "missing"),
    [
        (("", "T", "AA", "P"), 1),
        (("S", "T", "AE", "P"), 1),
        (("S", "T", "AA", "R", "T"), 1),
        (("", "SH", "AA", "P"), 2),
        (("P", "AA", "T", "S"), 4),
    ],
)
def test_a_sound_that_is_not_there_has_its_price(names: tuple[str, ...], missing: int) -> None:
    assert doubt(heard(*names)) == pytest.approx(6.0 * missing)


def test_the_likeliest_way_counts() -> None:
    log_probs = heard("HH", "AO", "L", "T")
    assert doubt(log_probs, STOP, ("HH", "AO", "L", "T")) == pytest.approx(0.0)
    assert doubt(log_probs) > 6.0


def test_faint_sounds_count_where_no_sound_is_less_likely() -> None:
    faint = np.full((8, len(UNITS)), 1e-3, np.float32)
    faint[:, BLANK] = 0.8
    faint[np.arange(0, 8, 2), encode(STOP)] = 0.16
    spotter = Spotter(lambda samples: np.log(faint), (STOP,))
    assert spotter.doubt(ANY) == pytest.approx(4 * np.log(5.0), rel=1e-4)
    assert spotter.doubt(ANY, less_blank=2.0) < 0.1


def test_no_sound_or_no_word_is_never() -> None:
    assert doubt(heard()) == NEVER
    assert Spotter(lambda samples: heard(*STOP), ()).doubt(ANY) == NEVER


def test_the_search_is_exact() -> None:
    rng = np.random.default_rng(5)
    log_probs = np.log(rng.dirichlet(np.full(len(UNITS), 0.3), size=6)).astype(np.float32)
    a, b = encode(("S", "T"))
    cost = log_probs.max(axis=1, keepdims=True) - log_probs
    best = NEVER
    for first, last in itertools.combinations(range(6), 2):
        for stay, leave in itertools.combinations_with_replacement(range(first + 1, last + 1), 2):
            path = [a] * (stay - first) + [BLANK] * (leave - stay) + [b] * (last + 1 - leave)
            best = min(best, float(sum(cost[first + i, unit] for i, unit in enumerate(path))))
    assert doubt(log_probs, ("S", "T")) == pytest.approx(best, rel=1e-5)
