"""`everpaw security`: the owner's key, which decides what a robot runs, and who may use its broker."""

import argparse
import getpass
import os
import sys
from collections.abc import Callable
from pathlib import Path

from export import owner
from runtime.contracts.errors import TrustError
from runtime.contracts.keys import OWNER_PRIVATE, OWNER_PUBLIC, Keyring, keys_folder
from runtime.security.command import add_parsers, make_broker
from runtime.security.house import default_folder

PASSPHRASE = "EVERPAW_PASSPHRASE"
"""Environment variable that answers the question for a passphrase, for scripts"""
ADVICE = """Copy {private} to a place that does not burn with this machine: paper, or a stick in a drawer.
Who has it decides what your robots run; who loses it must put a new key on each robot by hand.
A robot needs {public} only: `everpaw flash jetson` brings it there."""


def main(argv: list[str] | None = None) -> int:
    """`everpaw security`."""
    args = _parser().parse_args(argv)
    work: Callable[[argparse.Namespace], int] = args.work
    return work(args)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="everpaw security", description="The owner's key, and who may use the broker."
    )
    parser.add_argument("--keys", type=Path, help="folder of the keys (default: ~/.config/everpaw/keys)")
    parser.add_argument(
        "--broker-folder",
        type=Path,
        default=default_folder(),
        metavar="DIR",
        help="the broker's authority and configuration (default: ~/.config/everpaw/broker)",
    )
    whats = parser.add_subparsers(dest="what", required=True)
    init = whats.add_parser("init", help="make the owner's key, once; with --robot the broker's side too")
    init.add_argument("--no-passphrase", action="store_true", help="anyone who copies the file may sign")
    init.add_argument(
        "--robot",
        action="append",
        default=[],
        metavar="ID",
        help="a certificate for it, and mosquitto's configuration",
    )
    init.add_argument("--listen", metavar="ADDRESS", help="of the broker (default: 127.0.0.1)")
    init.add_argument("--port", type=int, help="of the broker (default: 8883)")
    init.add_argument("--host", action="append", default=[], help="a name under which it is reached")
    init.set_defaults(work=_init)
    show = whats.add_parser("show", help="the keys trusted here, with their fingerprints")
    show.set_defaults(work=_show)
    add_parsers(whats)
    return parser


def _init(args: argparse.Namespace) -> int:
    folder = args.keys or keys_folder()
    if not args.robot:
        return _make_key(folder, args.no_passphrase)
    if not (folder / OWNER_PRIVATE).exists():
        _make_key(folder, args.no_passphrase)
    return make_broker(args.broker_folder, args.robot, args.listen, args.port, args.host)


def _make_key(folder: Path, open_: bool) -> int:
    if (folder / OWNER_PRIVATE).exists():
        owner.create(folder)  # says that it is never overwritten, before anything is asked
    key = owner.create(folder, "" if open_ else _new_passphrase())
    print(key.fingerprint)
    print(ADVICE.format(private=folder / OWNER_PRIVATE, public=folder / OWNER_PUBLIC), file=sys.stderr)
    return 0


def _show(args: argparse.Namespace) -> int:
    folder = args.keys or keys_folder()
    keys = list(Keyring.load(folder))
    for key in keys:
        print(f"{key.name:<16} {key.fingerprint}")
    if not keys:
        print(f"no key in {folder}; make one with `everpaw security init`", file=sys.stderr)
    return 0


def _new_passphrase() -> str:
    first = ask_passphrase("new passphrase (empty for none): ")
    if first and PASSPHRASE not in os.environ and getpass.getpass("once more: ") != first:
        raise TrustError("the two passphrases differ; nothing was made: try again")
    return first


def ask_passphrase(question: str = "passphrase of the owner's key: ") -> str:
    """From the terminal, or from EVERPAW_PASSPHRASE; TrustError where there is neither."""
    if PASSPHRASE in os.environ:
        return os.environ[PASSPHRASE]
    if not sys.stdin.isatty():
        raise TrustError(f"no terminal to ask for a passphrase; set {PASSPHRASE}, or use --no-passphrase")
    return getpass.getpass(question)
