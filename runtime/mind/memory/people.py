"""Who is speaking, as far as told: "I am Tom" until it is quiet for long, the owner otherwise."""

from dataclasses import dataclass, field

from runtime.mind.memory.facts import OWNER

GONE_S = 600.0
"""Silence after which whoever had introduced themselves is taken to have left"""


@dataclass(slots=True)
class Speaker:
    """`at` is called with the time of every turn, in seconds of a clock that never goes back."""

    person: str = OWNER
    name: str = ""
    """As it is written: "Tom" """
    _heard_s: float = field(default=float("-inf"))

    def at(self, now_s: float) -> None:
        if now_s - self._heard_s > GONE_S:
            self.become(OWNER, "")
        self._heard_s = now_s

    def become(self, person: str, name: str) -> None:
        self.person, self.name = person, name
