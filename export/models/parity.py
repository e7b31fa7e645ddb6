"""Do two engines say the same? Counted over golden inputs, judged by `thresholds.toml`."""

import tomllib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

THRESHOLDS = Path(__file__).with_name("thresholds.toml")
Answers = Sequence[npt.NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Parity:
    """How another engine's answers differ from the reference's."""

    n: int
    """Golden inputs"""
    max_abs: float
    """Largest difference of any number"""
    cosine: float
    """Of the input whose answers point apart most"""
    agreement: float
    """Share of the places where the same entry of the last axis is the largest"""

    @property
    def figures(self) -> dict[str, float]:
        return {name: round(float(value), 6) for name, value in asdict(self).items()}


def compare(reference: Answers, other: Answers) -> Parity:
    """Both: one array an input, of the same shapes."""
    same: list[npt.NDArray[np.bool_]] = []
    largest, cosine = 0.0, 1.0
    for one, two in zip(reference, other, strict=True):
        largest = max(largest, float(np.abs(one - two).max()))
        cosine = min(cosine, _cosine(one, two))
        same.append((one.argmax(-1) == two.argmax(-1)).ravel())
    return Parity(len(reference), largest, cosine, float(np.concatenate(same).mean()))


def _cosine(one: npt.NDArray[np.float32], two: npt.NDArray[np.float32]) -> float:
    a, b = one.astype(np.float64).ravel(), two.astype(np.float64).ravel()
    length = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / length if length else float(not (a.any() or b.any()))


@cache
def thresholds() -> dict[str, dict[str, float]]:
    return tomllib.loads(THRESHOLDS.read_text())


def misses(found: Parity, precision: str, least: int = 32) -> list[str]:
    """What falls outside the thresholds of this precision, in words; empty: it passes."""
    limits = thresholds()[precision]
    said = []
    if found.n < least:
        said.append(f"{found.n} golden inputs, at least {least} are needed")
    if not found.max_abs <= limits["max_abs"]:
        said.append(f"largest difference {found.max_abs:.3g}, at most {limits['max_abs']:g}")
    if not found.cosine >= limits["cosine"]:
        said.append(f"cosine {found.cosine:.5f}, at least {limits['cosine']:g}")
    if not found.agreement >= limits["agreement"]:
        said.append(f"agreement {100 * found.agreement:.2f} %, at least {100 * limits['agreement']:g} %")
    return said


def metric_misses(task: str, reference: dict[str, float], found: dict[str, float]) -> list[str]:
    """Figures of the task that fell further than its thresholds allow, against the float model's."""
    said = []
    for name, allowed in thresholds().get(f"metric_{task}", {}).items():
        if name in reference and not found.get(name, float("inf")) - reference[name] <= allowed:
            got = found.get(name)
            said.append(f"{name} {reference[name]:g} became {got}, at most {allowed:g} more")
    return said
