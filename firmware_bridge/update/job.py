"""What an update says of itself while it goes on: states for the `job/update` topic and for the terminal."""

import time
from collections.abc import Callable

from firmware_bridge.update.disk import full
from runtime.contracts import messages as m
from runtime.contracts.errors import PackError, UpdateError

TOLD_EVERY_S = 0.5
Tell = Callable[[m.JobState], None]


class Job:
    """`name` and `sha256` are set as soon as the release is known."""

    def __init__(self, tell: Tell) -> None:
        self.name, self.sha256 = "", ""
        self._say = tell
        self._done = self._total = 0
        self._told_s = 0.0

    def expect(self, total: int) -> None:
        """So many bytes are to come."""
        self._done, self._total = 0, total

    def came(self, size: int) -> None:
        """So many more are there; fewer where a blob begins anew."""
        self._done += size
        if time.monotonic() - self._told_s > TOLD_EVERY_S or self._done >= self._total:
            self.tell("downloading")

    def tell(self, status: m.JobStatus, *, code: str = "", detail: str = "") -> m.JobStatus:
        """Say it; returns `status`, for who ends with it."""
        self._told_s = time.monotonic()
        self._say(
            m.JobState(
                status=status,
                release=self.name[:200],
                pack_sha256=self.sha256,
                bytes_done=self._done,
                bytes_total=self._total,
                code=code,
                detail=detail[:1_000],
                mono_ms=int(self._told_s * 1e3),
            )
        )
        return status

    def guarded(self, work: Callable[[], str]) -> str:
        """Run `work`; what stops it is told before it goes on; a full disk becomes an UpdateError."""
        try:
            return work()
        except UpdateError as error:
            self.tell("refused", code=error.code, detail=str(error))
            raise
        except PackError as error:
            self.tell("refused", code="malformed", detail=str(error))
            raise
        except OSError as error:
            told = full(error)
            self.tell("failed", code=told.code if told else "disk", detail=str(told or error))
            raise (told or error) from error
