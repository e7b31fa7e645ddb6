"""One line of `everpaw doctor`."""

from dataclasses import dataclass
from typing import Literal

Weight = Literal["needed", "optional"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, whether it is well, what was seen, and the cure."""

    name: str
    well: bool
    seen: str
    cure: str = ""
    weight: Weight = "needed"
    figure: float | None = None
    """What was measured, for who compares it with another time: milliseconds or MB"""
