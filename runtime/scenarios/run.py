"""`everpaw eval scenarios`: play them all and tell what was not as expected; exit status 1 if anything."""

import argparse
import json
from contextlib import ExitStack
from functools import cache
from pathlib import Path

from runtime import starter
from runtime.contracts.errors import ScenarioError
from runtime.scenarios.aloud import aloud
from runtime.scenarios.play import Player, Result
from runtime.scenarios.script import load_all


def main(argv: list[str]) -> int:
    """`everpaw eval KIND`."""
    parser = argparse.ArgumentParser(
        prog="everpaw eval", description="Conversations, and what comes of them."
    )
    parser.add_argument("kind", choices=("scenarios",))
    parser.add_argument(
        "files", nargs="*", type=Path, metavar="FILE", help="the shipped ones where not given"
    )
    parser.add_argument("--only", metavar="TEXT", default="", help="only those whose names hold this")
    parser.add_argument("--text", action="store_true", help="leave out those that need a voice to speak them")
    parser.add_argument("--pack", type=Path, help="folder of a pack; the starter where not given")
    parser.add_argument("--json", action="store_true", help="one object a scenario on stdout")
    parser.add_argument("--show", action="store_true", help="print the conversations")
    args = parser.parse_args(argv)
    chosen = [one for one in load_all(args.files) if args.only in one.name]
    chosen = [one for one in chosen if not (args.text and one.needs_sound)]
    if not chosen:
        raise ScenarioError(f"no scenario is called {args.only!r}; leave --only out to see them all")
    failed = short = 0
    with ExitStack() as stack:
        pack = starter.load_pack(args.pack)
        player = Player(pack, cache(lambda: stack.enter_context(aloud(pack))))
        for scenario in chosen:
            result = player.play(scenario)
            failed += not result.as_known
            short += result.as_known and not result.passed
            _tell(result, as_json=args.json, show=args.show)
    if not args.json:
        passed = len(chosen) - failed - short
        print(f"{passed} of {len(chosen)} scenarios as expected, {short} known to fall short")
    return int(failed > 0)


def _tell(result: Result, *, as_json: bool, show: bool) -> None:
    if as_json:
        row = {
            "name": result.name,
            "turns": result.turns,
            "failures": result.failures,
            "falls_short": result.falls_short,
        }
        print(json.dumps(row, ensure_ascii=False), flush=True)
        return
    mark = "✗" if not result.as_known else "✓" if result.passed else "~"
    print(f"{mark} {result.name} ({result.turns} turns)", flush=True)
    if result.falls_short:
        known = "known to fall short" if not result.passed else "passes: take `falls_short` away"
        print(f"    {known}: {result.falls_short}")
    for failure in result.failures:
        print(f"    {failure}")
    if show:
        for person, pet in result.transcript:
            print(f"    person: {person}\n    pet:    {pet}")
