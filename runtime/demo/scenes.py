"""Where the pet is talked over: a whole robot in real time, or its ears alone in a room without a clock.

Both have a loudspeaker, a microphone that hears it (`room`), motors that hum, and a person. Moments are
seconds: of the monotonic clock in the living scene, of the stream in the simulated one, where time passes
only in `wait`, as fast as the blocks are heard.
"""

import itertools
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Protocol

import numpy as np

from runtime.audio.capture import QueueSource
from runtime.audio.echo import EchoCanceller
from runtime.audio.playback import NullSink, Sink
from runtime.audio.playing import Clip
from runtime.audio.stop import StopHit, care_for
from runtime.audio.turns import SpeechOnset, SpeechStarted
from runtime.audio.wake import WakeHit
from runtime.bus import Delivery, decode
from runtime.contracts import messages as m
from runtime.contracts.audio import BLOCK_SAMPLES, SAMPLE_RATE_HZ, AudioBlock, Samples
from runtime.contracts.config import RobotConfig, TurnSettings, WakeSettings
from runtime.contracts.pack import Pack
from runtime.demo.interview import Interview, interview
from runtime.demo.owner import Stage, arm
from runtime.demo.room import Room, RoomSettings
from runtime.ears import Ears, EarSettings
from runtime.floor import Floor
from runtime.mouth import Mouth
from runtime.speech.asr import Recogniser
from runtime.speech.sounds import SoundBank
from runtime.speech.tts import MANNERS, EspeakVoice, SilentVoice, Voice

Noticed = WakeHit | StopHit | SpeechStarted
_REST_S = 1.5
_GAIT = "walk"


class Scene(Protocol):
    """A pet, and a person beside it."""

    noticed: list[Noticed]
    """Names, stops, and speech it gave up its own for, or began to listen to"""
    halts_s: list[float]
    """When the body held"""

    @property
    def sink(self) -> Sink: ...

    def speak(self, text: str) -> Clip:
        """The pet says it."""

    def sound(self, kind: str) -> None:
        """The pet makes one of its own sounds."""

    def move(self, seconds: float) -> None:
        """Its motors run for so long."""

    def say(self, samples: Samples) -> float:
        """The person does; the moment of the first sample."""

    def wait(self, seconds: float) -> None: ...

    def rest(self) -> None:
        """Cut everything short and come to rest."""


def until_quiet(scene: Scene, timeout_s: float) -> None:
    """Wait until the pet says nothing any more."""
    for _ in range(round(timeout_s / 0.02)):
        if not scene.sink.busy:
            return
        scene.wait(0.02)


class LivingScene:
    """The whole robot with a simulated body, in real time."""

    def __init__(self, talk: Interview, scene: Stage, person: QueueSource) -> None:
        self._talk, self._stage, self._person = talk, scene, person
        self.noticed = scene.noticed
        self.halts_s: list[float] = []
        scene.robot.bus.subscribe("ack/command", self._on_ack)

    @property
    def sink(self) -> Sink:
        return self._stage.robot.sink

    def speak(self, text: str) -> Clip:
        return self._stage.robot.answerer.read_aloud(text) or Clip(np.zeros(0, np.int16), start_s=0.0)

    def sound(self, kind: str) -> None:
        self.sink.play(self._stage.robot.answerer.sounds.pick(kind, "happy"))

    def move(self, seconds: float) -> None:
        arm(self._stage.robot)
        self._stage.robot.body.gait(_GAIT, duration_ms=round(seconds * 1e3))

    def say(self, samples: Samples) -> float:
        arm(self._stage.robot)
        start, _ = self._person.place(samples)
        return self._stage.robot.mono_of(start / SAMPLE_RATE_HZ)

    def wait(self, seconds: float) -> None:
        time.sleep(seconds)

    def rest(self) -> None:
        self._talk.pause()

    def _on_ack(self, delivery: Delivery) -> None:
        ack = decode(delivery, m.Ack)
        if ack.act == "halt" and ack.status == "done":
            self.halts_s.append(ack.mono_ms / 1e3)


