"""A whole pet in the time of its own stream: ears, mind, voice and answers as on the robot, without waiting.

Inside `rehearsal` the monotonic clock of the process is the stream's: it moves with the blocks that are heard
and with every sleep, so hours pass as fast as they are computed and come out the same each time. The hour of
the day, which the pet's own will asks for, is that clock's too. The body takes every command at once, and the
loudspeaker keeps time without a sound. One thread hears and thinks in turn; the mind takes `LOOK_S` for a
look, in which newer looks replace older ones, as on the robot.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import cast
from unittest.mock import patch

import numpy as np

from runtime import assembly
from runtime.audio.capture import QueueSource
from runtime.audio.playback import NullSink
from runtime.bus import Bus
from runtime.contracts.audio import BLOCK_SAMPLES, SAMPLE_RATE_HZ, AudioBlock, Samples
from runtime.contracts.config import RobotConfig
from runtime.contracts.pack import Pack
from runtime.demo.room import Room, RoomSettings
from runtime.loopback import LoopbackBus, WillingBridge
from runtime.mind.conversation import Conversation
from runtime.pipeline import Listeners, Robot
from runtime.speech.tts import SilentVoice, Voice

MORNING = 10.0
"""The hour at which a rehearsal begins"""
LOOK_S = 0.03
"""For the recogniser's network and the search, on two ordinary cores"""


class StreamClock:
    """A monotonic clock that moves only when it is told to, and the hour of the day with it."""

    def __init__(self, hour: float = MORNING) -> None:
        self._now_s = 1_000.0
        self.begin_day(hour)

    def begin_day(self, hour: float) -> None:
        """From this moment on it is so late."""
        self._midnight_s = self._now_s - hour * 3_600

    def hour(self) -> float:
        """0 <= hour < 24"""
        return (self._now_s - self._midnight_s) / 3_600 % 24

    def now_s(self) -> float:
        return self._now_s

    def now_ns(self) -> int:
        return round(self._now_s * 1e9)

    def advance(self, seconds: float) -> None:
        self._now_s += max(0.0, seconds)


@dataclass(slots=True)
class Rehearsal:
    """`hear` sound, or let quiet hours pass by `rest`."""

    robot: Robot
    bus: LoopbackBus
    clock: StreamClock
    room: Room
    config: RobotConfig
    pack: Pack
    heard: int = 0
    """Samples of the stream"""
    _busy_until_s: float = field(default=float("-inf"))

    def hear(self, person: Samples) -> None:
        """What a person says, in the room in which the pet speaks; a rest under one block is filled up."""
        short = -len(person) % BLOCK_SAMPLES
        for block in np.pad(person, (0, short)).reshape(-1, BLOCK_SAMPLES):
            self._block(block)

    def quiet(self, seconds: float) -> None:
        """Nobody says anything."""
        self.hear(np.zeros(round(seconds * SAMPLE_RATE_HZ), np.int16))

    def rest(self, seconds: int) -> None:
        """Quiet that is not listened to: only mood, own will and clocks move."""
        for _ in range(seconds):
            self.clock.advance(1.0)
            self.robot.rest(1.0)
        self.robot.restart_clock()

    def begin_life(self, mind: Conversation, hour: float) -> None:
        """Another mind in the same body, newborn at that hour; nothing before it can be heard any more."""
        robot, body = self.robot, self.robot.body
        robot.begin_anew()
        robot.answerer.sounds.begin_anew()
        self.room.begin_anew()
        self._busy_until_s = float("-inf")
        self.clock.begin_day(hour)
        robot.answerer.conversation = mind
        robot.life = assembly.life_of(self.config, self.pack, robot.bus, body, mind, hour=self.clock.hour)
        body.colour = robot.life.colour

    def overhear(self, microphone: Samples) -> None:
        """Whole blocks as the microphone gives them, with no room between; what is left over is not heard."""
        for start in range(0, len(microphone) - BLOCK_SAMPLES + 1, BLOCK_SAMPLES):
            self.clock.advance(BLOCK_SAMPLES / SAMPLE_RATE_HZ)
            self._take(microphone[start : start + BLOCK_SAMPLES])

    def _block(self, person: Samples) -> None:
        from_s = self.clock.now_s()
        self.clock.advance(BLOCK_SAMPLES / SAMPLE_RATE_HZ)
        played = self.robot.sink.sounding(from_s, BLOCK_SAMPLES)
        self._take(self.room.mix(person, played, moving=bool(self.robot.body.state.activity)))

    def _take(self, microphone: Samples) -> None:
        self.robot.take(AudioBlock(microphone, self.heard))
        self.heard += BLOCK_SAMPLES
        if self.clock.now_s() >= self._busy_until_s and self.robot.think(timeout_s=0.0):
            self._busy_until_s = self.clock.now_s() + LOOK_S


@contextmanager
def rehearsal(
    pack: Pack,
    config: RobotConfig | None = None,
    room: RoomSettings | None = None,
    *,
    voice: Voice | None = None,
    listeners: Listeners | None = None,
) -> Iterator[Rehearsal]:
    """A pet that lives while the block runs; no other thread should measure time meanwhile."""
    clock = StreamClock()
    with (
        patch.object(time, "monotonic", clock.now_s),
        patch.object(time, "monotonic_ns", clock.now_ns),
        patch.object(time, "sleep", clock.advance),
    ):
        bus = LoopbackBus()
        bridge, sink = WillingBridge(bus), NullSink(time.monotonic)
        config = config or RobotConfig()
        robot = assembly.assemble(
            config,
            pack,
            bus=cast("Bus", bus),
            sink=sink,
            speaker=voice or SilentVoice(),
            listeners=listeners,
            hour=clock.hour,
        )
        bridge.wake()
        yield Rehearsal(robot, bus, clock, Room(QueueSource(), sink, room), config, pack)
        robot.body.close()
