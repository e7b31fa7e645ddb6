"""Talking over the pet: does it take a person's word, and never its own, for one?

Three parts, in rooms whose echo, delay and reverberation differ: replies left alone, in which it must
neither wake nor stop itself; replies a person interrupts, as loud at the microphone as the echo; and "stop!"
in quiet, in noise 10 dB under the word, and into the pet's own speech. Clock of an interruption: from the
first sound of the person to the loudspeaker's silence; of a stop: from the acoustic end of the word to the
setpoints held.
"""

import argparse
import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from runtime import starter
from runtime.audio.capture import QueueSource
from runtime.audio.playing import Clip
from runtime.audio.stop import StopHit
from runtime.audio.turns import SpeechOnset
from runtime.audio.wake import WakeHit
from runtime.bench import Figures, percentiles, progress
from runtime.bus import Delivery, decode
from runtime.contracts import messages as m
from runtime.contracts.audio import SAMPLE_RATE_HZ, Samples
from runtime.contracts.pack import Pack
from runtime.demo.interview import Interview, interview
from runtime.demo.owner import Stage, arm
from runtime.demo.people import People, Said, Spoken, people
from runtime.demo.room import RoomSettings
from runtime.mind.acts import read_toml, validated
from runtime.mind.dialogue import Persona

ROOMS = (
    RoomSettings(delay_s=0.03, echo_db=-6.0, rt60_s=0.25),
    RoomSettings(delay_s=0.045, echo_db=-9.0, rt60_s=0.35),
    RoomSettings(delay_s=0.055, echo_db=-12.0, rt60_s=0.45),
    RoomSettings(delay_s=0.07, echo_db=-16.0, rt60_s=0.35),
    RoomSettings(delay_s=0.08, echo_db=-20.0, rt60_s=0.5),
)
LINES = tuple(Said(text=text) for text in ("good boy", "what can you do", "look at me", "be quiet please"))
SOUNDS = ("bark", "howl", "whine", "growl_play", "yip")
STOP = Said(text="stop", meant="stop")
WHERE = ("quiet", "noise", "speaking")
NOISE_DB = 10.0
INTO_S = 1.2
"""A reply is interrupted so long after it began"""
_LEAST_LETTERS = 40
_HELD_S = 1.5
_ONE_STOP_S = 2.2


@dataclass(slots=True)
class Tally:
    """What happened in all rooms."""

    replies: int = 0
    self_wakes: int = 0
    self_stops: int = 0
    interruptions: int = 0
    silent_ms: list[float] = field(default_factory=list)
    stops: dict[str, int] = field(default_factory=lambda: dict.fromkeys(WHERE, 0))
    held_ms: dict[str, list[float]] = field(default_factory=lambda: {where: [] for where in WHERE})

    def figures(self) -> Figures:
        everywhere = [ms for where in WHERE for ms in self.held_ms[where]]
        return {
            "own_voice": {
                "replies": self.replies,
                "self_wakes": self.self_wakes,
                "self_stops": self.self_stops,
            },
            "barge_in": {"taken": len(self.silent_ms), "of": self.interruptions},
            "silent_ms": percentiles(self.silent_ms),
            "stop_heard": {where: f"{len(self.held_ms[where])} of {self.stops[where]}" for where in WHERE},
            "stop_held_ms": {"all": percentiles(everywhere)}
            | {where: percentiles(self.held_ms[where]) for where in WHERE},
            "raw_ms": {"silent": self.silent_ms, "held": self.held_ms},
        }


def measure(args: argparse.Namespace) -> Figures:
    """{"own_voice", "barge_in", "silent_ms", "stop_heard", "stop_held_ms", "raw_ms"}."""
    pack, tally = starter.load_pack(), Tally()
    with people() as persons:
        for number, room in itertools.product(range(args.rounds), ROOMS):
            echo = f"echo {room.echo_db:g} dB after {room.delay_s * 1e3:.0f} ms"
            progress(f"round {number + 1} of {args.rounds}: {echo}")
            with interview(pack, room) as (talk, scene, person):
                table = Table(talk, scene, person, room, tally)
                replies = itertools.cycle(_long_lines(pack))
                table.leave_alone(list(itertools.islice(replies, 10)))
                table.interrupt([(next(replies), persons.say(line)) for line in (*LINES, LINES[0])])
                table.stop(replies, [persons.say(STOP) for _ in range(10)], persons)
    return tally.figures()


