"""Short lessons for the tests."""

from pathlib import Path

from runtime.contracts.config import load_config
from training.school.settings import Lesson

QUICK = (
    "length.steps=6",
    "length.batch=8",
    "machine.tracker=none",
    "machine.threads=1",
    "optimiser.rate=0.003",
)


def pairs_of(start: Path, table: Path, *more: str) -> tuple[str, ...]:
    return (f"start={start}", f"data.train={table}", *QUICK, *more)


def words(start: Path, table: Path, *more: str) -> list[str]:
    return [word for pair in pairs_of(start, table, *more) for word in ("--set", pair)]


def lesson_of(start: Path, table: Path, *more: str) -> Lesson:
    return load_config(Lesson, None, pairs_of(start, table, *more))
