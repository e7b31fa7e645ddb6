"""`everpaw demo`: the owner speaks, the pet hears, answers and moves, and the screen tells.

The robot's side is the real path: a broker, the bridge process, frames over a pty to a microcontroller that
runs the board's own files. Only the body is simulated, and the owner, unless --audio or --mic is given.
"""

import argparse
import json
import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from importlib.util import find_spec
from pathlib import Path

from runtime import starter
from runtime.audio.capture import FileSource, MicrophoneSource, QueueSource, Source
from runtime.audio.playback import FileSink, NullSink, Sink, SpeakerSink
from runtime.audio.volume import Volume
from runtime.broker import free_port
from runtime.contracts.config import PrivacySettings, RobotConfig
from runtime.contracts.errors import EverpawError
from runtime.demo import timeline
from runtime.demo.owner import Owner, Stage, living, stage
from runtime.demo.script import load_script
from runtime.demo.timeline import Shown
from runtime.host import HostWatch
from runtime.reporter import reporting
from runtime.simulated import process

Show = Callable[[Shown], None]
SHOWN = RobotConfig(privacy=PrivacySettings(share_text=True))
"""Its broker is its own and its words stand on the screen, so the page may show them"""
MOVING_S = 1.0
"""A live turn's movement is watched this long before its line is printed"""


def main(argv: list[str]) -> int:
    """`everpaw demo`."""
    args = _parse(argv)
    pack = starter.load_pack(args.pack)
    show = _print_json if args.json else _print_line
    sink, where = _open_sink(args)
    with closing(sink), stage(pack, Volume(sink), SHOWN) as scene, looking_on(scene, args):
        broker = scene.body.broker
        print(
            f"{pack.manifest.name} is awake. Broker: {broker.kind} on port {broker.port};"
            f" sound: {where}; voice: {type(scene.speaker).__name__}.",
            file=sys.stderr,
        )
        if not args.json:
            print(timeline.header(), flush=True)
        if args.mic or args.audio is not None:
            shown = _live(scene, MicrophoneSource() if args.mic else _recording(args.audio), show)
            missed = 0
        else:
            shown = _scripted(scene, show)
            missed = len(load_script()) - len(shown)
    if not args.json:
        print(timeline.summary(shown, broker.kind))
    return int(missed > 0)


def _parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="everpaw demo", description="A whole conversation, simulated body.")
    who = parser.add_mutually_exclusive_group()
    who.add_argument("--audio", type=Path, metavar="FILE", help="your own recording instead of the script")
    who.add_argument("--mic", action="store_true", help="your own voice, live (needs the [device] extra)")
    parser.add_argument("--pack", type=Path, help="folder of a pack; the starter where not given")
    parser.add_argument("--save", type=Path, metavar="WAV", help="write what the pet says to a file")
    parser.add_argument("--quiet", action="store_true", help="no loudspeaker, even where there is one")
    parser.add_argument(
        "--no-dashboard", dest="dashboard", action="store_false", help="no page to watch it on"
    )
    parser.add_argument("--json", action="store_true", help="one object a turn on stdout")
    return parser.parse_args(argv)


@contextmanager
def looking_on(scene: Stage, args: argparse.Namespace) -> Iterator[None]:
    """The dashboard beside the demo, in a process of its own that goes before; its address is told."""
    broker = scene.body.broker
    if args.json or not args.dashboard or find_spec("nicegui") is None:
        if args.dashboard and not args.json:
            print("Watch it in a browser: pip install 'everpaw[dashboard]'", file=sys.stderr)
        yield
        return
    port = free_port()
    words = ("dashboard", "--broker", f"{broker.host}:{broker.port}", "--port", str(port))
    print(f"Watch it: http://{broker.host}:{port}/ (in a few seconds)", file=sys.stderr)
    watch = HostWatch(Path.cwd())
    robot = scene.robot
    figures = reporting(robot.bus, watch, robot.latencies, robot.life.message)
    with process("runtime.cli", *words, quiet=True) as page, figures:
        os.setpriority(os.PRIO_PROCESS, page.pid, 10)  # the pet comes first
        yield


def _recording(path: Path) -> FileSource:
    return FileSource(path, realtime=True, pad_s=1.5)


def _scripted(scene: Stage, show: Show) -> list[Shown]:
    shown: list[Shown] = []
    with living(scene.robot, QueueSource()) as microphone:
        time.sleep(1.0)
        for result in Owner(scene.robot, microphone, scene.watch, scene.turns).converse(load_script()):
            if isinstance(result, Shown):
                shown.append(result)
                show(result)
            else:
                print(f"    {result.text!r}: no answer", file=sys.stderr)
    return shown


def _live(scene: Stage, source: Source, show: Show) -> list[Shown]:
    """A real person's voice: a line after each turn, until the source ends."""
    shown: list[Shown] = []
    ended = threading.Event()

    def tell() -> None:
        while not (ended.is_set() and scene.turns.empty()):
            try:
                record = scene.turns.get(timeout=0.2)
            except queue.Empty:
                continue
            time.sleep(MOVING_S)
            shown.append(Shown(record, scene.watch.take()))
            show(shown[-1])

    teller = threading.Thread(target=tell, name="teller", daemon=True)
    teller.start()
    try:
        with closing(source):
            scene.robot.run(source)
    finally:
        ended.set()
        teller.join(timeout=5)
    return shown


def _open_sink(args: argparse.Namespace) -> tuple[Sink, str]:
    if args.save is not None:
        return FileSink(args.save), f"written to {args.save}"
    if args.quiet:
        return NullSink(), "off"
    try:
        return SpeakerSink(None), "loudspeaker"
    except EverpawError as error:
        return NullSink(), f"none, paced as if played ({error})"


def _print_line(shown: Shown) -> None:
    print(timeline.line(shown), flush=True)


def _print_json(shown: Shown) -> None:
    turn = shown.record.turn
    row = {
        "turn": shown.record.number,
        "heard": turn.heard,
        "meant": shown.meant,
        "intent": turn.understanding.intent,
        "confidence": round(turn.understanding.confidence, 3),
        "said": shown.record.said,
        "by": turn.reply.by,
        "action": turn.act.name if turn.act else None,
        "body": shown.record.body,
        "moved_deg": {joint: round(deg, 1) for joint, deg in shown.moved_deg.items()},
        "timings_ms": {name: round(ms, 1) for name, ms in shown.record.timings_ms.items()},
    }
    print(json.dumps(row), flush=True)
