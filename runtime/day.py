"""A day of talk in minutes: does anything grow, slow down or stay open while the pet lives on?

People call it, give orders, ask, fall into its words, speak in noise and leave it alone for hours; the pet is
the whole one, in the time of its stream (runtime.rehearsal). A process of its own is looked at over and over:
what it holds after its first quarter, when caches are full, it must not exceed at the end.
"""

import argparse
import gc
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import numpy as np

from runtime import starter
from runtime.audio.capture import read_audio
from runtime.bench import Figures, progress
from runtime.contracts.audio import Samples
from runtime.contracts.config import MemorySettings, RobotConfig
from runtime.contracts.errors import EverpawError
from runtime.demo.people import People, Said, load_lines, people
from runtime.demo.script import CLIPS
from runtime.pace import Pace
from runtime.pipeline import Listeners, TurnRecord
from runtime.process import children, open_files, resident_mb
from runtime.rehearsal import Rehearsal, rehearsal
from runtime.speech.tts import voice

LOOKS, FEWEST_LOOKS = 16, 4
"""Times the process is looked at over the day"""
TALK = 8
"""Lines of one conversation"""
_ANSWER_S = 1.2
_TYPED = ("remember that my friend number {n} likes tea", "what do you know about me", "forget that")


@dataclass(frozen=True, slots=True)
class Look:
    """The process at one moment of the day."""

    hour: float
    turns: int
    memory_mb: float
    objects: int
    """Python's own, after a collection"""
    threads: int
    files: int
    """Open file handles"""
    children: int
    waiting: int
    """Utterances nobody answered yet"""
    kept_kb: float
    """What the pet wrote to disk"""
    answer_ms: float
    """Processor time of the thread for an answer, median since the look before"""


@dataclass(frozen=True, slots=True)
class Limit:
    """What a value may gain from the second quarter of the day to the last: a share, and a bit on top."""

    share: float
    slack: float


LIMITS = {
    "memory_mb": Limit(0.02, 3.0),
    "objects": Limit(0.02, 500),
    "threads": Limit(0.0, 0.0),
    "files": Limit(0.0, 0.0),
    "children": Limit(0.0, 0.0),
    "waiting": Limit(0.0, 0.0),
    "answer_ms": Limit(0.5, 3.0),
}
"""Of disk space nothing is said: what is remembered is kept"""


def looks_at(turns: int) -> int:
    """A day of few lines is looked at less often."""
    return min(LOOKS, max(FEWEST_LOOKS, turns))