class Table:
    """One room's rounds with one robot."""

    def __init__(
        self, talk: Interview, scene: Stage, person: QueueSource, room: RoomSettings, tally: Tally
    ) -> None:
        self._talk, self._scene, self._person, self._room, self._tally = talk, scene, person, room, tally
        self._halts: list[int] = []
        self._rng = np.random.default_rng(room.seed)
        scene.robot.bus.subscribe("ack/command", self._on_ack)

    def leave_alone(self, replies: Sequence[str]) -> None:
        """Replies in silence, each third one after a sound of the pet's own."""
        for number, text in enumerate(replies):
            self._scene.noticed.clear()
            if number % 3 == 0:
                sounds = self._scene.robot.answerer.sounds
                self._scene.robot.sink.play(sounds.pick(SOUNDS[number // 3 % len(SOUNDS)], "happy"))
            self._speak(text)
            self._quiet(timeout_s=15.0)
            noticed = self._scene.noticed
            self._tally.replies += 1
            self._tally.self_wakes += sum(isinstance(n, WakeHit) for n in noticed)
            self._tally.self_stops += sum(isinstance(n, SpeechOnset | StopHit) for n in noticed)

    def interrupt(self, pairs: Sequence[tuple[str, Spoken]]) -> None:
        """A person talks into each reply, as loud as its echo."""
        for text, spoken in pairs:
            clip = self._speak(text)
            time.sleep(INTO_S)
            said = _at_level(spoken.samples, _level(clip.samples) * 10 ** (self._room.echo_db / 20))
            start, _ = self._person.place(said)
            self._quiet(timeout_s=clip.length_s + 2.0)
            self._tally.interruptions += 1
            begin_s = self._scene.robot.mono_of((start + spoken.start) / SAMPLE_RATE_HZ)
            if clip.cut_s is not None and clip.cut_s >= begin_s:
                self._tally.silent_ms.append((clip.cut_s - begin_s) * 1e3)
            time.sleep(1.0)
            self._talk.pause()

    def stop(self, replies: Iterator[str], stops: Sequence[Spoken], persons: People) -> None:
        """ "Stop!" in turn in quiet, in noise and into speech."""
        for number, spoken in enumerate(stops):
            where = WHERE[number % len(WHERE)]
            samples = spoken.samples
            if where == "noise":
                samples = self._noisy(samples)
            elif where == "speaking":
                self._speak(next(replies))
                time.sleep(INTO_S)
            arm(self._scene.robot)
            self._halts.clear()
            start, _ = self._person.place(samples)
            begin_ms = self._scene.robot.mono_of((start + spoken.start) / SAMPLE_RATE_HZ) * 1e3
            end_ms = self._scene.robot.mono_of((start + spoken.end) / SAMPLE_RATE_HZ) * 1e3
            time.sleep(_ONE_STOP_S)
            self._tally.stops[where] += 1
            held = [at for at in self._halts if begin_ms <= at <= end_ms + _HELD_S * 1e3]
            if held:
                self._tally.held_ms[where].append(held[0] - end_ms)
            self._talk.pause()

    def _speak(self, text: str) -> Clip:
        return self._scene.robot.answerer.read_aloud(text) or Clip(np.zeros(0, np.int16), start_s=0.0)

    def _quiet(self, timeout_s: float) -> None:
        deadline = time.monotonic() + timeout_s
        while self._scene.robot.sink.busy and time.monotonic() < deadline:
            time.sleep(0.01)

    def _noisy(self, samples: Samples) -> Samples:
        noise = self._rng.normal(0, _level(samples) * 10 ** (-NOISE_DB / 20), len(samples))
        return np.asarray(np.clip(samples + noise, -32_768, 32_767), np.int16)

    def _on_ack(self, delivery: Delivery) -> None:
        ack = decode(delivery, m.Ack)
        if ack.act == "halt" and ack.status == "done":
            self._halts.append(ack.mono_ms)


def _long_lines(pack: Pack) -> list[str]:
    """Everything the pet says that takes about two seconds or more."""
    path = pack.path("persona.toml")
    lines = validated(Persona, read_toml(path), path).lines.values()
    return sorted(
        {text for line in lines for text in line.any if len(text) >= _LEAST_LETTERS and "{" not in text}
    )


def _level(samples: Samples) -> float:
    """Root mean square of what is louder than a hundredth of the peak."""
    loud = samples[np.abs(samples.astype(np.int32)) > np.abs(samples.astype(np.int32)).max() / 100]
    return float(np.sqrt(np.mean(loud.astype(np.float64) ** 2))) if len(loud) else 1.0


def _at_level(samples: Samples, level: float) -> Samples:
    return np.asarray(np.clip(samples * (level / _level(samples)), -32_768, 32_767), np.int16)