class SimulatedScene:
    """Ears, echo canceller and floor as the robot wires them; no broker, body or mind, and no time lost.

    A halt is counted when it is noticed: the way to the body comes on top.
    """

    def __init__(self, pack: Pack, settings: RoomSettings, voice: Voice) -> None:
        self.noticed: list[Noticed] = []
        self.halts_s: list[float] = []
        self.sink = NullSink(clock=lambda: self._now / SAMPLE_RATE_HZ)
        self._voice, self._moods = voice, itertools.cycle(MANNERS)
        self._sounds = SoundBank(pack.part("sounds"), settings.seed)
        self._room = Room(QueueSource(), self.sink, settings)
        recogniser = Recogniser(pack.part("asr"), None)
        heads = pack.files("wake", ".onnx"), pack.files("stop", ".onnx")
        spotters = recogniser.stop_spotter(), recogniser.name_spotter
        self._ears = Ears(EarSettings(*heads, WakeSettings(), TurnSettings(), *spotters))
        self._ears.stay_awake(float("inf"))
        self._echo = EchoCanceller()
        self._floor = Floor(self.sink, Mouth(SilentVoice(), self.sink))
        self._person: Samples = np.zeros(0, np.int16)
        self._now = 0
        """Samples of the stream"""
        self._moves_until_s = 0.0

    def speak(self, text: str) -> Clip:
        return self.sink.play(self._voice.speak(text, next(self._moods)))

    def sound(self, kind: str) -> None:
        self.sink.play(self._sounds.pick(kind, "happy"))

    def move(self, seconds: float) -> None:
        self._moves_until_s = self._now / SAMPLE_RATE_HZ + seconds

    def say(self, samples: Samples) -> float:
        start_s = (self._now + len(self._person)) / SAMPLE_RATE_HZ
        self._person = np.concatenate([self._person, samples])
        return start_s

    def wait(self, seconds: float) -> None:
        for _ in range(round(seconds * SAMPLE_RATE_HZ / BLOCK_SAMPLES)):
            self._step()

    def rest(self) -> None:
        self.sink.stop()
        self._moves_until_s = 0.0
        self.wait(_REST_S)

    def _step(self) -> None:
        """One block is played, heard and noticed."""
        start, self._now = self._now, self._now + BLOCK_SAMPLES
        now_s, speaking = self._now / SAMPLE_RATE_HZ, self.sink.busy
        moving = now_s <= self._moves_until_s
        played = self.sink.sounding(start / SAMPLE_RATE_HZ, BLOCK_SAMPLES)
        said, self._person = self._person[:BLOCK_SAMPLES], self._person[BLOCK_SAMPLES:]
        said = np.pad(said, (0, BLOCK_SAMPLES - len(said)))
        heard = AudioBlock(self._room.mix(said, played, moving=moving), start)
        cleaned = self._echo.step(heard, played)
        self._floor.pass_time(now_s)
        care = care_for(speaking=speaking, moving=moving)
        noticed = self._ears.step(cleaned.block, masked=cleaned.masked, care=care)
        for one in noticed:
            self._notice(one, now_s)

    def _notice(self, one: object, now_s: float) -> None:
        if isinstance(one, SpeechOnset):
            self._floor.pause()
        elif isinstance(one, SpeechStarted):
            if self._floor.give_up():
                self.noticed.append(one)
        elif isinstance(one, StopHit):
            self._floor.give_up()
            self._moves_until_s = 0.0
            self.halts_s.append(now_s)
            self.noticed.append(one)
        elif isinstance(one, WakeHit):
            self.noticed.append(one)


@contextmanager
def living_scene(
    pack: Pack, room: RoomSettings, settings: RobotConfig | None = None
) -> Iterator[LivingScene]:
    """A robot called by its name; ended with the block."""
    with interview(pack, room, settings) as (talk, scene, person):
        yield LivingScene(talk, scene, person)


@contextmanager
def simulated_scene(pack: Pack, room: RoomSettings) -> Iterator[SimulatedScene]:
    """Awake already; AudioError where espeak-ng is missing."""
    with closing(EspeakVoice()) as speaker:
        yield SimulatedScene(pack, room, speaker)
