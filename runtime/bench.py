"""`everpaw bench`: figures measured here and now, never asserted.

latency   commands and open questions in real time, from the acoustic end of the last word
barge-in  talking over the pet in echoing rooms: who is heard, and how soon it is silent
cost      start-up, idle share of one core, memory, and each model's time beside the bare onnxruntime session
"""

import argparse
import json
import sys
from collections.abc import Callable
from typing import Any

from runtime.contracts.errors import ConfigError

Figures = dict[str, Any]


def percentiles(values: list[float]) -> dict[str, float | int | None]:
    """p50, p95 and n; None where nothing was measured."""
    ordered = sorted(values)
    return {"p50": _at(ordered, 0.5), "p95": _at(ordered, 0.95), "n": len(ordered)}


def _at(ordered: list[float], share: float) -> float | None:
    if not ordered:
        return None
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return round(ordered[low] + (ordered[high] - ordered[low]) * (place - low), 1)


def main(argv: list[str]) -> int:
    """`everpaw bench KIND`."""
    from runtime import cost, interruption, latency

    kinds: dict[str, Callable[[argparse.Namespace], Figures]] = {
        "latency": latency.measure,
        "barge-in": interruption.measure,
        "cost": cost.measure,
    }
    parser = argparse.ArgumentParser(prog="everpaw bench", description=__doc__.split("\n")[0])
    parser.add_argument("kind", choices=sorted(kinds))
    parser.add_argument("--json", action="store_true", help="one object on stdout")
    parser.add_argument(
        "--offline", action="store_true", help="barge-in: the ears alone, without a clock, many times faster"
    )
    parser.add_argument("--rounds", type=int, default=1, help="latency, barge-in: how often all is said")
    args = parser.parse_args(argv)
    if args.rounds < 1:
        raise ConfigError(f"--rounds {args.rounds}: give 1 or more")
    if args.offline and args.kind != "barge-in":
        raise ConfigError(f"--offline is for barge-in; bench {args.kind} needs a clock")
    figures = kinds[args.kind](args)
    print(json.dumps(figures) if args.json else _table(args.kind, figures))
    return 0


def progress(text: str) -> None:
    """A word on stderr while something long runs."""
    print(f"everpaw: {text}", file=sys.stderr, flush=True)


def _table(title: str, figures: Figures) -> str:
    lines = [title]
    for name, value in figures.items():
        if name.startswith("raw"):
            continue
        if isinstance(value, dict):
            lines.append(f"  {name:<24} " + "  ".join(f"{key} {_number(v)}" for key, v in value.items()))
        else:
            lines.append(f"  {name:<24} {_number(value)}")
    return "\n".join(lines)


def _number(value: object) -> str:
    if isinstance(value, dict):
        return "(" + " ".join(f"{key} {_number(v)}" for key, v in value.items()) + ")"
    return f"{value:g}" if isinstance(value, float) else str(value)
