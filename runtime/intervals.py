"""How far a share that was counted can be trusted."""

from dataclasses import dataclass
from math import sqrt

_Z = 1.96
"""95 % of a normal distribution"""


@dataclass(frozen=True, slots=True)
class Share:
    """`right` of `n`. In words: "95 % (89-98, n 100)"."""

    right: int
    n: int

    def __str__(self) -> str:
        if not self.n:
            return "- (n 0)"
        low, high = wilson(self.right, self.n)
        return f"{100 * self.right / self.n:.0f} % ({100 * low:.0f}-{100 * high:.0f}, n {self.n})"


def wilson(right: int, n: int) -> tuple[float, float]:
    """The 95 % interval of a share, 0..1 (Wilson, 1927); everything is possible where n is 0."""
    if n == 0:
        return 0.0, 1.0
    p, room = right / n, 1 + _Z * _Z / n
    middle, spread = p + _Z * _Z / (2 * n), _Z * sqrt(p * (1 - p) / n + _Z * _Z / (4 * n * n))
    return max(0.0, (middle - spread) / room), min(1.0, (middle + spread) / room)
