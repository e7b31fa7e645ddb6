"""What commands with an ACTION have in common: `everpaw memory`, `privacy`, `soul`."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from runtime.contracts.errors import ConfigError

Action = Callable[[str, Callable[..., object], str], argparse.ArgumentParser]
"""Name, what does the work (`args.work`), help -> its parser, to which more may be added"""


def actions_of(parser: argparse.ArgumentParser, json_is: str) -> Action:
    """Adds sub-commands that take --json (`json_is`: what it prints), --config and --set."""
    actions = parser.add_subparsers(metavar="ACTION", required=True)

    def action(name: str, work: Callable[..., object], what: str) -> argparse.ArgumentParser:
        part = actions.add_parser(name, help=what, description=what)
        part.add_argument("--json", action="store_true", help=json_is)
        part.add_argument("--config", type=Path, help="robot.toml; defaults where not given")
        part.add_argument("--set", action="append", default=[], metavar="A.B=C", help="change one setting")
        part.set_defaults(work=work)
        return part

    return action


def sure(question: str) -> bool:
    """Whether the person says yes; silence is a no."""
    print(question, end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def text_of(path: Path) -> str:
    """A file that a person named; ConfigError where it is no text."""
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is no UTF-8 text ({error.reason} at byte {error.start})") from error
