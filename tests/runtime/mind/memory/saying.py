"""Typed words to a memory on its own."""

import re

from runtime.mind.memory.memory import Memory

UNKNOWN = re.compile(r"don't know", re.IGNORECASE)


class Clock:
    """Seconds that a test sets."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def says(memory: Memory, text: str) -> str:
    """The answer, "" where it is the dialogue's to give."""
    answer = memory.hear(text)
    return "" if answer is None else answer.text
