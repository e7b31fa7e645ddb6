"""A person who talks to a living robot line by line; the clock runs from the end of the last word."""

import queue
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

from runtime.audio.capture import QueueSource, read_audio
from runtime.audio.playback import NullSink
from runtime.contracts.audio import SAMPLE_RATE_HZ
from runtime.contracts.config import RobotConfig, WakeSettings
from runtime.contracts.errors import AudioError
from runtime.contracts.pack import Pack
from runtime.demo.owner import Stage, arm, living, stage
from runtime.demo.people import Spoken
from runtime.demo.room import Room, RoomSettings
from runtime.demo.script import CLIPS
from runtime.pipeline import TurnRecord

ANSWER_S = 6.0
MORE_S = 0.6
"""Somebody cut short by a hasty endpoint is heard out so long"""
MOMENTS = frozenset({"endpoint", "understood", "voice", "reaction", "motion", "sound", "words"})
"""Timings counted from the end of speech; the others are lengths of time"""
_CALLS = 4
_MOVING_S = 3.0


@dataclass(frozen=True, slots=True)
class Answered:
    """One line with what came of it; times in ms from the acoustic end of the last word."""

    spoken: Spoken
    record: TurnRecord
    timings_ms: dict[str, float]
    split: bool
    """The pet answered more than once: it took a pause for the end"""

    @property
    def setpoint_ms(self) -> float | None:
        """The first setpoint of any movement."""
        times = [self.timings_ms[name] for name in ("reaction", "motion") if name in self.timings_ms]
        return min(times) if times else None

    @property
    def right(self) -> bool:
        return self.record.turn.understanding.intent == self.spoken.line.meant

    @property
    def wrongly_early(self) -> bool:
        """A movement for a command nobody gave was begun early and not taken back."""
        return self.record.early == "kept" and not self.right


class Interview:
    """`ask` one line after the other; `scene` must be awake and `person` its microphone."""

    def __init__(self, scene: Stage, person: QueueSource) -> None:
        self._scene, self._person = scene, person

    def call(self) -> None:
        """Wake the pet by its name; AudioError where it does not hear it."""
        for _ in range(_CALLS):
            self._person.push(read_audio(CLIPS / "hey_buddy_sit_down.flac"))
            self._person.wait_until_heard(timeout_s=10)
            if self._next(ANSWER_S):
                self.pause()
                return
        raise AudioError(f"the pet did not wake to its name in {_CALLS} calls; is the machine overloaded?")

    def ask(self, spoken: Spoken) -> Answered | None:
        """Say it and wait for the answer; None where none came."""
        arm(self._scene.robot)
        self._drain()
        start, _ = self._person.place(spoken.samples)
        record = self._next(ANSWER_S)
        if record is None:
            return None
        shift_ms = (record.end_s - (start + spoken.end) / SAMPLE_RATE_HZ) * 1e3
        timings = {n: ms + shift_ms if n in MOMENTS else ms for n, ms in record.timings_ms.items()}
        return Answered(spoken, record, timings, split=self._next(MORE_S) is not None)

    def pause(self) -> None:
        """Cut the reply short, be it one still to come, and let the body come to rest, a while at most."""
        robot = self._scene.robot
        deadline = time.monotonic() + _MOVING_S
        while (robot.answering or robot.body.state.activity) and time.monotonic() < deadline:
            robot.sink.stop()
            time.sleep(0.02)
        time.sleep(0.2)

    def _next(self, timeout_s: float) -> TurnRecord | None:
        try:
            return self._scene.turns.get(timeout=timeout_s)
        except queue.Empty:
            return None

    def _drain(self) -> None:
        while not self._scene.turns.empty():
            self._scene.turns.get_nowait()


@contextmanager
def interview(
    pack: Pack, room: RoomSettings, settings: RobotConfig | None = None
) -> Iterator[tuple[Interview, Stage, QueueSource]]:
    """A robot with a simulated body that lives in a simulated room, called by its name."""
    listens_on = WakeSettings(follow_up_s=120)
    config = (settings or RobotConfig()).model_copy(update={"wake": listens_on})
    person = QueueSource()
    with closing(NullSink()) as sink, stage(pack, sink, config) as scene:
        source = Room(person, sink, room, moving=lambda: bool(scene.robot.body.state.activity))
        with living(scene.robot, source):
            talk = Interview(scene, person)
            talk.call()
            yield talk, scene, person
