"""`everpaw flash jetson USER@HOST | --mount DIR | --nvidia BOARD`: the first install."""

import argparse
import sys
import tempfile
from pathlib import Path

from firmware_bridge.jetson import joining, nvidia
from firmware_bridge.jetson.plan import FIRST_LINK, OPT, Install, files
from firmware_bridge.jetson.preflight import ASK, judge, read
from firmware_bridge.jetson.target import Files, Mounted, Payload, Ssh, Target
from runtime import starter
from runtime.contracts.archive import opened, write_archive
from runtime.contracts.errors import ConfigError, LinkError, TrustError
from runtime.contracts.keys import keys_folder
from runtime.contracts.topics import check_robot_id
from runtime.security.house import default_folder


def main(argv: list[str] | None = None) -> int:
    """`everpaw flash jetson`."""
    args = _parse(argv)
    if args.nvidia:
        print(nvidia.show(args.nvidia))
        return 0
    target = _target(args)
    with tempfile.TemporaryDirectory(prefix="everpaw-") as scratch:
        wanted = _wanted(args, Path(scratch))
        payload = dict(files(wanted))
        if not target.runs:
            payload[FIRST_LINK] = Payload(link="/etc/systemd/system/everpaw-first.service")
        _look(target, args.any_board)
        if wanted.joining and not args.dry_run:
            payload |= joining.certificate(wanted.joining)
        return _plan(payload, target) if args.dry_run else _install(payload, target)


def _target(args: argparse.Namespace) -> Target:
    if (args.host is None) == (args.mount is None):
        raise ConfigError("give USER@HOST of the running robot, or --mount DIR of its disk")
    return Ssh(args.host, args.ssh) if args.host else Mounted(args.mount)


def _wanted(args: argparse.Namespace, scratch: Path) -> Install:
    """The pack is checked here first: a robot that refuses it would be a long way off."""
    keys = args.keys or keys_folder()
    with opened(args.pack) as folder:
        pack = starter.load_pack(folder, keys)
        if pack.trust not in ("owner", "trusted"):
            raise TrustError(
                f"{args.pack} is not signed by a key of {keys}; type: everpaw pack sign {args.pack}"
            )
        paw = scratch / "first.paw"
        write_archive(folder, paw)
    joins = joining.plan(args.broker_folder, args.broker, args.robot_id) if args.broker else None
    return Install(
        args.robot_id, paw, keys, args.wheels, args.repository, args.channel, args.port, args.gpu, joins
    )


def _look(target: Target, any_board: bool) -> None:
    """Preflight; LinkError where something that is needed is not there."""
    findings = list(judge(read(target.ask(ASK)), runs=target.runs, any_board=any_board))
    for finding in findings:
        mark = "✓" if finding.well else "✗" if finding.weight == "needed" else "-"
        cure = "" if finding.well else f"  →  {finding.cure}"
        print(f"{mark} {finding.name:<12} {finding.seen}{cure}", file=sys.stderr)
    wrong = [finding for finding in findings if not finding.well and finding.weight == "needed"]
    if wrong:
        raise LinkError(f"{target.name}: {wrong[0].name} is not enough; nothing was changed: {wrong[0].cure}")


def _plan(payload: Files, target: Target) -> int:
    for path, file in payload.items():
        print(f"/{path}  -> {file.link}" if file.link else f"/{path}  {file.size:,} bytes")
    print(f"then: sh /{OPT}/setup" + ("" if target.runs else ", at the first start"))
    return 0


def _install(payload: Files, target: Target) -> int:
    total = sum(0 if file.link else file.size for file in payload.values())
    print(f"{len(payload)} files, {total:,} bytes to {target.name}", file=sys.stderr)
    target.send(payload)
    if target.runs:
        target.run(f"sh /{OPT}/setup")
        print("installed; the body stays disarmed until you arm it", file=sys.stderr)
    else:
        print(
            "put the disk back; the first start ends the install (journalctl -u everpaw-first)",
            file=sys.stderr,
        )
    return 0


def _parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="everpaw flash jetson", description="The first install on a robot.")
    parser.add_argument("host", nargs="?", metavar="USER@HOST", help="a running Jetson, reached by ssh")
    parser.add_argument("--mount", type=Path, metavar="DIR", help="its root file system, mounted here")
    parser.add_argument(
        "--nvidia",
        choices=sorted(nvidia.COMMANDS),
        help="show NVIDIA's own command for this board, do nothing",
    )
    parser.add_argument("--dry-run", action="store_true", help="look, and say what would be done")
    parser.add_argument("--pack", type=Path, default=Path("buddy.paw"), help="the first release, signed")
    parser.add_argument("--wheels", type=Path, default=Path("wheels"), help="folder with everpaw's wheel")
    parser.add_argument("--robot-id", default="buddy", type=check_robot_id)
    parser.add_argument("--port", default="auto", help="of the microcontroller, as the bridge takes it")
    parser.add_argument("--repository", default="", help="http(s):// address of updates")
    parser.add_argument("--channel", default="stable")
    parser.add_argument("--broker", metavar="ADDRESS", help="join the house's broker there, by a certificate")
    parser.add_argument("--broker-folder", type=Path, default=default_folder(), metavar="DIR")
    parser.add_argument("--gpu", action="store_true", help="CUDA, and TensorRT engines built at night")
    parser.add_argument("--keys", type=Path, help="folder of the keys (default: ~/.config/everpaw/keys)")
    parser.add_argument("--any-board", action="store_true", help="also what is no Jetson")
    parser.add_argument("--ssh", default="ssh", help=argparse.SUPPRESS)
    return parser.parse_args(argv)
