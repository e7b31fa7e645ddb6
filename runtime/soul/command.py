"""`everpaw soul`: take a pet along, look into it, bring it into another robot; let it rest; say farewell."""

import argparse
import getpass
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from runtime import starter
from runtime.actions import actions_of, sure, text_of
from runtime.contracts.config import RobotConfig, load_config
from runtime.contracts.errors import ConfigError
from runtime.data_folder import in_use
from runtime.privacy import erasing, portable
from runtime.privacy.holdings import Holdings
from runtime.soul import soul
from runtime.soul.place import RESTS

Row = dict[str, Any]


def main(argv: list[str]) -> int:
    """`everpaw soul ACTION`."""
    args = _parser().parse_args(argv)
    config = load_config(RobotConfig, args.config, args.set)
    work: Callable[[argparse.Namespace, RobotConfig, Holdings], Row] = args.work
    row = work(args, config, Holdings.of(config))
    print(
        json.dumps(row, ensure_ascii=False) if args.json else "  ".join(f"{k}: {v}" for k, v in row.items())
    )
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="everpaw soul", description="Who a pet is, in one sealed file: card, memory, drives, mood."
    )
    action = actions_of(parser, "one object on stdout")

    def of_file(name: str, work: Callable[..., Row], what: str) -> argparse.ArgumentParser:
        part = action(name, work, what)
        part.add_argument("file", type=Path, metavar="NAME.soul")
        part.add_argument("--passphrase-file", type=Path, help="read it from here; asked for where not given")
        return part

    of_file("export", _export, "write the soul of this robot's pet, sealed under a passphrase")
    of_file("show", _show, "who is in a soul file")
    one = of_file("import", _import, "bring a soul into this robot")
    one.add_argument("--replace", action="store_true", help="in place of the life that is lived here")
    action("rest", _rest, "it does not start any more, until it is woken; nothing is lost")
    action("wake", _wake, "it may start again")
    one = of_file("farewell", _farewell, "write its soul, then erase it from this robot, with proof")
    one.add_argument("--yes", action="store_true", help="do not ask")
    return parser


def _export(args: argparse.Namespace, config: RobotConfig, held: Holdings) -> Row:
    persona = soul.persona_of(held, starter.load_pack(config.pack.path, config.pack.keys))
    size = soul.take_along(held, config.robot_id, persona, args.file, _passphrase(args, again=True))
    return {"soul": str(args.file), "bytes": size}


def _show(args: argparse.Namespace, config: RobotConfig, held: Holdings) -> Row:
    with soul.opened(args.file, _passphrase(args)) as folder:
        persona = soul.persona_in(folder)
        facts = len(json.loads((folder / portable.FACTS).read_bytes()))
        life = folder / portable.LIFE
        lived = json.loads(life.read_bytes()) if life.exists() else None
    days = round(lived["kept"]["state"]["age_s"] / 86_400, 1) if lived else 0
    return {
        "name": persona.name,
        "life": persona.life,
        "card": len(persona.card),
        "facts": facts,
        "days": days,
    }


def _import(args: argparse.Namespace, config: RobotConfig, held: Holdings) -> Row:
    with in_use(held.folder, alone=True):
        return dict(soul.bring_in(held, args.file, _passphrase(args), replace=args.replace))


def _rest(args: argparse.Namespace, config: RobotConfig, held: Holdings) -> Row:
    held.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    (held.folder / RESTS).touch()
    return {"rests": True, "wake": "everpaw soul wake"}


def _wake(args: argparse.Namespace, config: RobotConfig, held: Holdings) -> Row:
    (held.folder / RESTS).unlink(missing_ok=True)
    return {"rests": False}


def _farewell(args: argparse.Namespace, config: RobotConfig, held: Holdings) -> Row:
    """The archive first, opened once to be sure; only then is anything erased."""
    with in_use(held.folder, alone=True):
        row = _export(args, config, held)
        if not args.yes and not sure(f"Its soul is in {args.file}. Erase it from this robot? [y/N] "):
            return row | {"erased": False}
        found = erasing.erase(held)
        _wake(args, config, held)
    return row | {"erased": True, "searched_for": found.needles, "files": found.files, "hits": found.hits}


def _passphrase(args: argparse.Namespace, *, again: bool = False) -> str:
    if args.passphrase_file is not None:
        return text_of(args.passphrase_file).rstrip("\n")
    if not sys.stdin.isatty():
        raise ConfigError("no terminal to ask for the passphrase; give --passphrase-file FILE")
    word = getpass.getpass("Passphrase: ")
    if again and getpass.getpass("Once more: ") != word:
        raise ConfigError("the two are not the same; nothing was written")
    return word