def grown(looks: Sequence[Look]) -> dict[str, str]:
    """What is more at the end than after the first quarter, and how much; {} where nothing is."""
    quarter = max(1, len(looks) // 4)
    early, late = looks[quarter : 2 * quarter], looks[-quarter:]
    found = {}
    for name, limit in LIMITS.items():
        was, is_now = (float(np.median([getattr(one, name) for one in part])) for part in (early, late))
        if is_now > was * (1 + limit.share) + limit.slack:
            found[name] = f"{was:g} -> {is_now:g}"
    return found


class Day:
    """One day in front of one pet."""

    def __init__(self, pet: Rehearsal, persons: People, kept: Path, records: list[TurnRecord]) -> None:
        self._pet, self._persons, self._kept, self._records = pet, persons, kept, records
        lines = load_lines()
        self._lines = [line.text for line in (*lines.command, *lines.question)]
        self._rng = np.random.default_rng(7)
        self._turns = 0
        self._spoken = cache(self._say)

    def live(self, hours: float, turns: int) -> Iterator[Look]:
        """At least so many lines over so many hours; looks evenly over the lines."""
        looks = looks_at(turns)
        talks = max(looks, -(-turns // TALK))
        pause_s = max(1, round(hours * 3_600 / talks))
        for talk in range(talks):
            self._talk(-(-turns // talks))
            self._pet.quiet(2.0)
            self._pet.rest(pause_s)
            if (talk + 1) * looks // talks > talk * looks // talks:
                yield self._look((talk + 1) * hours / talks)

    def _talk(self, lines: int) -> None:
        self._pet.hear(read_audio(CLIPS / "hey_buddy_sit_down.flac"))
        self._pet.quiet(_ANSWER_S)
        for _ in range(lines):
            voice_number, line = int(self._rng.integers(3)), int(self._rng.integers(len(self._lines)))
            self._pet.hear(self._in_noise(self._spoken(self._lines[line], voice_number)))
            self._turns += 1
            # A third of the lines falls into the reply to the one before.
            self._pet.quiet(_ANSWER_S if self._rng.random() < 0.67 else 0.7)
        for text in _TYPED:
            self._pet.robot.conversation.read(text.format(n=self._turns % 50))

    def _say(self, text: str, voice_number: int) -> Samples:
        self._persons.begin_with(voice_number)
        return self._persons.say(Said(text=text)).samples

    def _in_noise(self, samples: Samples) -> Samples:
        if self._rng.random() > 0.15:
            return samples
        level = float(np.sqrt(np.mean(samples.astype(np.float64) ** 2))) * 10 ** (-12 / 20)
        noisy = samples + self._rng.normal(0, level, len(samples))
        return np.asarray(np.clip(noisy, -32_768, 32_767), np.int16)

    def _look(self, hour: float) -> Look:
        gc.collect()
        times = [
            sum(record.turn.stages_ms.get(stage, 0.0) for stage in ("asr", "behaviour", "reply"))
            for record in self._records
        ]
        self._records.clear()
        return Look(
            hour=round(hour, 2),
            turns=self._turns,
            memory_mb=round(resident_mb(), 1),
            objects=len(gc.get_objects()),
            threads=threading.active_count(),
            files=open_files(),
            children=len(children()),
            waiting=self._pet.robot.waiting,
            kept_kb=round(sum(p.stat().st_size for p in self._kept.rglob("*") if p.is_file()) / 1024, 1),
            answer_ms=round(float(np.median(times)), 1) if times else 0.0,
        )


def measure(args: argparse.Namespace) -> Figures:
    """{"turns", "first", "last", "grew", "looks"} of a day in a process of its own."""
    command = [sys.executable, "-m", "runtime.day", str(args.hours), str(args.turns)]
    looks, expected = [], looks_at(args.turns)
    with tempfile.TemporaryDirectory(prefix="everpaw-") as kept:
        env = {**os.environ, "XDG_DATA_HOME": kept}
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env) as process:
            pace = Pace(expected)
            for line in process.stdout or ():
                looks.append(Look(**json.loads(line)))
                progress(f"{looks[-1].hour:g} h, {looks[-1].turns} turns, {pace.left(len(looks))}")
    if process.returncode or len(looks) < expected:
        raise EverpawError(f"the day ended after {len(looks)} of {expected} looks; its words stand above")
    return {
        "turns": looks[-1].turns,
        "quarter": asdict(looks[expected // 4]),
        "end": asdict(looks[-1]),
        "grew": grown(looks),
        "raw_looks": [asdict(one) for one in looks],
    }


def _live(hours: float, turns: int) -> None:
    records: list[TurnRecord] = []
    with ExitStack() as stack:
        persons = stack.enter_context(people())
        speaker = stack.enter_context(closing(voice()))
        pack = starter.load_pack()
        listeners = Listeners(turn=records.append)
        config = RobotConfig(memory=MemorySettings(enabled=True))
        pet = stack.enter_context(rehearsal(pack, config, voice=speaker, listeners=listeners))
        kept = Path(os.environ.get("XDG_DATA_HOME", os.devnull))
        for look in Day(pet, persons, kept, records).live(hours, turns):
            print(json.dumps(asdict(look)), flush=True)


if __name__ == "__main__":
    _live(float(sys.argv[1]), int(sys.argv[2]))
