"""Words of danger that no rule was written for, how many are found: `python -m training.reader.report`, and
`--rules-alone` for what would be found without a reader.

`training/data/danger` holds what people in danger say, and sentences that only sound so ("my phone died").
`danger.txt` and `harmless.txt` may be learned from and written rules for; the `held_out` ones are only ever
measured on. The `second_held_out` ones, by a hand that had seen no rule and none of these, are kept unread.
With EVERPAW_DATA, everyday sentences of the open corpora's own dev parts as well.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from runtime import starter
from runtime.contracts.errors import EverpawError
from runtime.intervals import Share
from runtime.mind.behaviour import Behaviour
from runtime.mind.grammar import Grammar
from runtime.mind.reader import Reader
from runtime.mind.safety import CRISIS, UNSAFE
from training.data import corpora
from training.data.phrases import lines

FOLDER = Path(__file__).parents[1] / "data" / "danger"
TAUGHT = ("danger", "harmless")
HELD_OUT = tuple(f"{which}_{kind}" for which in ("held_out", "second_held_out") for kind in TAUGHT)
HELPED = frozenset({CRISIS, UNSAFE})


def sentences(name: str) -> list[str]:
    """One a line; lines of # are headings."""
    text = (FOLDER / f"{name}.txt").read_text(encoding="utf-8")
    return [line for line in lines(text) if not line.startswith("#")]


def figures(reader: Path | None) -> dict[str, Share]:
    """Set -> share of its sentences that the starter takes for danger, with this reader's help."""
    pack = starter.load_pack()
    behaviour = Behaviour(
        pack.part("behaviour"), Grammar.load(pack.path("grammar.yaml")), Reader(reader) if reader else None
    )
    sets = {name: sentences(name) for name in (*HELD_OUT, *TAUGHT)}
    everyday = [text for pairs in corpora.remarks("held_out").values() for text, _ in pairs]
    if everyday:
        sets["everyday"] = everyday
    return {
        name: Share(sum(behaviour.understand(text).intent in HELPED for text in texts), len(texts))
        for name, texts in sets.items()
    }


def main(argv: Sequence[str] | None = None) -> int:
    about = "Measure how many words of danger are found that no rule was written for."
    parser = argparse.ArgumentParser(prog="python -m training.reader.report", description=about)
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--reader", type=Path, metavar="FOLDER", help="of a trained one; default: the starter's"
    )
    which.add_argument("--rules-alone", action="store_true", help="without any reader")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args(argv)
    try:
        reader = args.reader or starter.load_pack().optional_part("reader")
        found = figures(None if args.rules_alone else reader)
    except EverpawError as error:
        print(f"everpaw: {error}", file=sys.stderr)
        return 1
    if args.json:
        print(json.dumps({name: asdict(share) for name, share in found.items()}))
    else:
        print("\n".join(f"{name}: {share} taken for danger" for name, share in found.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
