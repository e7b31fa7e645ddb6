"""Talking over the pet: does it take a person's word, and never its own, for one?

Three parts, in rooms whose echo, delay and reverberation differ: replies left alone, with motors running in
every second, in which it must neither wake nor stop itself; replies a person interrupts, as loud at the
microphone as the echo; and "stop!" at rest in quiet, into the pet's own speech, while it walks, and while it
walks in noise 10 dB under the word. Clock of an interruption: from the first sound of the person to the
loudspeaker's silence; of a stop: from the acoustic end of the word to the setpoints held. A doubt that makes
the pet pause and go on is counted as a pause, not as a stop.

The peer is the same pet without echo cancellation, half-duplex as most small robots are: deaf to words while
it speaks. A person's words into its replies are tried on it in two of the rooms.
"""

import argparse
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from runtime import starter
from runtime.audio.stop import StopHit
from runtime.audio.turns import SpeechStarted
from runtime.audio.wake import WakeHit
from runtime.bench import Figures, percentiles, progress
from runtime.contracts.audio import SAMPLE_RATE_HZ, Samples
from runtime.contracts.config import AudioSettings, RobotConfig
from runtime.contracts.pack import Pack
from runtime.demo.people import Said, Spoken, people
from runtime.demo.room import RoomSettings
from runtime.demo.scenes import Scene, living_scene, simulated_scene, until_quiet
from runtime.floor import DOUBT_S
from runtime.mind.acts import read_toml, validated
from runtime.mind.dialogue import Persona

ROOMS = (
    RoomSettings(delay_s=0.03, echo_db=-6.0, rt60_s=0.25),
    RoomSettings(delay_s=0.045, echo_db=-9.0, rt60_s=0.35),
    RoomSettings(delay_s=0.055, echo_db=-12.0, rt60_s=0.45),
    RoomSettings(delay_s=0.07, echo_db=-16.0, rt60_s=0.35),
    RoomSettings(delay_s=0.08, echo_db=-20.0, rt60_s=0.5),
)
PEER_ROOMS = ROOMS[1:4:2]
HALF_DUPLEX = RobotConfig(audio=AudioSettings(echo_cancellation=False))
LINES = tuple(Said(text=text) for text in ("good boy", "what can you do", "look at me", "be quiet please"))
SOUNDS = ("bark", "howl", "whine", "growl_play", "yip")
STOP = Said(text="stop", meant="stop")
WHERE = ("quiet", "noise", "speaking", "walking")
NOISE_DB = 10.0
INTO_S = 1.2
"""A reply is interrupted so long after it began"""
_LEAST_LETTERS = 40
_HELD_S = 1.5
_ONE_STOP_S = 2.2
_WALK_S = 4.0
_UNDER_WAY_S = 0.6


@dataclass(slots=True)
class Tally:
    """What happened in all rooms."""

    replies: int = 0
    self_wakes: int = 0
    self_stops: int = 0
    pauses: int = 0
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
                "pauses": self.pauses,
            },
            "barge_in": {"taken": len(self.silent_ms), "of": self.interruptions},
            "silent_ms": percentiles(self.silent_ms),
            "stop_heard": {where: f"{len(self.held_ms[where])} of {self.stops[where]}" for where in WHERE},
            "stop_held_ms": {"all": percentiles(everywhere)}
            | {where: percentiles(self.held_ms[where]) for where in WHERE},
            "raw_ms": {"silent": self.silent_ms, "held": self.held_ms},
        }


