"""`everpaw bench`: figures measured here and now, never asserted, each beside a peer in the same run.

latency   commands and open questions in real time, from the acoustic end of the last word; beside the same
          parts with a fixed endpoint and nothing begun early
barge-in  talking over the pet in echoing rooms: who is heard, and how soon it is silent; beside itself as
          a half-duplex robot
cost      start-up, idle share of one core, memory, and each model's time beside the bare onnxruntime session
day       a day of talk in minutes: does anything grow or slow down? exit status 1 if so
all       one after the other
"""

import argparse
import importlib
import json
import os
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from runtime.contracts.errors import ConfigError

Figures = dict[str, Any]
KINDS = {
    "latency": "runtime.latency",
    "barge-in": "runtime.interruption",
    "cost": "runtime.cost",
    "day": "runtime.day",
}
"""Kind -> module with `measure(args) -> Figures`, in the order of `all`"""
ALL = "all"
_LONGEST_H = 1_000
BUSY = 0.5
"""Load a core from which on times tell of the other programs too"""


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


def ratio(ours: float | None, peer: float | None) -> float | None:
    """Ours as a multiple of the peer's; None where one was not measured."""
    return None if ours is None or not peer else round(ours / peer, 3)


def main(argv: list[str]) -> int:
    """`everpaw bench KIND`."""
    args = _parse(argv)
    before = _read(args.against) if args.against else None
    kinds = list(KINDS) if args.kind == ALL else [args.kind]
    figures: Figures = {"machine": machine()}
    if figures["machine"]["load"] > BUSY * figures["machine"]["cores"]:
        progress(f"this machine is busy (load {figures['machine']['load']}); times will tell of that too")
    for number, kind in enumerate(kinds, 1):
        progress(f"bench {kind} ({number} of {len(kinds)})")
        began_s = time.monotonic()
        measure = cast(
            "Callable[[argparse.Namespace], Figures]", importlib.import_module(KINDS[kind]).measure
        )
        figures[kind] = measure(args)
        figures[kind]["minutes"] = round((time.monotonic() - began_s) / 60, 1)
        if args.json != "-":
            print(table(kind, figures[kind]), flush=True)
    _keep(args, figures)
    if before is not None:
        print("\n".join(compared(before, figures)))
    return int(bool(figures.get("day", {}).get("grew")))


def _parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="everpaw bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("kind", choices=[*KINDS, ALL])
    parser.add_argument(
        "--json", nargs="?", const="-", metavar="FILE", help="one object, on stdout or into FILE"
    )
    parser.add_argument("--against", type=Path, metavar="FILE", help="an earlier --json FILE: what changed?")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="latency: a picture of how it is spread")
    parser.add_argument(
        "--no-peers", action="store_true", help="latency: this pet alone, in a third of the time"
    )
    parser.add_argument(
        "--offline", action="store_true", help="barge-in: the ears alone, without a clock, many times faster"
    )
    parser.add_argument("--rounds", type=int, default=1, help="latency, barge-in: how often all is said")
    parser.add_argument("--hours", type=float, default=24.0, help="day: how long it is")
    parser.add_argument("--turns", type=int, default=480, help="day: lines that people say")
    args = parser.parse_args(argv)
    for name in ("rounds", "turns"):
        if getattr(args, name) < 1:
            raise ConfigError(f"--{name} {getattr(args, name)}: give 1 or more")
    if not 0 < args.hours <= _LONGEST_H:
        raise ConfigError(f"--hours {args.hours}: give more than 0, at most {_LONGEST_H}")
    if args.offline and args.kind != "barge-in":
        raise ConfigError(f"--offline is for barge-in; bench {args.kind} needs a clock")
    if args.plot is not None and args.kind not in ("latency", ALL):
        raise ConfigError(f"--plot draws latency; bench {args.kind} has no picture")
    return args


def machine() -> Figures:
    """What the figures were measured on."""
    return {
        "cores": os.cpu_count() or 1,
        "load": round(os.getloadavg()[0], 1),
        "architecture": platform.machine(),
        "python": platform.python_version(),
    }


def _keep(args: argparse.Namespace, figures: Figures) -> None:
    if args.plot is not None:
        from runtime.latency_plot import draw

        draw(figures["latency"], args.plot)
        progress(f"the picture stands in {args.plot}")
    if args.json == "-":
        print(json.dumps(figures))
    elif args.json:
        Path(args.json).write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
        progress(f"the figures stand in {args.json}")


def _read(path: Path) -> Figures:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"--against {path}: {error}; give a file that `bench --json FILE` wrote") from error
    if not isinstance(found, dict) or "machine" not in found:
        raise ConfigError(f"--against {path}: no figures in it; give a file that `bench --json FILE` wrote")
    return found


def compared(before: Figures, now: Figures) -> list[str]:
    """A line for every number that both have: was, is, how many times as much."""
    was, is_now = dict(_numbers(before)), dict(_numbers(now))
    lines = [f"{'against the earlier run':<58} {'was':>9} {'is':>9} {'times':>7}"]
    for name in (name for name in is_now if name in was):
        times = ratio(is_now[name], was[name])
        lines.append(f"{name:<58} {was[name]:>9g} {is_now[name]:>9g} {'-' if times is None else times:>7}")
    return lines


def _numbers(figures: Figures, prefix: str = "") -> list[tuple[str, float]]:
    found: list[tuple[str, float]] = []
    for name, value in figures.items():
        if name.startswith("raw"):
            continue
        if isinstance(value, dict):
            found += _numbers(value, f"{prefix}{name}.")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            found.append((f"{prefix}{name}", value))
    return found


def progress(text: str) -> None:
    """A word on stderr while something long runs."""
    print(f"everpaw: {text}", file=sys.stderr, flush=True)


def table(title: str, figures: Figures) -> str:
    """The figures as lines to read."""
    lines = [title]
    for name, value in figures.items():
        if name.startswith("raw"):
            continue
        if isinstance(value, dict):
            lines.append(f"  {name:<24} " + "  ".join(f"{key} {_shown(v)}" for key, v in value.items()))
        else:
            lines.append(f"  {name:<24} {_shown(value)}")
    return "\n".join(lines)


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return "(" + " ".join(f"{key} {_shown(v)}" for key, v in value.items()) + ")"
    return f"{value:g}" if isinstance(value, float) else str(value)
