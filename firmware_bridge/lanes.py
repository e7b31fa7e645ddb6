"""Two lanes, kept apart where the movements are made: the owner goes before the pet's own will, always.

Everything whose source is not "autonomy" is the owner's. No clock; times are milliseconds of the robot's.
"""

from runtime.contracts import messages as m

STILL_MS = 60_000
"""After a halt or a stop the pet's own will waits so long, unless the owner orders a movement before"""
ARMED_MS = 5_000
"""After arming a hand is still near"""
LISTEN_MS = 30_000
"""Nobody speaks for longer; a mind that forgets to say so does not keep the pet still for ever"""
MAY_SEND = frozenset({"skill", "gait", "idle", "halt"})
"""What the pet's own will may ask for at all; a stop is nobody's to refuse"""


class Lanes:
    """Whether a movement of the pet's own will may begin."""

    def __init__(self) -> None:
        self._halted_until_ms = self._armed_until_ms = self._listens_until_ms = 0

    def halted(self, now_ms: int) -> None:
        """Somebody wanted stillness."""
        self._halted_until_ms = now_ms + STILL_MS

    def armed(self, now_ms: int) -> None:
        self._armed_until_ms = now_ms + ARMED_MS

    def owner_moved(self) -> None:
        """An order was obeyed: the stillness is over."""
        self._halted_until_ms = 0

    def listen(self, listening: bool, now_ms: int) -> None:
        self._listens_until_ms = now_ms + LISTEN_MS if listening else 0

    def is_still(self, now_ms: int) -> bool:
        """Not even the small movements begin anew."""
        return now_ms < self._halted_until_ms

    def refusal(self, source: m.Source, under_way: m.Source | None, now_ms: int) -> str:
        """Why `source` may not begin a movement while one of `under_way` goes on; empty where it may."""
        if source != "autonomy":
            return ""
        if under_way is not None and under_way != "autonomy":
            return "the owner's movement is under way"
        if now_ms < self._listens_until_ms:
            return "somebody speaks to the pet"
        if self.is_still(now_ms):
            return f"halted: still for {(self._halted_until_ms - now_ms) / 1000:.0f} s or until an order"
        if now_ms < self._armed_until_ms:
            return "armed a moment ago: a hand may be near"
        return ""
