"""How long an input may be: a profile for every open axis, and an example to try a model with.

An engine is made for a range; an axis without one is an error, never a guess.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from runtime.contracts.errors import ConfigError

Shape = tuple[int, ...]
Axes = Mapping[str, list[int | str | None]]
Span = tuple[int, int, int]
"""(least, usual, most)"""
_READ: Span = (1, 32, 512)
"""Tokens at once"""
_PAST: Span = (0, 64, 511)
SPANS: dict[tuple[str, int], Span] = {
    ("input_ids", 1): _READ,
    ("token_type_ids", 1): _READ,
    ("position_ids", 1): _READ,
    ("attention_mask", 1): (1, 96, 1_023),
    ("past_key_values", 2): _PAST,
    ("features", 1): (8, 200, 3_000),
    ("input_values", 1): (800, 32_000, 160_000),
}
"""(input, axis): tokens, frames of 10 ms, samples at 16 kHz. The first axis is one: a robot hears and answers
one at a time"""


class Profile(BaseModel):
    """The shapes of one input that an engine is made for."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    least: Shape
    usual: Shape
    most: Shape


def profiles(axes: Axes, own: Mapping[str, Span] | None = None) -> dict[str, Profile]:
    """A profile for each input with an open axis; `own` spans by the axis's name come first.

    ConfigError names the axis that nobody gave a span.
    """
    found = {}
    for name, shape in axes.items():
        if all(isinstance(n, int) for n in shape):
            continue
        spans = [_span(name, axis, n, own or {}) for axis, n in enumerate(shape)]
        least, usual, most = (tuple(span[i] for span in spans) for i in range(3))
        found[name] = Profile(least=least, usual=usual, most=most)
    return found


def _span(name: str, axis: int, size: int | str | None, own: Mapping[str, Span]) -> Span:
    if isinstance(size, int):
        return size, size, size
    known = own.get(str(size)) or SPANS.get((name.partition(".")[0], axis))
    if known or axis == 0:
        return known or (1, 1, 1)
    called = size or name
    raise ConfigError(f"axis {axis} of {name} has no span; give --span '{called}=LEAST,USUAL,MOST'")


def example(
    axes: Axes, types: Mapping[str, type[np.generic]], seed: int = 0
) -> dict[str, npt.NDArray[np.generic]]:
    """Inputs of the usual size: noise, small numbers, an unbroken mask, an empty past."""
    rng = np.random.default_rng(seed)
    known, found = profiles(axes), {}
    for name, shape in axes.items():
        size = known[name].usual if name in known else tuple(int(n) for n in shape if n is not None)
        if name.startswith("past_key_values."):
            size = (*size[:2], 0, *size[3:])
        found[name] = _values(name, size, types[name], rng, known)
    return found


def _values(
    name: str, size: Shape, kind: type[np.generic], rng: np.random.Generator, known: Mapping[str, Profile]
) -> npt.NDArray[np.generic]:
    if name == "attention_mask" and "input_ids" in known:
        return np.ones(known["input_ids"].usual, kind)
    if name == "position_ids":
        return np.broadcast_to(np.arange(size[-1]), size).astype(kind)
    if np.issubdtype(kind, np.integer):
        return rng.integers(0, 16, size).astype(kind)
    return rng.normal(size=size).astype(kind)
