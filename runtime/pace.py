"""How long something that is counted will still take."""

import time


class Pace:
    """Begins to count with its making; `total` in whatever unit `left` is told."""

    def __init__(self, total: float) -> None:
        self._total, self._began_s = total, time.monotonic()

    def left(self, done: float) -> str:
        """ "2.9 minutes left" at the pace so far; `done` is more than 0."""
        left_s = (time.monotonic() - self._began_s) * (self._total / done - 1)
        return f"{left_s / 60:.1f} minutes left"
