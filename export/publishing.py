"""`everpaw pack publish | widen | refresh | rotate`: the maker's side of updates.

`export.repository` is imported where it is used: it needs the extra `update`, the other words do not.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from export import owner
from export.security import ask_passphrase
from runtime import starter
from runtime.contracts.archive import opened
from runtime.contracts.keys import keys_folder

if TYPE_CHECKING:
    from export.repository import Signers

Work = Callable[[argparse.Namespace], int]


class Add(Protocol):
    """Adds a sub-command: its name, what it does, its help."""

    def __call__(self, name: str, work: Work, help: str) -> argparse.ArgumentParser: ...


def add_words(add: Add) -> None:
    publish = add("publish", _publish, "offer it to robots: a folder for any web server, or a stick")
    publish.add_argument("pack", type=Path)
    publish.add_argument("--notes", default="", help="what is new")
    widen = add("widen", _widen, "offer the same release to another share of the fleet")
    for word in (publish, widen):
        word.add_argument("--channel", default="stable")
        word.add_argument("--percent", type=int, choices=range(101), metavar="0..100", default=100)
    refresh = add("refresh", _refresh, "sign again that this is the newest; once a month, by a timer")
    rotate = add("rotate", _rotate, "a new online key, or (--new-keys) a new owner")
    rotate.add_argument("--new-keys", type=Path, help="folder of the new owner's keys")
    for word in (publish, widen, refresh, rotate):
        word.add_argument("--repo", type=Path, required=True, help="folder of the update repository")


def _publish(args: argparse.Namespace) -> int:
    from export.repository import Repository, offer

    with opened(args.pack) as folder:
        pack = starter.load_pack(folder, args.keys)
        made = offer(pack.manifest.name, args.channel, args.percent, args.notes)
        release = Repository(args.repo).publish(pack, _signers(args.keys), made)
    print(f"{args.repo}: {release.name} {release.version} on {release.channel} for {release.percent} %")
    return 0


def _widen(args: argparse.Namespace) -> int:
    from export.repository import Repository

    release = Repository(args.repo).widen(args.channel, args.percent, _signers(args.keys))
    print(f"{args.repo}: {release.name} {release.version} on {release.channel} for {release.percent} %")
    return 0


def _refresh(args: argparse.Namespace) -> int:
    from export.repository import Repository

    until = Repository(args.repo).refresh(owner.online(args.keys or keys_folder()))
    print(f"{args.repo}: good until {until:%Y-%m-%d}; do this again before")
    return 0


def _rotate(args: argparse.Namespace) -> int:
    from export.repository import Repository, Signers

    old = owner.load(args.keys or keys_folder(), ask_passphrase)
    if args.new_keys is None:
        online = owner.renew_online(args.keys or keys_folder())
        Repository(args.repo).rotate(old, Signers(old, online))
        print("robots follow at their next look; the online key of before is worth nothing")
        return 0
    Repository(args.repo).rotate(old, _signers(args.new_keys))
    print("robots follow at their next look; each must also be told to trust packs of the new key")
    return 0


def _signers(keys: Path | None) -> "Signers":
    from export.repository import Signers

    folder = keys or keys_folder()
    return Signers(owner.load(folder, ask_passphrase), owner.online(folder))
