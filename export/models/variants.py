"""Every precision asked for, measured against the checkpoint, and the one that is shipped."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from export.models import graph
from export.models.checkpoint import Checkpoint
from export.models.metrics import Figures, figures
from export.models.parity import Answers, Parity, compare, metric_misses, misses
from export.models.precision import ways
from export.models.samples import Inputs, Samples, feeds_for, of_engine
from export.models.timing import in_turns_ms
from runtime.contracts.errors import ExportError
from runtime.engines import Engine

T = TypeVar("T")
SLOWER = 1.1
RULE = (
    f"of the variants within all thresholds, those at most {SLOWER} times as slow as the fastest; of these "
    "the smallest file"
)


@dataclass(frozen=True)
class Variant:
    """One file, and what was measured of it."""

    precision: str
    way: str
    path: Path
    size: int
    """Bytes"""
    parity: Parity
    metrics: Figures = field(default_factory=dict)
    misses: tuple[str, ...] = ()
    latency_ms: float = 0.0
    """Of one golden input on one thread"""

    @property
    def row(self) -> dict[str, object]:
        return {
            "precision": self.precision, "way": self.way, "bytes": self.size,
            "latency_ms": round(self.latency_ms, 3), "parity": self.parity.figures, "metrics": self.metrics,
            "misses": list(self.misses),
        }  # fmt: skip


Prove = Callable[[Path, str, str], Variant]
"""(file, precision, way) -> what was measured of it"""


def make(float_file: Path, precision: str, target: str, calibrate: Sequence[Inputs], prove: Prove) -> Variant:
    """The first way of this precision that passes, else the one with the fewest misses."""
    best: Variant | None = None
    for way in ways(target, precision):
        name = way.__name__.replace("_", " ")
        path = float_file.with_name(f"{precision}-{way.__name__}.onnx")
        with graph.quiet():
            way(float_file, path, calibrate)
        found = prove(path, precision, name)
        print(f"{precision}, {name}: {'; '.join(found.misses) or 'passes'}", file=sys.stderr, flush=True)
        if best is None or len(found.misses) < len(best.misses):
            best = found
        if not found.misses:
            break
    if best is None:
        raise ExportError(f"there is no way to {precision} for {target}")
    return best


@dataclass(frozen=True)
class Truth:
    """What the variants are held against."""

    answers: Answers
    """The checkpoint's own"""
    original: Answers
    """Those of what it was before pruning; the same where nothing was pruned"""
    metrics: Figures
    """Of the original"""


def measure(
    checkpoint: Checkpoint, path: Path, precision: str, way: str, samples: Samples, truth: Truth
) -> Variant:
    """Size, latency, parity, the task's figure, and what misses a threshold."""
    engine = Engine(path)
    answers = of_engine(engine, checkpoint.task.output, samples.prove)
    parity = compare(truth.answers, answers)
    metrics = figures(checkpoint, samples.prove, truth.original, answers)
    missed = misses(parity, precision) + metric_misses(checkpoint.task.name, truth.metrics, metrics)
    return Variant(precision, way, path, path.stat().st_size, parity, metrics, tuple(missed))


def timed(
    made: Sequence[Variant], ask: Callable[[Path], Callable[[T], object]], inputs: Sequence[T]
) -> list[Variant]:
    """The same with their latencies, measured in turns; `ask` opens a file."""
    took_ms = in_turns_ms({number: ask(one.path) for number, one in enumerate(made)}, inputs)
    return [replace(one, latency_ms=took_ms[number]) for number, one in enumerate(made)]


def runner(path: Path) -> Callable[[Inputs], object]:
    """Opens a file that takes the samples' inputs."""
    engine = Engine(path)
    return lambda given: engine.run(feeds_for(engine, given))


def choose(variants: Sequence[Variant], accept_miss: bool = False) -> Variant:
    """By RULE. ExportError where none passes, unless a miss is accepted: then the one with the fewest."""
    passing = [one for one in variants if not one.misses]
    if not passing and not accept_miss:
        said = "; ".join(f"{one.precision}: {', '.join(one.misses)}" for one in variants)
        raise ExportError(f"no variant is within the thresholds ({said}); --accept-miss ships one, marked")
    least = min(len(one.misses) for one in variants)
    rivals = passing or [one for one in variants if len(one.misses) == least]
    fastest = min(one.latency_ms for one in rivals)
    return min((one for one in rivals if one.latency_ms <= SLOWER * fastest), key=lambda one: one.size)
