"""The long proofs of body and updates: `make torture`, or
`python -m tests.torture [NAME...] [--short] [--status]`.

Interrupted at any moment, the same line goes on where it was. At the end one table, and build/torture.json.
"""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from tests.torture import campaign, clock, frames, idle_life, living, mutants, noise, updates, without
from tests.torture.ledger import ROOT, Outcome, look, prove

PROOFS = {
    proof.name: proof
    for proof in (
        frames.PROOF,
        noise.PROOF,
        clock.PROOF,
        without.PROOF,
        mutants.PROOF,
        campaign.PROOF,
        updates.PROOF,
        idle_life.PROOF,
        living.PROOF,
    )
}


def main(argv: list[str] | None = None) -> int:
    args = _parse(argv)
    names = args.names or list(PROOFS)
    folder = args.out / "torture"
    try:
        outcomes = [
            look(PROOFS[name], folder, short=args.short)
            if args.status
            else prove(PROOFS[name], folder, short=args.short, fresh=args.fresh)
            for name in names
        ]
    except KeyboardInterrupt:
        print("\ninterrupted; the same line goes on from here", file=sys.stderr)
        return 130
    print(table(outcomes))
    report = args.out / f"torture{'-short' if args.short else ''}.json"
    report.parent.mkdir(parents=True, exist_ok=True)
    report.write_text(json.dumps([asdict(outcome) | {"ok": outcome.ok} for outcome in outcomes], indent=1))
    return int(not all(outcome.ok for outcome in outcomes))


def table(outcomes: list[Outcome]) -> str:
    lines = [f"{'proof':<10} {'':<7} {'pieces':>11} {'failed':>6}  what came out"]
    for row in outcomes:
        mark = "holds" if row.ok else "FAILS" if row.failed else "open"
        lines.append(f"{row.name:<10} {mark:<7} {f'{row.done}/{row.of}':>11} {row.failed:>6}  {row.figures}")
    return "\n".join(lines)


def _parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"of {', '.join(PROOFS)}; all where none is given"
    )
    parser.add_argument("--short", action="store_true", help="minutes instead of hours: what the tests run")
    parser.add_argument("--fresh", action="store_true", help="forget what was proved before")
    parser.add_argument("--status", action="store_true", help="only show what was proved so far")
    parser.add_argument(
        "--out", type=Path, default=ROOT / "build", help="folder of the ledgers and the report"
    )
    args = parser.parse_args(argv)
    if unknown := [name for name in args.names if name not in PROOFS]:
        parser.error(f"no proof is named {unknown[0]!r}; there are {', '.join(PROOFS)}")
    return args


if __name__ == "__main__":
    raise SystemExit(main())
