"""The mind's leave to move: it lapses unless renewed, and when the clock it is counted by goes astray."""

LEASE_MS = 250
FIRST_LEASE_MS = 10_000
"""From arming; ten times what a mind started beside the bridge takes until it listens"""


class Lease:
    """Times are milliseconds of the robot's monotonic clock. From arming until the first lease, none is asked
    for `FIRST_LEASE_MS`.
    """

    def __init__(self) -> None:
        self._renewed_ms: int | None = None
        self._armed_ms: int | None = None
        """When the wait for a first lease began; None where none is waited for"""
        self._was_held = False

    def renew(self, now_ms: int) -> None:
        self._renewed_ms, self._armed_ms = now_ms, None

    def held(self, now_ms: int) -> bool:
        """Renewed at most LEASE_MS ago; a clock that went back has no lease."""
        return self._renewed_ms is not None and 0 <= now_ms - self._renewed_ms <= LEASE_MS

    def may_hold_still(self, now_ms: int) -> bool:
        """Whether setpoints may flow: with a lease, or while the first one is waited for, when they only
        hold the pose.
        """
        waits = self._armed_ms is not None and 0 <= now_ms - self._armed_ms <= FIRST_LEASE_MS
        return waits or self.held(now_ms)

    def begin_armed(self, now_ms: int) -> None:
        """A lease of before does not count."""
        if not self.held(now_ms):
            self._renewed_ms, self._armed_ms = None, now_ms

    def missed(self, now_ms: int) -> bool:
        """True once, where the first lease did not come in time."""
        if self._armed_ms is None or self.may_hold_still(now_ms):
            return False
        self._armed_ms = None
        return True

    def change(self, now_ms: int) -> bool | None:
        """True where it has begun since the last call, False where it lapsed, None where nothing changed."""
        held = self.held(now_ms)
        if held == self._was_held:
            return None
        self._was_held = held
        return held
