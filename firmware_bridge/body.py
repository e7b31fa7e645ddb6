"""`everpaw body live | play | jog | calibrate`: the body by hand. Every way out disarms it.

`everpaw body clearance | gaits` look at its description only; see firmware_bridge.desk.
"""

import argparse
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType

from firmware_bridge import desk, exchange
from firmware_bridge.bridge import simulator
from firmware_bridge.hands import Hands, hands_on
from firmware_bridge.motion import KeyFrame, KeyFrames
from firmware_bridge.ports import resolve
from firmware_bridge.ranged import between
from firmware_bridge.screen import LEGEND, drawn, render
from firmware_bridge.skills import load_skills
from firmware_bridge.trims import MOST_DEG, load_trims, save_trims, writable
from firmware_bridge.urgency import be_urgent
from runtime import starter
from runtime.contracts.body import CDEG, Body, Joint, load_body
from runtime.contracts.errors import LinkError, PackError

PICTURE_S = 0.1
STEPS = {"+": 1.0, "-": -1.0, "++": 5.0, "--": -5.0}
"""What is typed in calibration -> degrees"""
KEYS = "+ - turn the joint by 1 deg, ++ -- by 5, Enter takes it, q ends and saves nothing"
Ask = Callable[[str], str]


def main(argv: list[str] | None = None) -> int:
    """`everpaw body`."""
    args = _parse(argv)
    body = load_body(args.body)
    if args.desk is not None:
        return int(args.desk(args, body))
    be_urgent()
    with ExitStack() as stack:
        stack.enter_context(_terminated_as_interrupted())
        port = stack.enter_context(simulator()) if args.port == "sim" else resolve(args.port)
        hands = stack.enter_context(hands_on(port, body))
        work: Callable[[argparse.Namespace, Hands], None] = args.work
        work(args, hands)
    return 0


def _live(args: argparse.Namespace, hands: Hands) -> None:
    """Redraw until Ctrl-C, or once where nobody looks at a terminal; never arms."""
    if args.once or not sys.stdout.isatty():
        hands.wait(lambda: hands.link.senses is not None, 1.0)
        print("\n".join(render(hands.link, hands.body)))
        return
    next_s = 0.0
    while True:
        hands.step()
        if time.monotonic() >= next_s:
            next_s = time.monotonic() + PICTURE_S
            lines = [*render(hands.link, hands.body), "", LEGEND]
            print(drawn(lines, *shutil.get_terminal_size()), end="", flush=True)


def _play(args: argparse.Namespace, hands: Hands) -> None:
    library = load_skills(args.pack / "skills", hands.body)
    unknown = [name for name in args.skills if name not in library]
    if unknown:
        raise PackError(f"the pack has no skill {unknown[0]!r}; it has {', '.join(library)}")
    hands.arm()
    for name in args.skills:
        print(f"{name} ...", file=sys.stderr, flush=True)
        hands.play(library[name].movement(hands.body, hands.player.base, args.speed))


def _jog(args: argparse.Namespace, hands: Hands) -> None:
    joint = hands.body.by_name.get(args.joint)
    if joint is None:
        raise PackError(f"unknown joint {args.joint!r}; {hands.body.name} has {', '.join(hands.body.names)}")
    if not joint.min_deg <= args.deg <= joint.max_deg:
        raise PackError(
            f"{args.joint} = {args.deg:g} deg is outside {joint.min_deg:g}..{joint.max_deg:g}; stay inside"
        )
    hands.arm()
    move(hands, {args.joint: args.deg})
    hands.wait(lambda: False, args.hold_s)
    pose = hands.pose or {}
    print(f"{args.joint} {pose.get(args.joint, float('nan')):.1f} deg")


def _calibrate(args: argparse.Namespace, hands: Hands) -> None:
    had = _trims_on_the_board(args.on_board, hands.body)
    print(KEYS, file=sys.stderr)
    trims = calibrate(hands, lambda question: _ask_alive(hands, question), had)
    save_trims(args.out, trims)
    print(f"{args.out}: {len(trims)} trims; put them on the board: everpaw flash board --trims {args.out}")


def move(hands: Hands, pose: dict[str, float], take_s: float = 0.5) -> None:
    """The named joints to their angles, as fast as they gently may."""
    hands.play(KeyFrames(hands.body, hands.player.base, [KeyFrame(take_s, pose)]))


def _trims_on_the_board(path: Path | None, body: Body) -> dict[str, float]:
    found = load_trims(path, body) if path else [0] * len(body.names)
    return {name: cdeg / CDEG for name, cdeg in zip(body.names, found, strict=True)}


