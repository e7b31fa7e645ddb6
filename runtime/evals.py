"""`everpaw eval KIND`: which kind is told by which module."""

import argparse
import importlib
from collections.abc import Callable
from typing import cast

from runtime.contracts.errors import MissingExtraError

KINDS = {
    "scenarios": ("runtime.scenarios.run", "conversations as data, and what comes of them"),
    "early": ("runtime.scenarios.early", "is what is begun before the end what was meant?"),
    "memory": (
        "runtime.mind.memory.figures",
        "facts taught, asked for, never told: how often right?",
    ),
    "dialogue": ("training.dialogue.whole", "small talk, facts, probes: how the whole pet answers"),
    "behaviour": ("training.school.evaluate", "a checkpoint of `everpaw train behaviour` on sentences"),
    "mood": ("training.school.evaluate", "a checkpoint of `everpaw train mood` on sentences"),
    "life": ("runtime.life.report", "simulated days of the pet's own will"),
}


def main(argv: list[str]) -> int:
    """Hands all words on to the kind's own `main`."""
    parser = argparse.ArgumentParser(
        prog="everpaw eval",
        description="How well it talks, remembers and lives.",
        epilog="`everpaw eval KIND --help` tells more. "
        + "; ".join(f"{kind}: {what}" for kind, (_, what) in KINDS.items()),
        add_help=not argv or argv[0] not in KINDS,
    )
    parser.add_argument("kind", choices=tuple(KINDS))
    args, _ = parser.parse_known_args(argv)
    target = KINDS[args.kind][0]
    try:
        module = importlib.import_module(target)
    except ModuleNotFoundError as error:
        if not target.startswith("training.") or error.name is None or error.name.startswith("training"):
            raise
        raise MissingExtraError(error.name, "training") from error
    return cast("Callable[[list[str]], int]", module.main)(argv)
