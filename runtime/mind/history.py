"""What was really said in a conversation: words the pet had no time to speak are not in it."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

LENGTH = 50
"""Turns remembered"""
_WHOLE = 0.97
"""A reply spoken so far was spoken whole: the rest is the voice dying away"""


@dataclass(slots=True)
class Exchange:
    """One turn: what the person said and what the pet answers, sentence by sentence."""

    heard: str | None
    clear: float = 1.0
    """The probability that it was heard right"""
    sentences: list[tuple[str, Callable[[], float]]] = field(default_factory=list)
    """What the pet set out to say, each with the share of it that has sounded, 0..1, which may still grow"""

    def add(self, sentence: str, spoken: Callable[[], float]) -> None:
        """A sentence begins to sound."""
        self.sentences.append((sentence, spoken))

    @property
    def said(self) -> str:
        """The part of the reply that was heard in the room."""
        return " ".join(part for text, spoken in self.sentences if (part := spoken_part(text, spoken())))

    @property
    def everything(self) -> str:
        """All that was heard and meant to be said, in small letters."""
        return " ".join([self.heard or "", *(text for text, _ in self.sentences)]).lower()


class History:
    """The last turns, oldest first."""

    def __init__(self) -> None:
        self._exchanges: deque[Exchange] = deque(maxlen=LENGTH)

    def begin(self, heard: str | None, clear: float = 1.0) -> Exchange:
        """Remember a turn whose reply is still to come."""
        self._exchanges.append(Exchange(heard, clear))
        return self._exchanges[-1]

    def add(self, heard: str | None, reply: str, spoken: Callable[[], float], clear: float = 1.0) -> None:
        """Remember a turn whose whole reply begins to sound."""
        self.begin(heard, clear).add(reply, spoken)

    def turns(self) -> list[tuple[str | None, str]]:
        """(heard, said) of every turn remembered."""
        return [(exchange.heard, exchange.said) for exchange in self._exchanges]

    def understood(self, least_clear: float) -> tuple[tuple[str, str], ...]:
        """(heard, said) of the turns that were heard well enough and answered aloud."""
        return tuple(
            (exchange.heard, said)
            for exchange in self._exchanges
            if exchange.heard and exchange.clear >= least_clear and (said := exchange.said)
        )

    def forget(self, texts: Sequence[str]) -> None:
        """Drop every turn in which one of `texts` was heard or set out to be said."""
        gone = [text.lower() for text in texts if text]
        kept = [e for e in self._exchanges if not any(text in e.everything for text in gone)]
        self._exchanges = deque(kept, maxlen=LENGTH)

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
