"""Questions that the pet's own card answers word for word: no model words better what its owner wrote."""

import re
from collections.abc import Sequence

from runtime.mind.memory.tokens import plain, tokens

_ASKS_IT = re.compile(
    r"^(?:what|where|when|who|which|how|why|are|do|does|is|have|can|tell me)\b.*\byou(?:r|rs|rself)?\b"
)


def card_answer(card: Sequence[str], heard: str) -> str | None:
    """The sentence of the card that holds every telling word of a question to the pet, the shortest first."""
    asked = set(tokens(heard)) if _ASKS_IT.match(plain(heard)) else set()
    fitting = [sentence for sentence in card if asked and asked <= set(tokens(sentence))]
    return min(fitting, key=len, default=None)
