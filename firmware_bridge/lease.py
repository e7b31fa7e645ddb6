"""The mind's leave to move: it lapses unless renewed, and when the clock it is counted by goes astray."""

LEASE_MS = 250


class Lease:
    """Times are milliseconds of the robot's monotonic clock. From arming until the first, none is asked."""

    def __init__(self) -> None:
        self._renewed_ms: int | None = None
        self._was_held = False

    def renew(self, now_ms: int) -> None:
        self._renewed_ms = now_ms

    def held(self, now_ms: int) -> bool:
        """Renewed at most LEASE_MS ago; a clock that went back has no lease."""
        return self._renewed_ms is not None and 0 <= now_ms - self._renewed_ms <= LEASE_MS

    def may_hold_still(self, now_ms: int) -> bool:
        """Whether setpoints may flow: with a lease, or before the first one, when they only hold the pose."""
        return self._renewed_ms is None or self.held(now_ms)

    def begin_armed(self, now_ms: int) -> None:
        """A lease of before does not count."""
        if not self.held(now_ms):
            self._renewed_ms = None

    def change(self, now_ms: int) -> bool | None:
        """True where it has begun since the last call, False where it lapsed, None where nothing changed."""
        held = self.held(now_ms)
        if held == self._was_held:
            return None
        self._was_held = held
        return held
