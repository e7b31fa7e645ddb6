"""What the pet costs while it runs: start-up, the idle share of one core, memory, and time for each model.

Measured in a process of its own, so that what this one has loaded does not count: the whole pet, memory and
voice included, but for broker and body. The peer of the idle share is the loop of pyopen-wakeword itself,
features and one of its own names, over the same sound: all that a wake word alone would cost.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path

import numpy as np

from runtime import starter
from runtime.audio.embeddings import STEP_SAMPLES
from runtime.bench import Figures, progress, ratio
from runtime.contracts.audio import SAMPLE_RATE_HZ, Samples
from runtime.contracts.config import MemorySettings, RobotConfig
from runtime.engines import Engine
from runtime.process import children, resident_mb
from runtime.rehearsal import Rehearsal, rehearsal
from runtime.speech.tts import voice

IDLE_S = 30
REPEATS = 30


def measure(args: argparse.Namespace) -> Figures:
    """Of a fresh process: start-up, the idle share of a core, memory, and milliseconds of each model."""
    starter.load_pack()  # a broken pack is told here, in one line
    progress(f"a fresh process hears {IDLE_S} s of a quiet room")
    with tempfile.TemporaryDirectory(prefix="everpaw-") as kept:
        began_s = time.monotonic()
        process = subprocess.run(
            [sys.executable, "-m", "runtime.cost"],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "XDG_DATA_HOME": kept},
        )
    figures: Figures = json.loads(process.stdout)
    return {"start_s": round(figures.pop("ready_at_s") - began_s, 2), **figures}


def _figures() -> Figures:
    monotonic_s = time.monotonic
    with ExitStack() as stack:
        speaker = stack.enter_context(closing(voice()))
        pack = starter.load_pack()
        config = RobotConfig(memory=MemorySettings(enabled=True))
        pet = stack.enter_context(rehearsal(pack, config, voice=speaker))
        ready_at_s = monotonic_s()
        room = np.random.default_rng(7).normal(0, 30, IDLE_S * SAMPLE_RATE_HZ).astype(np.int16)
        idle, library = _share(lambda: _listen(pet, room)), _share(lambda: _library_listens(room))
        mind, utterance = pet.robot.conversation, _utterance(2.0)
        asr_ms = _time_ms(lambda: mind.hear(utterance))
        text_ms = {text: _time_ms(partial(mind.read, text)) for text in ("sit down", "why is it raining")}
        return {
            "ready_at_s": ready_at_s,
            "idle_core_share": round(idle, 4),
            "idle_beside_library": {"library_core_share": round(library, 4), "ours": ratio(idle, library)},
            "memory_mb": round(resident_mb()),
            "voice_memory_mb": round(sum(map(resident_mb, children()))),
            "asr_ms": {"two_seconds": asr_ms},
            "text_ms": text_ms,
            "engines_ms": {  # what a model of words takes hangs on the words: see `text_ms`
                name: _engine_ms(pack.path(model.file))
                for name, model in pack.manifest.models.items()
                if model.task not in ("dialogue", "reader")
            },
        }


def _share(work: Callable[[], None]) -> float:
    """Processor seconds a second of `IDLE_S`."""
    began_s = time.process_time()
    work()
    return (time.process_time() - began_s) / IDLE_S


def _listen(pet: Rehearsal, room: Samples) -> None:
    for start in range(0, len(room), SAMPLE_RATE_HZ):
        pet.overhear(room[start : start + SAMPLE_RATE_HZ])
        pet.robot.rest(1.0)


def _library_listens(room: Samples) -> None:
    from pyopen_wakeword import Model, OpenWakeWord, OpenWakeWordFeatures

    features, head = OpenWakeWordFeatures.from_builtin(), OpenWakeWord.from_builtin(Model.OKAY_NABU)
    for start in range(0, len(room), STEP_SAMPLES):
        for embeddings in features.process_streaming(room[start : start + STEP_SAMPLES].tobytes()):
            list(head.process_streaming(embeddings))


def _utterance(seconds: float) -> Samples:
    noise = np.random.default_rng(7).normal(0, 2_000, round(seconds * SAMPLE_RATE_HZ))
    return noise.astype(np.int16)


def _engine_ms(path: Path) -> float:
    """Bare session on inputs of the declared shape; open axes count 100."""
    engine = Engine(path)
    feeds = {
        name: np.zeros(
            [n if isinstance(n, int) else (1 if axis == 0 else 100) for axis, n in enumerate(shape)],
            np.float32,
        )
        for name, shape in engine.input_shapes.items()
    }
    return _time_ms(lambda: engine.run(feeds))


def _time_ms(work: Callable[[], object]) -> float:
    """Median of `REPEATS` calls, after one that does not count."""
    times = []
    for _ in range(REPEATS + 1):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return round(float(np.median(times[1:])) * 1e3, 2)


if __name__ == "__main__":
    print(json.dumps(_figures()))
