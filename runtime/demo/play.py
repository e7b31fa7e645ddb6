"""`everpaw demo`: the owner speaks, the pet hears, answers and moves, and the screen tells.

The robot's side is the real path: a broker, the bridge process, frames over a pty to a microcontroller that
runs the board's own files. Only the body is simulated, and the owner, unless --audio or --mic is given.
"""

import argparse
import json
import queue
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

from runtime import robot as assembly
from runtime import starter
from runtime.audio.capture import FileSource, MicrophoneSource, QueueSource, Source, read_audio
from runtime.audio.playback import FileSink, NullSink, Sink, SpeakerSink
from runtime.bus import Bus, Delivery, decode
from runtime.contracts import messages as m
from runtime.contracts.config import MqttSettings, RobotConfig
from runtime.contracts.errors import EverpawError
from runtime.contracts.pack import Pack
from runtime.demo import timeline
from runtime.demo.script import Line, load_script
from runtime.demo.timeline import Shown
from runtime.pipeline import Listeners, Robot, TurnRecord
from runtime.simulated import SimulatedBody, simulated_body
from runtime.speech.tts import voice

ROBOT_ID = "demo"
ANSWER_S = 6.0
SETTLE_S = 12.0
PAUSE_S = 0.4
"""A person's pause before speaking again"""
READY_S = 15.0


class JointWatch:
    """How far each joint swings between two looks, from telemetry that flows while somebody looks."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._lock = threading.Lock()
        self._seen: dict[str, list[float]] = defaultdict(list)
        self._ended = threading.Event()
        bus.subscribe("tele/joints", self._on_joints)
        self._thread = threading.Thread(target=self._keep_looking, name="joint-watch", daemon=True)
        self._thread.start()

    def take(self) -> dict[str, float]:
        """Joint -> widest swing since the last call, degrees."""
        with self._lock:
            seen, self._seen = self._seen, defaultdict(list)
            for joint, angles in seen.items():
                self._seen[joint].append(angles[-1])
        return {joint: max(angles) - min(angles) for joint, angles in seen.items()}

    def close(self) -> None:
        self._ended.set()
        self._thread.join(timeout=2)

    def _keep_looking(self) -> None:
        while not self._ended.is_set():
            self._bus.publish("request/view", m.ViewRequest(id="demo", source="cli", for_ms=3_000))
            self._ended.wait(1.0)

    def _on_joints(self, delivery: Delivery) -> None:
        sample = decode(delivery, m.JointsTelemetry)
        with self._lock:
            for joint, angle in sample.joints_deg.items():
                self._seen[joint].append(angle)


class Owner:
    """Speaks the script's lines into the microphone, each when the pet is ready for it."""

    def __init__(
        self, robot: Robot, source: QueueSource, watch: JointWatch, turns: "queue.Queue[TurnRecord]"
    ) -> None:
        self._robot, self._source, self._watch, self._turns = robot, source, watch, turns

    def converse(self, lines: tuple[Line, ...]) -> Iterator[Shown | Line]:
        """A `Shown` for each answered line, the `Line` itself where no answer came."""
        for number, line in enumerate(lines):
            self._watch.take()
            self._source.push(read_audio(line.path))
            self._source.wait_until_heard(timeout_s=30)
            try:
                record = self._turns.get(timeout=ANSWER_S)
            except queue.Empty:
                yield line
                continue
            following = lines[number + 1] if number + 1 < len(lines) else None
            self._settle(into_movement=following is not None and following.when == "moving")
            yield Shown(record, self._watch.take(), line.meant)

    def _settle(self, *, into_movement: bool) -> None:
        deadline = time.monotonic() + SETTLE_S
        while self._robot.answering and time.monotonic() < deadline:
            time.sleep(0.02)
        while not into_movement and self._robot.body.state.activity and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(PAUSE_S)


def main(argv: list[str]) -> int:
    """`everpaw demo`."""
    args = _parse(argv)
    pack = starter.load_pack(args.pack)
    with ExitStack() as stack:
        body = stack.enter_context(simulated_body(ROBOT_ID, pack))
        shown = _converse(stack, args, pack, body)
    if not args.json:
        print(timeline.summary(shown, body.broker.kind))
    scripted = args.audio is None and not args.mic
    return int(scripted and len(shown) < len(load_script()))


