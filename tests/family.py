"""A process and all that it started."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


def family(pid: int) -> Iterator[int]:
    """Its number, then those of all living processes below it."""
    yield pid
    tasks: list[Path] = []
    with suppress(OSError):  # it has just ended
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
    for task in tasks:
        children: list[str] = []
        with suppress(OSError):  # this thread has just ended; the children of the others still count
            children = (task / "children").read_text().split()
        for child in children:
            yield from family(int(child))