def measure(args: argparse.Namespace) -> Figures:
    """{"own_voice", "barge_in", "silent_ms", "stop_heard", "stop_held_ms", "half_duplex", "raw_ms"}."""
    pack, tally = starter.load_pack(), Tally()
    scene_of = simulated_scene if args.offline else living_scene
    with people() as persons:
        replies = itertools.cycle(_long_lines(pack))
        for number, room in itertools.product(range(args.rounds), ROOMS):
            echo = f"echo {room.echo_db:g} dB after {room.delay_s * 1e3:.0f} ms"
            progress(f"round {number + 1} of {args.rounds}: {echo}")
            with scene_of(pack, replace(room, seed=room.seed + number)) as scene:
                table = Table(scene, room, tally)
                table.leave_alone(list(itertools.islice(replies, 10)))
                table.interrupt([(next(replies), persons.say(line)) for line in (*LINES, LINES[0])])
                table.stop(replies, [persons.say(STOP) for _ in range(10)])
        if args.offline or args.no_peers:
            return tally.figures()
        peer = Tally()
        for room in PEER_ROOMS:
            progress(f"half-duplex: echo {room.echo_db:g} dB")
            with living_scene(pack, room, HALF_DUPLEX) as scene:
                pairs = [(next(replies), persons.say(line)) for line in (*LINES, LINES[0])]
                Table(scene, room, peer).interrupt(pairs)
    figures = peer.figures()
    return {**tally.figures(), "half_duplex": {name: figures[name] for name in ("barge_in", "silent_ms")}}


class Table:
    """One room's rounds with one robot."""

    def __init__(self, scene: Scene, room: RoomSettings, tally: Tally) -> None:
        self._scene, self._room, self._tally = scene, room, tally
        self._rng = np.random.default_rng(room.seed)

    def leave_alone(self, replies: Sequence[str]) -> None:
        """Replies in silence, each third one after a sound of the pet's own, each second while it walks."""
        for number, text in enumerate(replies):
            self._scene.noticed.clear()
            if number % 3 == 0:
                self._scene.sound(SOUNDS[number // 3 % len(SOUNDS)])
            clip = self._scene.speak(text)
            if number % 2:
                self._scene.wait(_UNDER_WAY_S)
                self._scene.move(_UNDER_WAY_S)
            until_quiet(self._scene, timeout_s=15.0)
            noticed = self._scene.noticed
            self._tally.replies += 1
            self._tally.self_wakes += sum(isinstance(n, WakeHit) for n in noticed)
            self._tally.self_stops += sum(isinstance(n, SpeechStarted | StopHit) for n in noticed)
            self._tally.pauses += clip.pauses

    def interrupt(self, pairs: Sequence[tuple[str, Spoken]]) -> None:
        """A person talks into each reply, as loud as its echo."""
        for text, spoken in pairs:
            clip = self._scene.speak(text)
            self._scene.wait(INTO_S)
            said = _at_level(spoken.samples, _level(clip.samples) * 10 ** (self._room.echo_db / 20))
            begin_s = self._scene.say(said) + spoken.start / SAMPLE_RATE_HZ
            until_quiet(self._scene, timeout_s=clip.length_s + 2.0)
            self._tally.interruptions += 1
            if clip.last_cut_s is not None and clip.last_cut_s >= begin_s - DOUBT_S:
                self._tally.silent_ms.append(max(0.0, clip.last_cut_s - begin_s) * 1e3)
            self._scene.wait(1.0)
            self._scene.rest()

    def stop(self, replies: Iterator[str], stops: Sequence[Spoken]) -> None:
        """ "Stop!" in turn at rest in quiet, walking in noise, into speech, and walking."""
        for number, spoken in enumerate(stops):
            where = WHERE[number % len(WHERE)]
            samples = self._noisy(spoken.samples) if where == "noise" else spoken.samples
            if where == "speaking":
                self._scene.speak(next(replies))
                self._scene.wait(INTO_S)
            elif where in ("walking", "noise"):
                self._scene.move(_WALK_S)
                self._scene.wait(_UNDER_WAY_S)
            self._scene.halts_s.clear()
            start_s = self._scene.say(samples)
            begin_s, end_s = (start_s + at / SAMPLE_RATE_HZ for at in (spoken.start, spoken.end))
            self._scene.wait(_ONE_STOP_S)
            self._tally.stops[where] += 1
            held = [at for at in self._scene.halts_s if begin_s <= at <= end_s + _HELD_S]
            if held:
                self._tally.held_ms[where].append((held[0] - end_s) * 1e3)
            self._scene.rest()

    def _noisy(self, samples: Samples) -> Samples:
        noise = self._rng.normal(0, _level(samples) * 10 ** (-NOISE_DB / 20), len(samples))
        return np.asarray(np.clip(samples + noise, -32_768, 32_767), np.int16)


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