def _parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="everpaw demo", description="A whole conversation, simulated body.")
    who = parser.add_mutually_exclusive_group()
    who.add_argument("--audio", type=Path, metavar="FILE", help="your own recording instead of the script")
    who.add_argument("--mic", action="store_true", help="your own voice, live (needs the [device] extra)")
    parser.add_argument("--pack", type=Path, help="folder of a pack; the starter where not given")
    parser.add_argument("--save", type=Path, metavar="WAV", help="write what the pet says to a file")
    parser.add_argument("--quiet", action="store_true", help="no loudspeaker, even where there is one")
    parser.add_argument("--json", action="store_true", help="one object a turn on stdout")
    return parser.parse_args(argv)


def _converse(stack: ExitStack, args: argparse.Namespace, pack: Pack, body: SimulatedBody) -> list[Shown]:
    config = RobotConfig(robot_id=ROBOT_ID, mqtt=MqttSettings(host=body.broker.host, port=body.broker.port))
    turns: queue.Queue[TurnRecord] = queue.Queue()
    sink, where = _open_sink(args)
    stack.enter_context(closing(sink))
    speaker = stack.enter_context(closing(voice()))
    bus = stack.enter_context(assembly.connect(config))
    listeners = Listeners(turn=turns.put)
    robot = assembly.assemble(config, pack, bus=bus, sink=sink, speaker=speaker, listeners=listeners)
    robot.body.wait_until_ready(READY_S, armed=True)
    watch = stack.enter_context(closing(JointWatch(bus)))
    print(
        f"{pack.manifest.name} is awake. Broker: {body.broker.kind} on port {body.broker.port};"
        f" sound: {where}; voice: {type(speaker).__name__}.",
        file=sys.stderr,
    )
    if not args.json:
        print(timeline.header(), flush=True)
    show = _print_json if args.json else _print_line
    if args.audio is not None or args.mic:
        source: Source = MicrophoneSource() if args.mic else FileSource(args.audio, realtime=True, pad_s=1.5)
        return _live(robot, source, watch, turns, show)
    with _living(robot, QueueSource()) as microphone:
        time.sleep(1.0)
        return _scripted(Owner(robot, microphone, watch, turns), show)


def _scripted(owner: Owner, show: Any) -> list[Shown]:
    shown: list[Shown] = []
    for result in owner.converse(load_script()):
        if isinstance(result, Shown):
            shown.append(result)
            show(result)
        else:
            print(f"    {result.text!r}: no answer", file=sys.stderr)
    return shown


@contextmanager
def _living(robot: Robot, microphone: QueueSource) -> Iterator[QueueSource]:
    """The robot lives in a thread of its own while the block runs."""
    failed: list[BaseException] = []

    def live() -> None:
        try:
            robot.run(microphone)
        except BaseException as error:  # handed to the caller's thread below
            failed.append(error)

    thread = threading.Thread(target=live, name="robot", daemon=True)
    thread.start()
    try:
        yield microphone
    finally:
        robot.stop()
        microphone.close()
        thread.join(timeout=5)
    if failed:
        raise failed[0]


def _live(
    robot: Robot, source: Source, watch: JointWatch, turns: "queue.Queue[TurnRecord]", show: Any
) -> list[Shown]:
    """A real person's voice: a line after each turn, until the source ends."""
    shown: list[Shown] = []
    ended = threading.Event()

    def tell() -> None:
        while not (ended.is_set() and turns.empty()):
            try:
                record = turns.get(timeout=0.2)
            except queue.Empty:
                continue
            time.sleep(1.0)
            shown.append(Shown(record, watch.take()))
            show(shown[-1])

    teller = threading.Thread(target=tell, name="teller", daemon=True)
    teller.start()
    try:
        with closing(source):
            robot.run(source)
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
        "said": turn.reply.text,
        "action": turn.act.name if turn.act else None,
        "body": shown.record.body,
        "moved_deg": {joint: round(deg, 1) for joint, deg in shown.moved_deg.items()},
        "timings_ms": {name: round(ms, 1) for name, ms in shown.record.timings_ms.items()},
    }
    print(json.dumps(row), flush=True)
