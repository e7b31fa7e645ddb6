"""A memory that its owner allowed, in a folder of its own."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from runtime.mind.memory.memory import Memory
from tests.runtime.mind.memory.saying import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def memory(tmp_path: Path, clock: Clock) -> Memory:
    wall = datetime(2026, 5, 4, tzinfo=UTC)
    return Memory(tmp_path / "memory", enabled=True, clock=clock, wall=lambda: wall)
