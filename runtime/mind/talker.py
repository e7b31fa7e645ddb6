"""Whatever can put the pet's answer into words: a language model on the robot, or one behind a server."""

from collections.abc import Iterator
from typing import Protocol

from runtime.mind.prompt import Prompt


class Talker(Protocol):
    """Puts an answer into words while the caller already speaks them."""

    def stream(self, prompt: Prompt, *, seed: int) -> Iterator[str]:
        """The reply, piece by piece as it comes; pieces joined are the whole text, and it ends by itself.

        Same prompt, seed and model: same text. Stop asking for pieces and the rest is never computed.
        Raises an EverpawError where no reply can be made; what was yielded until then stands.
        """
        ...
