"""`everpaw flash board list | auto | id:SERIAL | port:PATH | backup`, and `everpaw flash jetson`."""

import argparse
import json
import sys
from pathlib import Path

from firmware_bridge.flash import image, session
from firmware_bridge.flash.plan import KINDS
from firmware_bridge.jetson.command import main as jetson
from firmware_bridge.ports import find_ports, resolve
from firmware_bridge.trims import load_trims
from firmware_bridge.wiring import load_wiring
from runtime.contracts.errors import LinkError

BAR = 24


def main(argv: list[str] | None = None) -> int:
    """`everpaw flash`."""
    words = sys.argv[1:] if argv is None else argv
    if words[:1] == ["jetson"]:
        return jetson(words[1:])
    args = _parse(words)
    try:
        return _list() if args.which == "list" else _flash(args)
    except KeyboardInterrupt:
        _say("\ninterrupted; the board waits at its prompt, disarmed: type the same line again to go on")
        return 130


def _flash(args: argparse.Namespace) -> int:
    if args.which == "backup":
        if args.out is None:
            raise LinkError("backup needs a folder; add --out DIR")
        names = session.backup(resolve(args.port), args.out, _say)
        _say(f"{len(names)} files in {args.out}")
        return 0
    path = resolve(args.which)
    if args.micropython:
        if args.dry_run:
            _say(f"would write {args.micropython} first")
        else:
            _say(image.flash_image(args.micropython, path, args.drive))
    trims = load_trims(args.trims) if args.trims else ()
    wiring = load_wiring(args.wiring) if args.wiring else None
    outcome = session.flash(session.Job(path, args.board, trims, wiring, args.dry_run), _say, _progress)
    verb = "would write" if args.dry_run else "wrote and read back"
    _say(f"{outcome.kind}: {verb} {len(outcome.written)} files; {len(outcome.kept)} were there")
    row = {"port": path, "board": outcome.kind, "written": outcome.written, "kept": outcome.kept}
    if outcome.hello is not None:
        _say(f"HELLO: {session.describe(outcome.hello)}")
        row |= {"firmware": outcome.hello.firmware_hash.hex(), "limits": outcome.hello.limits.hex()}
    print(json.dumps(row))
    return 0


def _list() -> int:
    ports = find_ports()
    for port in ports:
        name = f"id:{port.serial_number}" if port.serial_number else f"port:{port.path}"
        print(f"{name:<28} {port.path:<44} {port.kind or 'unknown'}")
    if not ports:
        _say("no USB serial port is there; plug a board in")
    return 0


def _progress(name: str, done: int, total: int) -> None:
    """One bar a file, on stderr; where that is no terminal, one line a file."""
    if sys.stderr.isatty():
        filled = BAR * done // max(total, 1)
        end = "\n" if done == total else ""
        print(f"\r{name:<22} [{'#' * filled:<{BAR}}] {done}/{total}", end=end, file=sys.stderr, flush=True)
    elif done == total:
        _say(f"{name}: {total} bytes")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="everpaw flash", description="Put the firmware on a board.")
    whats = parser.add_subparsers(dest="what", required=True)
    whats.add_parser("jetson", help="the robot's computer: the first install; `everpaw flash jetson --help`")
    board = whats.add_parser("board", help="the microcontroller")
    board.add_argument("which", nargs="?", default="auto", help="list, auto, id:SERIAL, port:PATH or backup")
    board.add_argument(
        "--board", default="", choices=["", *(kind.name for kind in KINDS)], help="refuse others"
    )
    board.add_argument("--dry-run", action="store_true", help="say what would be written")
    board.add_argument("--port", default="auto", help="backup: auto, id:SERIAL or port:PATH")
    board.add_argument("--out", type=Path, help="backup: a new folder")
    board.add_argument("--trims", type=Path, help="servo trims that `everpaw body calibrate` wrote")
    board.add_argument("--wiring", type=Path, help="TOML of what is wired otherwise; see docs/wiring.md")
    board.add_argument("--micropython", type=Path, help="first put this image (.uf2, .bin) on the board")
    board.add_argument("--drive", type=Path, help="folder of a board in UF2 boot mode")
    return parser.parse_args(argv)
