"""Questions and answers made from a card, to teach a language model: never from the notes themselves.

A line that is deleted from the card is in no pair of the next build, and so in no model that learns from it.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from training.clone.persona.card import Card

ASKS = {
    "I love": ("what do you love", "what do you like best", "what makes you happy"),
    "I like": ("what do you like", "what do you enjoy"),
    "My favourite": ("what is your favourite thing", "what do you like best"),
    "I am afraid": ("what are you afraid of", "what scares you", "are you afraid of something"),
    "I do not like": ("what do you not like", "what do you hate", "is there something you dislike"),
    "I sleep": ("where do you sleep", "where is your bed"),
    "My best friend": ("who is your best friend", "do you have a best friend"),
    "I always": ("do you have a habit", "what do you always do", "what is special about you"),
}  # fmt: skip
"""How a sentence of a card begins -> what asks for it"""
_SOUNDS = ("when do you {verb}", "why do you {verb}")


def pairs(card: Card) -> Iterator[dict[str, str]]:
    """{"heard", "said", "from"} for every sentence of the card."""
    for fact in card.facts:
        for ask in _asks(fact.says, fact.kind):
            yield {"heard": ask, "said": fact.says, "from": fact.source}


def _asks(says: str, kind: str) -> tuple[str, ...]:
    if kind == "sounds":
        verb = says.split()[1].strip(".")
        return tuple(ask.format(verb=verb) for ask in _SOUNDS)
    return next((asks for begins, asks in ASKS.items() if says.startswith(begins)), ())


def write(card: Card, path: Path) -> int:
    """One JSON object a line; how many."""
    rows = [json.dumps(pair, ensure_ascii=False) for pair in pairs(card)]
    path.write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")
    return len(rows)
