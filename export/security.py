"""`everpaw security init | show`: the owner's key, which decides what a robot of theirs runs."""

import argparse
import getpass
import os
import sys
from pathlib import Path

from export import owner
from runtime.contracts.errors import TrustError
from runtime.contracts.keys import OWNER_PRIVATE, OWNER_PUBLIC, Keyring, keys_folder

PASSPHRASE = "EVERPAW_PASSPHRASE"
"""Environment variable that answers the question for a passphrase, for scripts"""
ADVICE = """Copy {private} to a place that does not burn with this machine: paper, or a stick in a drawer.
Who has it decides what your robots run; who loses it must put a new key on each robot by hand.
A robot needs {public} only: `everpaw flash jetson` brings it there."""


def main(argv: list[str] | None = None) -> int:
    """`everpaw security`."""
    parser = argparse.ArgumentParser(prog="everpaw security", description="The owner's key.")
    parser.add_argument("--keys", type=Path, help="folder of the keys (default: ~/.config/everpaw/keys)")
    whats = parser.add_subparsers(dest="what", required=True)
    init = whats.add_parser("init", help="make the owner's key, once")
    init.add_argument("--no-passphrase", action="store_true", help="anyone who copies the file may sign")
    whats.add_parser("show", help="the keys trusted here, with their fingerprints")
    args = parser.parse_args(argv)
    folder = args.keys or keys_folder()
    return _init(folder, args.no_passphrase) if args.what == "init" else _show(folder)


def _init(folder: Path, open_: bool) -> int:
    if (folder / OWNER_PRIVATE).exists():
        owner.create(folder)  # says that it is never overwritten, before anything is asked
    key = owner.create(folder, "" if open_ else _new_passphrase())
    print(key.fingerprint)
    print(ADVICE.format(private=folder / OWNER_PRIVATE, public=folder / OWNER_PUBLIC), file=sys.stderr)
    return 0


def _show(folder: Path) -> int:
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
