"""The broker's part of `everpaw security`: issue, rotate, revoke, pair, join, audit."""

import argparse
import ssl
import sys
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from runtime.broker import broker_address, find_broker
from runtime.contracts.errors import TrustError
from runtime.contracts.topics import check_robot_id
from runtime.doctor import line_of
from runtime.security import bundle, control, door, mosquitto, pairing, roles
from runtime.security.audit import audit
from runtime.security.house import CLIENTS, KEEPER, REGISTER, SERVER, House, alone, check_name
from runtime.security.register import ANYWHERE, Register

AUTHORITY = "authority"


def add_parsers(whats: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Sub-commands; each sets `work`, a function of the parsed arguments."""
    kinds = [kind for kind in roles.KINDS if kind != "keeper"]
    issue = _parser(whats, "issue", _issue, "a certificate for another robot, page, viewer or home")
    issue.add_argument("name")
    issue.add_argument("--kind", choices=kinds, default="robot")
    issue.add_argument("--robot", action="append", default=[], help="whose topics; itself, or all")
    rotate = _parser(whats, "rotate", _rotate, "another certificate in the place of one")
    rotate.add_argument("name", help=f"a client, `{SERVER}`, or `{AUTHORITY}` for everybody's")
    revoke = _parser(whats, "revoke", _revoke, "take a certificate back, at once")
    revoke.add_argument("name")
    forget = _parser(whats, "forget", _forget, "clear what a broker still tells of a robot that is gone")
    forget.add_argument("robot", type=check_robot_id)
    forget.add_argument("--broker", type=broker_address, metavar="HOST:PORT", help="one without certificates")
    pair = _parser(whats, "pair", _pair, "a one-time code for a phone or a dashboard")
    pair.add_argument("name")
    pair.add_argument("--kind", choices=kinds, default="page")
    pair.add_argument("--robot", action="append", default=[], help="whose topics; all where not given")
    pair.add_argument("--pairing-port", type=int, default=door.PORT)
    join = _parser(whats, "join", _join, "get a certificate with such a code")
    join.add_argument("house", metavar="HOST[:PORT]")
    join.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new folder for it")
    join.add_argument("--code", help="asked for where not given")
    _parser(whats, "audit", _audit, "is the broker's side as it should be? exit 1 where not")


def _parser(
    whats: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    work: object,
    what: str,
) -> argparse.ArgumentParser:
    parser = whats.add_parser(name, help=what, description=what)
    parser.set_defaults(work=work)
    return parser


def make_broker(
    folder: Path, robots: list[str], listen: str | None, port: int | None, names: list[str]
) -> int:
    """`everpaw security init --robot ID`: what is missing is made, the rest stays."""
    now, robots = datetime.now(UTC), [check_robot_id(robot) for robot in robots]
    with alone(folder):
        if not (folder / REGISTER).exists():
            house = House.make(folder, _reached(Register(), listen, port, names), now)
        else:
            house = House.open(folder)
            house.register = _reached(house.register, listen, port, names)
            house.renew_server(now)
        for robot in robots:
            if house.register.valid(robot) is None:
                _give(house, robot, "robot", (robot,), now)
    print(
        f"broker: mosquitto -c {folder / mosquitto.CONFIG}\nits robots: mqtt.port = {house.register.port}, "
        f"mqtt.certificates = a copy of {folder / CLIENTS}/ID",
        file=sys.stderr,
    )
    return 0


def _reached(before: Register, listen: str | None, port: int | None, names: list[str]) -> Register:
    """The register with where its broker listens and how it is reached; what is not given stays."""
    at = [listen] if listen and listen not in ANYWHERE else []
    hosts = tuple(dict.fromkeys([*before.hosts, *at, *names]))
    port = before.port if port is None else port
    return before.changed(hosts=hosts, listen=listen or before.listen, port=port)


def _give(house: House, name: str, kind: roles.Kind, robots: tuple[str, ...], now: datetime) -> Path:
    place = house.issue(name, kind, robots, now)
    _tell(house, name, gone=False)
    print(place)
    return place


def _tell(house: House, name: str, *, gone: bool) -> None:
    row = next(row for row in reversed(house.register.issued) if row.name == name)
    orders = control.gone(row) if gone else control.entered(row)
    if not control.tell(house, orders):
        print("no broker of this house runs here; it will know at its next start", file=sys.stderr)


def _issue(args: argparse.Namespace) -> int:
    robots = tuple(args.robot or ([args.name] if args.kind == "robot" else []))
    with alone(args.broker_folder):
        house = House.open(args.broker_folder)
        if house.register.valid(args.name):
            raise TrustError(
                f"{args.name} has a certificate; for another: everpaw security rotate {args.name}"
            )
        _give(house, args.name, args.kind, robots, datetime.now(UTC))
    return 0


def _rotate(args: argparse.Namespace) -> int:
    now = datetime.now(UTC)
    with alone(args.broker_folder):
        house = House.open(args.broker_folder)
        if args.name == AUTHORITY:
            for place in house.rotate_authority(now):
                print(place)
            print("restart the broker, and bring every client its new folder", file=sys.stderr)
        elif args.name == SERVER:
            house.renew_server(now)
            control.reread(house.folder)
        else:
            print(house.rotate(args.name, now))
            _tell(house, args.name, gone=False)
    return 0


def _revoke(args: argparse.Namespace) -> int:
    with alone(args.broker_folder):
        house = House.open(args.broker_folder)
        row = house.revoke(args.name)
        _tell(house, args.name, gone=True)
        if row.kind == "robot" and find_broker(house.register.here, house.register.port, tls=_keeper(house)):
            control.forget(row.name, house.register.here, house.register.port, _keeper(house))
    return 0


def _keeper(house: House) -> ssl.SSLContext:
    return bundle.context(house.folder / CLIENTS / KEEPER)


def _forget(args: argparse.Namespace) -> int:
    if args.broker:
        count = control.forget(args.robot, *args.broker)
    else:
        house = House.open(args.broker_folder)
        count = control.forget(args.robot, house.register.here, house.register.port, _keeper(house))
    print(f"{count} retained messages of {args.robot} are gone", file=sys.stderr)
    return 0


def _pair(args: argparse.Namespace) -> int:
    # Before a code is shown: whoever types it must not find that it led to nothing.
    check_name(args.name)
    args.robot = [check_robot_id(robot) for robot in args.robot]
    with alone(args.broker_folder):
        house = House.open(args.broker_folder)
        if house.register.valid(args.name):
            raise TrustError(f"{args.name} is paired already; revoke it first, or give another name")

        def certify(asked: bytes) -> dict[str, str]:
            now = datetime.now(UTC)
            certificate = house.certify(args.name, args.kind, args.robot, now, asked)
            authority = (house.folder / mosquitto.AUTHORITY).read_text()
            port = str(house.register.port)
            return {"authority": authority, "certificate": certificate.decode(), "port": port}

        opened = door.open_door(house.register.listen, args.pairing_port)
        with closing(opened.server):
            offer = pairing.Offer(pairing.new_code(), time.monotonic, certify)
            print(f"{offer.code[:4]} {offer.code[4:]}", flush=True)
            print(
                f"on the phone or dashboard: everpaw security join HOST:{opened.port} --out DIR; "
                f"the code counts {pairing.CODE_LIFE_S / 60:.0f} minutes and {pairing.TRIES} tries",
                file=sys.stderr,
            )
            paired = opened.serve(offer, lambda why: _refused(house, args.name, why))
        if not paired:
            raise TrustError(f"nobody was paired: {offer.over}")
        house.note("paired", name=args.name)
        _tell(house, args.name, gone=False)
    return 0


def _refused(house: House, name: str, why: str) -> None:
    house.note("pairing refused", name=name, why=why)
    print(f"everpaw: {why}", file=sys.stderr)


def _join(args: argparse.Namespace) -> int:
    host, port = _host_and_port(args.house)
    told = door.join(host, port, args.code or _ask_code(), args.out)
    print(f"mqtt.port = {told['port']}\nmqtt.certificates = {str(args.out)!r}")
    return 0


def _host_and_port(text: str) -> tuple[str, int]:
    """ "pets.local", "192.168.1.20:8884" or "[fe80::1]:8884"."""
    try:
        found = urlsplit(f"//{text}")
        port = found.port or door.PORT
    except ValueError as error:
        raise TrustError(f"{text!r} is no HOST[:PORT] ({error})") from error
    return found.hostname or "", port


def _ask_code() -> str:
    print("code: ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline()


def _audit(args: argparse.Namespace) -> int:
    findings = list(audit(House.open(args.broker_folder), datetime.now(UTC)))
    for finding in findings:
        print(line_of(finding))
    return int(any(not f.well and f.weight == "needed" for f in findings))