def calibrate(hands: Hands, ask: Ask, had: Mapping[str, float]) -> dict[str, float]:
    """Joint by joint from the rest pose: how far each must turn to look right. Degrees.

    `had` are the trims that the board adds already; what is found comes on top.
    """
    hands.arm()
    body = hands.body
    move(hands, body.rest, 2.0)
    trims: dict[str, float] = {}
    for joint in body.joints:
        trims[joint.name] = _calibrate_joint(hands, ask, joint, had[joint.name])
        move(hands, {joint.name: joint.rest_deg}, 0.2)
    return trims


def _calibrate_joint(hands: Hands, ask: Ask, joint: Joint, had: float) -> float:
    trim, remark = had, ""
    while word := ask(f"{remark}{joint.name} at {joint.rest_deg:g} deg, trim {trim:+g}: "):
        wanted = trim + STEPS.get(word, 0.0)
        at_deg = joint.rest_deg + wanted - had
        if word not in STEPS:
            remark = f"{word!r} is none of these. {KEYS}\n"
        elif abs(wanted) > MOST_DEG:
            remark = f"a trim is at most {MOST_DEG:g} deg: move the horn to another tooth\n"
        elif not joint.min_deg <= at_deg <= joint.max_deg:
            remark = f"{at_deg:g} deg is outside {joint.min_deg:g}..{joint.max_deg:g}\n"
        else:
            trim, remark = wanted, ""
            move(hands, {joint.name: at_deg}, 0.2)
    return trim


def _ask_alive(hands: Hands, question: str) -> str:
    """A line from the keyboard, while the body goes on holding its pose."""
    import select

    print(question, end="", file=sys.stderr, flush=True)
    while not select.select([sys.stdin], [], [], 0)[0]:
        hands.step()
    line = sys.stdin.readline()
    if not line or line.strip() == "q":
        raise LinkError("calibration was ended; nothing was saved")
    return line.strip()


@contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """SIGTERM unwinds like Ctrl-C, so that it disarms too."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="everpaw body", description="The body by hand; always ends disarmed."
    )
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--port", default="auto", help="auto, id:SERIAL, a serial port, or `sim`")
    common.add_argument("--body", type=Path, help="TOML of another body than Buddy's")
    whats = parser.add_subparsers(dest="what", required=True)
    parser.set_defaults(desk=None)
    live = whats.add_parser("live", parents=[common], help="show state, senses, link and joints; never arms")
    live.add_argument("--once", action="store_true", help="one picture on stdout")
    live.set_defaults(work=_live)
    play = whats.add_parser("play", parents=[common], help="play skills, one after the other")
    play.add_argument("skills", nargs="+")
    play.add_argument("--pack", type=Path, default=Path(starter.__file__).parent, help="folder of the pack")
    play.add_argument("--speed", type=between(0.25, 2), default=1.0, help="0.25 to 2")
    play.set_defaults(work=_play)
    jog = whats.add_parser("jog", parents=[common], help="move one joint to an angle")
    jog.add_argument("joint")
    jog.add_argument("deg", type=float)
    jog.add_argument("--hold-s", type=between(0, 600), default=1.0, help="how long it stays there")
    jog.set_defaults(work=_jog)
    calibrate_ = whats.add_parser("calibrate", parents=[common], help="find each servo's trim")
    calibrate_.add_argument("--out", type=writable, required=True, help="TOML file of trims to write")
    calibrate_.add_argument("--on-board", type=Path, help="trims that the board has already; new ones add up")
    calibrate_.set_defaults(work=_calibrate)
    at_desk = argparse.ArgumentParser(add_help=False)
    at_desk.add_argument("--body", type=Path, help="TOML of another body than Buddy's")
    clearance = whats.add_parser("clearance", parents=[at_desk], help="may parts of it meet? needs no board")
    clearance.set_defaults(desk=desk.clearance)
    gaits = whats.add_parser("gaits", parents=[at_desk], help="each gait against servos and floor; no board")
    gaits.add_argument("--pack", type=Path, default=Path(starter.__file__).parent, help="folder of the pack")
    gaits.add_argument("--picture", type=Path, help="SVG of crawl and trot to write")
    gaits.set_defaults(desk=desk.gaits)
    taken = whats.add_parser("opencat-import", parents=[at_desk], help="OpenCat's skills as ours; no board")
    taken.add_argument("file", type=Path, help="C header, as Petoi's InstinctBittle.h")
    taken.add_argument("--out", type=Path, required=True, help="folder for NAME.toml of each")
    taken.set_defaults(desk=exchange.import_file)
    given = whats.add_parser("opencat-export", parents=[at_desk], help="our skills for a Bittle; no board")
    given.add_argument("skills", nargs="*", help="all of the pack where none is named")
    given.add_argument("--pack", type=Path, default=Path(starter.__file__).parent, help="folder of the pack")
    given.add_argument("--out", type=writable, required=True, help="C header to write")
    given.set_defaults(desk=exchange.export_skills)
    return parser.parse_args(argv)
