"""What was really said in a conversation: words the pet had no time to speak are not in it."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

LENGTH = 50
"""Turns remembered"""
_WHOLE = 0.97
"""A reply spoken so far was spoken whole: the rest is the voice dying away"""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One turn: what the person said and what the pet answered."""

    heard: str | None
    reply: str
    """What the pet meant to say"""
    spoken: Callable[[], float]
    """The share of the reply that has sounded, 0..1; it may still grow"""

    @property
    def said(self) -> str:
        """The part of the reply that was heard in the room."""
        return spoken_part(self.reply, self.spoken())


class History:
    """The last turns, oldest first."""

    def __init__(self) -> None:
        self._exchanges: deque[Exchange] = deque(maxlen=LENGTH)

    def add(self, heard: str | None, reply: str, spoken: Callable[[], float]) -> None:
        """Remember a turn whose reply begins to sound."""
        self._exchanges.append(Exchange(heard, reply, spoken))

    def turns(self) -> list[tuple[str | None, str]]:
        """(heard, said) of every turn remembered."""
        return [(exchange.heard, exchange.said) for exchange in self._exchanges]

    def clear(self) -> None:
        self._exchanges.clear()


def spoken_part(text: str, share: float) -> str:
    """The whole words within the first `share` (0..1) of `text`, by letters; all of it from 0.97 on."""
    if share >= _WHOLE:
        return text
    words, letters = text.split(), max(1, len(text.replace(" ", "")))
    kept: list[str] = []
    spoken = 0
    for word in words:
        spoken += len(word)
        if spoken > share * letters:
            break
        kept.append(word)
    return " ".join(kept)
