"""Guessing gets slow: after a few wrong answers each further one has to wait, twice as long each time."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address

FREE, FREE_OF_ALL = 5, 50
"""Wrong answers without a wait: of one address, of all of them together"""
LONGEST_S = 300.0
FORGET_S = 3_600.0
MOST_ADDRESSES = 1_000
_EVERYBODY = ""


@dataclass(slots=True)
class Throttle:
    """`clock`: seconds that never go back. A bounded table: who was not seen for longest is forgotten."""

    clock: Callable[[], float]
    _wrong: OrderedDict[str, tuple[int, float]] = field(default_factory=OrderedDict)
    """Address -> (wrong answers, when the last one was)"""

    def wait_s(self, address: str) -> float:
        """Seconds before another answer of that address is looked at; 0 where none."""
        return max(self._left(_place(address), FREE), self._left(_EVERYBODY, FREE_OF_ALL))

    def wrong(self, address: str) -> None:
        for key in (_place(address), _EVERYBODY):
            count = self._count(key) + 1
            self._wrong[key] = (count, self.clock())
            self._wrong.move_to_end(key)
        self._wrong.move_to_end(_EVERYBODY)
        if len(self._wrong) > MOST_ADDRESSES:
            self._wrong.popitem(last=False)

    def right(self, address: str) -> None:
        """The owner is there: earlier slips of that address are forgiven."""
        self._wrong.pop(_place(address), None)

    def _count(self, key: str) -> int:
        count, at_s = self._wrong.get(key, (0, 0.0))
        return count if self.clock() - at_s < FORGET_S else 0

    def _left(self, key: str, free: int) -> float:
        over = self._count(key) - free
        if over < 0:
            return 0.0
        return max(0.0, self._wrong[key][1] + min(LONGEST_S, 2.0 ** min(over, 16)) - self.clock())


def _place(address: str) -> str:
    """An IPv6 address stands for its /64, of which one house has more addresses than there are guesses."""
    try:
        found = ip_address(address)
    except ValueError:
        return address or "?"
    return str(int(found) >> 64) if isinstance(found, IPv6Address) else address
