"""`everpaw update install | look | status | resume | rollback | attend`."""

import argparse
import fcntl
import json
import secrets
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path

from firmware_bridge.mcu import protocol
from firmware_bridge.update import attend, health
from firmware_bridge.update.channel import Channel
from firmware_bridge.update.charge import cells
from firmware_bridge.update.install import Surroundings, Update
from firmware_bridge.update.rest import Rest, Watch
from firmware_bridge.update.services import restart
from firmware_bridge.update.slots import Slots
from firmware_bridge.update.source import open_source
from runtime.bus import Bus
from runtime.contracts import messages as m
from runtime.contracts.body import load_body
from runtime.contracts.config import RobotConfig, load_config
from runtime.contracts.errors import BusError, ConfigError, UpdateError
from runtime.contracts.keys import Keyring
from runtime.contracts.pack import MANIFEST_NAME
from runtime.contracts.release import METADATA
from runtime.contracts.requirements import Here

CONNECT_S = 2.0
YES = "yes"
STATUS_EXIT = {"rolled_back": 1}
"""Exit status by how an installation ended; 0 where not named"""


def main(argv: list[str] | None = None) -> int:
    """`everpaw update`."""
    args = _parse(argv)
    config = load_config(RobotConfig, args.config, args.set)
    slots = Slots(args.root or config.update.root)
    if args.what == "status":
        return _status(slots, args.json)
    if args.what == "attend":
        return attend.serve(slots, config, _words(args))
    with _alone(slots), _world(config, args) as world:
        update = Update(slots, world)
        work: Callable[[], str] = partial(args.work, update, slots, config, args)
        status = update.guarded(work)
    return STATUS_EXIT.get(status, 0) if args.what != "rollback" else 0


def _install(update: Update, slots: Slots, config: RobotConfig, args: argparse.Namespace) -> str:
    update.resume()
    given = args.source or config.update.repository
    if given is None:
        raise ConfigError("no repository: give one, a pack, or set update.repository in the settings")
    path = Path(given)
    if path.is_file() or (path / MANIFEST_NAME).is_file():
        if (
            not args.yes
            and _ask(f"Let {path} serve, if a key that is trusted here signed it? (yes/no) ") != YES
        ):
            raise UpdateError("unconfirmed", "not confirmed; nothing was changed")
        return update.from_pack(path)
    if path.is_dir() and not (path / METADATA).is_dir():
        raise ConfigError(f"{path} is neither a pack nor an update repository")
    insist = args.now or args.again
    channel = _channel(given, slots, config, args)
    return update.from_channel(channel, time.time(), _robot_key(slots), insist=insist)


def _look(update: Update, slots: Slots, config: RobotConfig, args: argparse.Namespace) -> str:
    given = args.source or config.update.repository
    if given is None:
        raise ConfigError("no repository: give one, or set update.repository in the settings")
    return update.look(_channel(given, slots, config, args), time.time(), _robot_key(slots))


def _channel(given: str, slots: Slots, config: RobotConfig, args: argparse.Namespace) -> Channel:
    keyring = Keyring.load(args.keys or config.pack.keys)
    return Channel(open_source(given), args.channel or config.update.channel, slots, keyring)


def _resume(update: Update, _slots: Slots, _config: RobotConfig, _args: argparse.Namespace) -> str:
    return update.resume() or "up_to_date"


def _rollback(update: Update, _slots: Slots, _config: RobotConfig, _args: argparse.Namespace) -> str:
    return update.rollback()


def _status(slots: Slots, as_json: bool) -> int:
    record = slots.record()
    facts = record.model_dump(exclude={"robot_key", "floor_s"}) | {"serving": slots.serving}
    if as_json:
        print(json.dumps(facts))
        return 0
    print(
        f"serving   {slots.serving or 'nothing yet'}"
        + (f", version {record.version}" if record.version else "")
    )
    print(f"before    {record.previous or 'nothing'}")
    if record.offered:
        print(f"offered   {record.offered.release}, {record.offered.name} {record.offered.version}")
        print(f"board     {_board(record.offered.mcu_firmware)}")
    if record.trial:
        print(f"on trial  {record.trial.release}, {record.trial.tries} looks so far")
    for release, why in record.refused.items():
        print(f"refused   {release[:12]}  {why}")
    for name, value in record.figures.items():
        print(f"{name:<9} {value:.0f}")
    return 0


def _board(wanted: int | None) -> str:
    """What the offered release wants on the microcontroller, beside what this everpaw brings."""
    here = protocol.FIRMWARE
    if wanted is None or wanted == here:
        return f"firmware {here}, as this everpaw flashes it"
    if wanted < here:
        return f"firmware {wanted} belonged with it; {here}, which this everpaw flashes, does too"
    cure = "update everpaw, then: everpaw flash board"
    return f"firmware {wanted} belongs with it, this everpaw brings {here}; {cure}"


def _robot_key(slots: Slots) -> str:
    """What the share of a fleet is drawn by; made once."""
    return slots.record().robot_key or slots.note(robot_key=secrets.token_hex(16)).robot_key


