"""`everpaw`: one table of sub-commands, each loaded only when it is called.

Data goes to stdout, talk to stderr. An error a user can mend prints as one line and exits with 1.
"""

import argparse
import importlib
import logging
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

from runtime.contracts.errors import EverpawError, MissingExtraError


@dataclass(frozen=True, slots=True)
class SubCommand:
    """Where a sub-command lives, which extra it needs beside the base install, and what it is for."""

    target: str
    """`module:function`; the function takes argv and returns the exit status"""
    extra: str
    help: str


OWN_PACKAGES = frozenset({"runtime", "firmware_bridge", "training", "export"})

COMMANDS: dict[str, SubCommand] = {
    "demo": SubCommand("runtime.demo.play:main", "cpu", "a whole conversation with a simulated robot"),
    "run": SubCommand("runtime.robot:main", "cpu", "the long-running robot"),
    "listen": SubCommand("runtime.listen:main", "cpu", "what the pet makes of sound files"),
    "say": SubCommand("runtime.chat:say", "cpu", "what the pet makes of typed words"),
    "chat": SubCommand("runtime.chat:main", "cpu", "a typed conversation with the pet"),
    "memory": SubCommand("runtime.mind.memory.command:main", "cpu", "what the pet knows of its people"),
    "privacy": SubCommand("runtime.privacy.command:main", "cpu", "what is kept of people"),
    "record": SubCommand("runtime.record:main", "cpu", "run, and keep a session of it in a folder"),
    "replay": SubCommand("runtime.replay:main", "cpu", "feed a session to one stage or all: what differs?"),
    "eval": SubCommand(
        "runtime.evals:main", "cpu", "how well it does: scenarios, memory, life, behaviour, ..."
    ),
    "bridge": SubCommand("firmware_bridge.bridge:main", "cpu", "between MQTT and the microcontroller"),
    "dashboard": SubCommand(
        "runtime.dashboard.command:main", "dashboard", "the owner's page, with the live twin"
    ),
    "metrics": SubCommand("runtime.eyes.metrics:main", "fleet", "all robots of a broker, for Prometheus"),
    "fleet": SubCommand(
        "runtime.eyes.load:main", "cpu", "simulated robots on one broker: what does it bear?"
    ),
    "wyoming": SubCommand(
        "runtime.neighbours.wyoming:main", "neighbours", "its name, ears and voice for Home Assistant"
    ),
    "openai": SubCommand(
        "runtime.neighbours.completions:main", "neighbours", "talk with the pet by the OpenAI API"
    ),
    "mcp": SubCommand("runtime.neighbours.mcp:main", "neighbours", "its skills as tools of a language model"),
    "body": SubCommand("firmware_bridge.body:main", "cpu", "calibrate, jog, play, watch; always disarms"),
    "petoi": SubCommand("firmware_bridge.petoi:main", "cpu", "a Petoi Bittle as a body, without guarantee"),
    "flash": SubCommand("firmware_bridge.flash.command:main", "flash", "put the firmware on a board"),
    "sim": SubCommand("firmware_bridge.sim:main", "cpu", "a simulated microcontroller on a pty"),
    "doctor": SubCommand("runtime.doctor:main", "cpu", "is everything there? a tick or a cross a line"),
    "bench": SubCommand("runtime.bench:main", "cpu", "latency and cost, measured here"),
    "clone": SubCommand("export.clone:main", "clone", "photos, recordings and notes become a twin"),
    "train": SubCommand(
        "training.recipes:main", "training", "wake, stop, asr, behaviour, mood, dialogue, reader, sounds"
    ),
    "explain": SubCommand(
        "training.school.explain:main", "training", "why a classifier took a sentence for what it did"
    ),
    "export": SubCommand("export.models.command:main", "export", "a checkpoint as ONNX, proved and smaller"),
    "engines": SubCommand("runtime.engines.command:main", "cpu", "TensorRT engines, built on this machine"),
    "pack": SubCommand("export.command:main", "export", "build, sign, verify, compare and trust packs"),
    "update": SubCommand(
        "firmware_bridge.update.command:main", "update", "another pack, over the air or by hand"
    ),
    "security": SubCommand("export.security:main", "cpu", "the owner's key; who may use the broker"),
    "soul": SubCommand(
        "runtime.soul.command:main", "cpu", "a pet in one sealed file: along, in, rest, farewell"
    ),
    "schemas": SubCommand("runtime.schemas:main", "cpu", "JSON Schemas of all messages, for other languages"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one sub-command; returns its exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    parser = argparse.ArgumentParser(
        prog="everpaw",
        description="A digital clone of one particular pet, and the open robot that carries it.",
        epilog="`everpaw COMMAND --help` tells more.",
    )
    parser.add_argument("-v", "--verbose", action="store_true", help="say more on stderr")
    table = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, command in COMMANDS.items():
        table.add_parser(name, help=command.help, add_help=False)
    args, rest = parser.parse_known_args(words)
    logging.basicConfig(
        level=logging.INFO if args.verbose else logging.WARNING,
        format="everpaw: %(message)s",
        stream=sys.stderr,
    )
    return status_of(lambda: _run(COMMANDS[args.command], rest))


def status_of(run: Callable[[], int]) -> int:
    """The exit status of `run`; an error of the user's or the machine's is one line on stderr."""
    try:
        return run()
    except EverpawError as error:
        print(f"everpaw: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 1
    except OSError as error:
        if error.filename is None:
            raise
        where = error.filename2 or error.filename
        print(f"everpaw: {where}: {error.strerror}; check the path and who may write there", file=sys.stderr)
        return 1


def _run(command: SubCommand, argv: list[str]) -> int:
    module, _, function = command.target.partition(":")
    try:
        work = cast("Callable[[list[str]], int]", getattr(importlib.import_module(module), function))
        return work(argv)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] in OWN_PACKAGES:
            raise
        raise MissingExtraError(error.name, command.extra) from error


if __name__ == "__main__":
    sys.exit(main())
