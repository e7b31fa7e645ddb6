"""What the pet costs while it runs: start-up, the idle share of one core, memory, and time for each model.

Measured in a process of its own, so that what this one has loaded does not count.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from runtime import starter
from runtime.bench import Figures, progress
from runtime.contracts.audio import BLOCK_SAMPLES, SAMPLE_RATE_HZ, AudioBlock, Samples
from runtime.contracts.config import TurnSettings, WakeSettings
from runtime.ears import Ears, EarSettings
from runtime.engines import Engine
from runtime.mind.conversation import Conversation

IDLE_S = 30
REPEATS = 30


def measure(args: argparse.Namespace) -> Figures:
    """Of a fresh process: {"start_s", "idle_core_share", "memory_mb", "asr_ms", "text_ms", "engines_ms"}."""
    starter.load_pack()  # a broken pack is told here, in one line
    progress("a fresh process hears 30 s of a quiet room")
    began = time.monotonic()
    process = subprocess.run(
        [sys.executable, "-m", "runtime.cost"], capture_output=True, text=True, check=True
    )
    figures: Figures = json.loads(process.stdout)
    figures["start_s"] = round(figures.pop("ready_at_s") - began, 2)
    return figures


def _figures() -> Figures:
    pack = starter.load_pack()
    mind = Conversation(pack)
    heads, stops = pack.files("wake", ".onnx"), pack.files("stop", ".onnx")
    ears = Ears(EarSettings(heads, stops, WakeSettings(), TurnSettings(), mind.stop_spotter()))
    ready_at_s = time.monotonic()
    idle_share = _idle(ears)
    utterance = _utterance(2.0)
    return {
        "ready_at_s": ready_at_s,
        "idle_core_share": round(idle_share, 4),
        "memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "asr_ms": {"two_seconds": _time_ms(lambda: mind.hear(utterance))},
        "text_ms": {"sit_down": _time_ms(lambda: mind.read("sit down"))},
        "engines_ms": {
            name: _engine_ms(pack.path(model.file)) for name, model in pack.manifest.models.items()
        },
    }


def _idle(ears: Ears) -> float:
    """Processor seconds a second of a quiet room."""
    rng = np.random.default_rng(7)
    room = rng.normal(0, 30, IDLE_S * SAMPLE_RATE_HZ).astype(np.int16)
    began = time.process_time()
    for start in range(0, len(room), BLOCK_SAMPLES):
        ears.step(AudioBlock(room[start : start + BLOCK_SAMPLES], start))
    return (time.process_time() - began) / IDLE_S


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