@contextmanager
def _alone(slots: Slots) -> Iterator[None]:
    """No second updater on this folder."""
    with (slots.root / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UpdateError("busy", f"another update works on {slots.root}; wait for its end") from error
        yield


@contextmanager
def _world(config: RobotConfig, args: argparse.Namespace) -> Iterator[Surroundings]:
    """Broker, services and doctor, as far as they are there."""
    body = load_body()
    watch = Watch(cells(body.cutoffs.supply_cut_mv))
    show = _Show()
    doctor = health.doctor([*(["--config", str(args.config)] if args.config else []), *_sets(args)])
    keys = args.keys or config.pack.keys
    with ExitStack() as stack:
        mqtt = config.mqtt
        bus = Bus(config.robot_id, mqtt.host, mqtt.port, certificates=mqtt.certificates)
        for name in watch.names:
            bus.subscribe(name, watch.take)
        try:
            stack.enter_context(closing(bus.connect(CONNECT_S)))
            rest = partial(watch.ask, config.update.least_charge_percent)
        except BusError:
            rest = partial(Rest, "", "no broker is there, so nothing can move")

        def tell(state: m.JobState) -> None:
            show(state)
            bus.publish("job/update", state)

        def serves(release: str, timeout_s: float) -> bool:
            return watch.wait(lambda: watch.pack_sha256 == release, timeout_s)

        yield Surroundings(
            tell=tell,
            rest=rest,
            restart=lambda release: restart(config.update.services, release, serves),
            examine=partial(health.examine, doctor, config.update.health_limit_s),
            here=Here.of(body, protocol.VERSION),
            keys=keys,
        )


def _words(args: argparse.Namespace) -> list[str]:
    """The options that every `everpaw update` takes, as they were given."""
    given = (("--config", args.config), ("--root", args.root), ("--keys", args.keys))
    words = [word for option, path in given if path is not None for word in (option, str(path))]
    return [*words, *(word for override in args.set for word in ("--set", override))]


def _sets(args: argparse.Namespace) -> list[str]:
    keys = [f"pack.keys={args.keys}"] if args.keys else []
    return [word for override in [*args.set, *keys] for word in ("--set", override)]


class _Show:
    """Job states as lines on stderr; a moving figure where that is a terminal."""

    def __call__(self, state: m.JobState) -> None:
        size = (
            f" {state.bytes_done:,} of {state.bytes_total:,} bytes" if state.status == "downloading" else ""
        )
        name = f" {state.release}" if state.release else ""
        line = f"{state.status}{name}{size}{': ' + state.detail if state.detail else ''}"
        moving = state.status == "downloading" and state.bytes_done < state.bytes_total
        if sys.stderr.isatty() and moving:
            print(f"\r{line}\033[K", end="", file=sys.stderr, flush=True)
        elif not moving:
            start = "\r\033[K" if sys.stderr.isatty() else ""
            if state.status not in ("refused", "failed"):  # the error itself says more
                print(f"{start}{line}", file=sys.stderr, flush=True)


def _ask(question: str) -> str:
    if not sys.stdin.isatty():
        raise UpdateError("unconfirmed", "no terminal to confirm on; --yes confirms it")
    print(question, end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip()


def _parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="everpaw update",
        description="Another pack for this robot: fetched, verified, tried, taken back where it is not well.",
    )
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--config", type=Path, help="robot.toml; defaults where not given")
    common.add_argument("--set", action="append", default=[], metavar="A.B=C", help="change one setting")
    common.add_argument("--root", type=Path, help="where releases are kept (default: update.root)")
    common.add_argument("--keys", type=Path, help="folder of the keys that are trusted (default: pack.keys)")
    whats = parser.add_subparsers(dest="what", required=True)
    install = whats.add_parser("install", parents=[common], help="from a repository, or a signed pack")
    install.add_argument(
        "source", nargs="?", help="http(s)://, file:// or folder of a repository; PACK or NAME.paw"
    )
    install.add_argument("--channel", help="of the repository (default: update.channel)")
    install.add_argument("--now", action="store_true", help="do not wait until this robot is drawn")
    install.add_argument("--again", action="store_true", help="even if it failed here before")
    install.add_argument("--yes", action="store_true", help="a pack by hand: do not ask")
    install.set_defaults(work=_install)
    resume = whats.add_parser("resume", parents=[common], help="end a trial that a power cut interrupted")
    resume.set_defaults(work=_resume)
    rollback = whats.add_parser("rollback", parents=[common], help="back to the release before")
    rollback.set_defaults(work=_rollback)
    look = whats.add_parser("look", parents=[common], help="what the repository offers; nothing is fetched")
    look.add_argument("source", nargs="?", help="another repository than update.repository")
    look.add_argument("--channel", help="of the repository (default: update.channel)")
    look.set_defaults(work=_look)
    whats.add_parser("attend", parents=[common], help="do what the owner's page asks for; stays")
    status = whats.add_parser("status", parents=[common], help="what serves, and what was refused")
    status.add_argument("--json", action="store_true", help="one object")
    return parser.parse_args(argv)
