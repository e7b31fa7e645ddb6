"""Language models that do what a test wants: speak a script, dawdle, break, or talk nonsense."""

import threading
import time
from collections.abc import Iterator

from runtime.contracts.errors import PackError
from runtime.mind.prompt import Prompt


class ScriptedTalker:
    """Says the next text of a list to each prompt (the last one for ever), in pieces of some letters."""

    def __init__(self, *texts: str, letters: int = 3, piece_s: float = 0.0) -> None:
        self.texts, self.letters, self.piece_s = list(texts), letters, piece_s
        self.prompts: list[Prompt] = []
        self.seeds: list[int] = []
        self.given = 0
        """Pieces asked for"""
        self.closed = threading.Event()
        """The last stream was ended, to its end or before"""

    def stream(self, prompt: Prompt, *, seed: int) -> Iterator[str]:
        self.prompts.append(prompt)
        self.seeds.append(seed)
        self.closed.clear()
        text = self.texts.pop(0) if len(self.texts) > 1 else self.texts[0]
        try:
            for start in range(0, len(text), self.letters):
                time.sleep(self.piece_s)
                self.given += 1
                yield text[start : start + self.letters]
        finally:
            self.closed.set()


class BreakingTalker:
    """Says its text and breaks instead of ending."""

    def __init__(self, text: str = "", error: Exception | None = None) -> None:
        self.text, self.error = text, error or PackError("the model broke")
        self.asked = 0

    def stream(self, prompt: Prompt, *, seed: int) -> Iterator[str]:
        self.asked += 1
        yield from self.text
        raise self.error
