"""How long files take for the same inputs, side by side on a machine that may be busy."""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

ROUNDS = 5
Name = TypeVar("Name")
Input = TypeVar("Input")


def in_turns_ms(
    runs: Mapping[Name, Callable[[Input], object]], inputs: Sequence[Input], rounds: int = ROUNDS
) -> dict[Name, float]:
    """Milliseconds of the median input, each at its best of all rounds.

    Every input is given to all in turn, so that other work of the machine falls on all alike.
    """
    best: dict[Name, list[float]] = {name: [float("inf")] * len(inputs) for name in runs}
    for _ in range(rounds):
        for number, one in enumerate(inputs):
            for name, run in runs.items():
                begun = time.perf_counter()
                run(one)
                took_ms = 1_000 * (time.perf_counter() - begun)
                best[name][number] = min(best[name][number], took_ms)
    return {name: statistics.median(times) for name, times in best.items()}
