"""TensorRT, CUDA or the processor: the first that does a real operation, answers as the processor does, and
is not slower than it.

What a build of onnxruntime lists as available says nothing: a provider counts where a session still has it
after it ran. Each decision and its reason is kept, for `meta/robot` and `everpaw doctor`.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np

from runtime.contracts.errors import EverpawError
from runtime.contracts.pack import file_sha256
from runtime.engines import shapes
from runtime.engines.device import Device
from runtime.engines.session import (
    CPU,
    CUDA,
    ON_CPU,
    TENSORRT,
    Arrays,
    Engine,
    Feeds,
    Place,
    available,
    first_line,
)  # fmt: skip
from runtime.engines.store import WRAPPER, Key, Store

Name = Literal["tensorrt", "cuda", "cpu"]
Wish = Literal["auto", "tensorrt", "cuda", "cpu"]
PROBE = Path(__file__).with_name("probe.onnx")
"""One matrix product with a sum"""
TOLERANCES = {"fp32": 2e-3, "fp16": 2e-2, "int8": 5e-2, "int4": 5e-2}
"""Largest difference, relative to the largest answer; TF32 and other orders of summing stay within"""
_REPEATS = 5


@dataclass(frozen=True, slots=True)
class Decision:
    """Where a model runs, and why."""

    provider: Name
    why: str
    latency_ms: float | None = None
    cpu_ms: float | None = None

    def __str__(self) -> str:
        return f"{self.provider}: {self.why}"


class Runner(Protocol):
    """What the ladder needs of an engine."""

    @property
    def providers(self) -> list[str]: ...
    def run(self, feeds: Feeds) -> Arrays: ...


@dataclass(frozen=True, slots=True)
class Rung:
    """One way to run a model."""

    name: Name
    provider: str
    place: Place
    open: Callable[[], Runner]
    probe: Callable[[], Runner]


_lock = threading.Lock()
_decisions: dict[Path, tuple[Decision, Place]] = {}
_policy: tuple[Wish, Store | None] = ("auto", None)


def use(wish: Wish, store: Store | None = None) -> None:
    """What the settings want; for engines opened from now on."""
    global _policy
    with _lock:
        _policy = (wish, store)
        _decisions.clear()


def decisions() -> dict[Path, Decision]:
    """Of every model opened in this process."""
    with _lock:
        return {path: decision for path, (decision, _) in _decisions.items()}


def place_of(path: Path) -> Place:
    """Where `path` is to run; decided once a process."""
    with _lock:
        known, (wish, store) = _decisions.get(path), _policy
    if known is None:
        known = _decide_here(path, wish, store)
        with _lock:
            _decisions[path] = known
    return known[1]


def give_up(path: Path, why: str) -> None:
    """The processor serves `path` from now on."""
    with _lock:
        _decisions[path] = (Decision("cpu", why), ON_CPU)


def _decide_here(path: Path, wish: Wish, store: Store | None) -> tuple[Decision, Place]:
    if wish == "cpu":
        return Decision("cpu", "as the settings want"), ON_CPU
    if not {CUDA, TENSORRT} & set(available()):
        return Decision("cpu", "this onnxruntime has no other provider"), ON_CPU
    cpu = Engine(path, place=ON_CPU)
    found = list(_rungs(path, cpu, wish, store))
    rungs = [one for one in found if isinstance(one, Rung)]
    missing = [one for one in found if isinstance(one, str)]
    feeds = shapes.example(cpu.input_shapes, cpu.input_types)
    tolerance = TOLERANCES.get(cpu.metadata.get("precision", "fp32"), TOLERANCES["fp32"])
    decision, place = climb(rungs, cpu, feeds, tolerance)
    if missing and decision.provider != "tensorrt":
        why = "; ".join([*missing, decision.why])
        decision = Decision(decision.provider, why, decision.latency_ms, decision.cpu_ms)
    return decision, place


def _rungs(path: Path, cpu: Engine, wish: Wish, store: Store | None) -> Iterator[Rung | str]:
    """From the top; in place of a rung that is not there, why."""
    if wish in ("auto", "tensorrt") and TENSORRT in available():
        yield _tensorrt(path, cpu, store) if store else "tensorrt: no folder of engines is set"
    if CUDA in available():
        yield _rung("cuda", CUDA, path, Place((CUDA, CPU)))


def _tensorrt(path: Path, cpu: Engine, store: Store) -> Rung | str:
    try:
        found = store.find(key_of(path, cpu, Device.here()))
    except EverpawError as error:
        return f"tensorrt: {error}"
    if found.state != "good":
        return f"tensorrt: {found.why}; type: everpaw engines build"
    return _rung("tensorrt", TENSORRT, path, Place((TENSORRT, CUDA, CPU), found.folder / WRAPPER))


def key_of(path: Path, engine: Engine, device: Device, own: dict[str, shapes.Span] | None = None) -> Key:
    """What an engine of `path` on `device` is known by."""
    return Key(
        onnx_sha256=file_sha256(path), profiles=shapes.profiles(engine.input_shapes, own),
        precision=engine.metadata.get("precision", "fp32"), device=device,
    )  # fmt: skip


def _rung(name: Name, provider: str, path: Path, place: Place) -> Rung:
    probe = Place(place.providers)
    return Rung(name, provider, place, lambda: Engine(path, place=place), lambda: Engine(PROBE, place=probe))


def climb(rungs: Sequence[Rung], cpu: Runner, feeds: Feeds, tolerance: float) -> tuple[Decision, Place]:
    """The first rung that holds; the reasons of those above it stand in the decision."""
    meant, cpu_ms = cpu.run(feeds), _time_ms(cpu, feeds)
    reasons = []
    for rung in rungs:
        try:
            why, latency_ms = _try(rung, meant, feeds, tolerance)
        except Exception as error:  # drivers fail in types of their own
            why, latency_ms = first_line(error), None
        if not why and latency_ms is not None and latency_ms > cpu_ms:
            why = f"slower than the processor, {latency_ms:.2f} against {cpu_ms:.2f} ms"
        if why:
            reasons.append(f"{rung.name}: {why}")
            continue
        said = f"right within {tolerance:g}, {latency_ms:.2f} ms against {cpu_ms:.2f} on the processor"
        return Decision(rung.name, "; ".join([*reasons, said]), latency_ms, cpu_ms), rung.place
    return Decision("cpu", "; ".join(reasons) or "nothing else is here", cpu_ms, cpu_ms), ON_CPU


def _try(rung: Rung, meant: Arrays, feeds: Feeds, tolerance: float) -> tuple[str, float | None]:
    """(why it does not hold or "", milliseconds of one run)."""
    probe = rung.probe()
    ones = np.ones((4, 4), np.float32)
    answer = probe.run({"x": ones})["y"]
    if rung.provider not in probe.providers:
        return "it fell back by itself at a plain matrix product", None
    if not np.allclose(answer, 5 * ones, rtol=1e-3):
        return f"a plain matrix product gives {answer.flat[0]:g}, not 5", None
    runner = rung.open()
    found = runner.run(feeds)
    if rung.provider not in runner.providers:
        return "it fell back by itself at this model", None
    apart = difference(meant, found)
    if not apart <= tolerance:
        return f"other answers than the processor, {apart:.2g} apart, at most {tolerance:g}", None
    return "", _time_ms(runner, feeds)


def difference(meant: Arrays, found: Arrays) -> float:
    """Largest difference of any output, relative to its largest value; NaN where something is no number."""
    worst = 0.0
    for name, value in meant.items():
        one, two = np.asarray(value, np.float64), np.asarray(found[name], np.float64)
        if one.shape != two.shape:
            return float("inf")
        if one.size:
            worst = float(np.maximum(worst, np.abs(one - two).max() / max(np.abs(one).max(), 1e-6)))
    return worst


def _time_ms(runner: Runner, feeds: Feeds) -> float:
    took = []
    for _ in range(_REPEATS):
        begun = time.perf_counter()
        runner.run(feeds)
        took.append(1e3 * (time.perf_counter() - begun))
    return float(np.median(took))
