"""The stage of the demo and of the latency figures: a robot with a simulated body, and its owner."""

import queue
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from typing import TypeVar

from runtime import assembly
from runtime.audio.capture import QueueSource, Source, read_audio
from runtime.audio.playback import Sink
from runtime.audio.stop import StopHit
from runtime.audio.turns import SpeechStarted
from runtime.audio.wake import WakeHit
from runtime.body import FINAL
from runtime.bus import Bus, Delivery, decode
from runtime.contracts import messages as m
from runtime.contracts.config import MqttSettings, RobotConfig
from runtime.contracts.pack import Pack
from runtime.demo.script import Line
from runtime.demo.timeline import Shown
from runtime.pipeline import Listeners, Robot, TurnRecord
from runtime.simulated import SimulatedBody, simulated_body
from runtime.speech.tts import Voice, voice

ROBOT_ID = "demo"
ANSWER_S = 6.0
SETTLE_S = 12.0
PAUSE_S = 0.4
"""A person's pause before speaking again"""
READY_S = 15.0
Turns = queue.Queue[TurnRecord]
S = TypeVar("S", bound=Source)


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything awake and armed; finished turns arrive in `turns`, all else it notices in `noticed`."""

    body: SimulatedBody
    robot: Robot
    speaker: Voice
    watch: "JointWatch"
    turns: Turns
    noticed: list[WakeHit | StopHit | SpeechStarted]


@contextmanager
def stage(pack: Pack, sink: Sink, settings: RobotConfig | None = None) -> Iterator[Stage]:
    """Broker, bridge, microcontroller, voice and mind; all of them end with the block.

    Of `settings`, the robot's id and the broker's address are replaced.
    """
    turns: Turns = queue.Queue()
    with ExitStack() as stack:
        body = stack.enter_context(simulated_body(ROBOT_ID, pack))
        config = (settings or RobotConfig()).model_copy(
            update={
                "robot_id": ROBOT_ID,
                "mqtt": MqttSettings(host=body.broker.host, port=body.broker.port),
            }
        )
        speaker = stack.enter_context(closing(voice()))
        bus = stack.enter_context(assembly.connect(config))
        noticed: list[WakeHit | StopHit | SpeechStarted] = []
        listeners = Listeners(
            turn=turns.put, wake=noticed.append, stop=noticed.append, barge_in=noticed.append
        )
        robot = assembly.assemble(config, pack, bus=bus, sink=sink, speaker=speaker, listeners=listeners)
        robot.body.wait_until_ready(READY_S, armed=True)
        watch = stack.enter_context(closing(JointWatch(bus)))
        yield Stage(body, robot, speaker, watch, turns, noticed)


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


@contextmanager
def living(robot: Robot, microphone: S) -> Iterator[S]:
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


def arm(robot: Robot) -> None:
    """By hand, as `--arm` did at the start: on a machine too busy for the lease the body lets go."""
    body = robot.body
    if body.state.mcu_state == "ARMED":
        return
    why = body.state.fault or body.state.mcu_state or "the board is silent"
    print(f"everpaw: the body had let go ({why}); armed again by hand", file=sys.stderr)
    body.wait(body.arm("cli"), FINAL, READY_S)


class Owner:
    """Speaks the script's lines into the microphone, each when the pet is ready for it."""

    def __init__(
        self, robot: Robot, source: QueueSource, watch: JointWatch, turns: "queue.Queue[TurnRecord]"
    ) -> None:
        self._robot, self._source, self._watch, self._turns = robot, source, watch, turns

    def converse(self, lines: Sequence[Line]) -> Iterator[Shown | Line]:
        """A `Shown` for each answered line, the `Line` itself where no answer came."""
        for number, line in enumerate(lines):
            arm(self._robot)
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
