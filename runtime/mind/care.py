"""Limits that its owner sets: words that the pet never says, and what changes where a child talks with it."""

import re
from collections.abc import Iterable

from runtime.contracts.config import DialogueSettings
from runtime.mind import rules, safety
from runtime.mind.dialogue import Lines, Persona
from runtime.mind.grammar import normalise

HONEST = "ask_robot"
"""The lines that stay whatever is not to be said: what it is"""
CHILD_HELP = next(rule.answer for rule in rules.CHILD if rule.intent == safety.CRISIS)


class Unsaid:
    """The owner's words that stay unsaid, alone and with an s behind them."""

    def __init__(self, words: Iterable[str] = ()) -> None:
        plain = [re.escape(normalise(word)) for word in words if normalise(word)]
        self._pattern = re.compile(rf"\b(?:{'|'.join(plain)})(?:'?s)?\b") if plain else None

    def find(self, text: str) -> str | None:
        """The first of them in `text`, or None."""
        found = self._pattern.search(normalise(text)) if self._pattern else None
        return found.group() if found else None

    def left(self, persona: Persona) -> Persona:
        """The persona without sentences that hold one; who it says that it is stays."""
        card = (*persona.card[:1], *(s for s in persona.card[1:] if not self.find(s)))
        kept = {intent: self._lines(lines) for intent, lines in persona.lines.items() if intent != HONEST}
        lines = {intent: left for intent, left in kept.items() if left is not None}
        if HONEST in persona.lines:
            lines[HONEST] = persona.lines[HONEST]
        return persona.model_copy(update={"card": card, "lines": lines})

    def _lines(self, lines: Lines) -> Lines | None:
        """None where nothing is left to say."""
        every = [text for text in lines.any if not self.find(text)]
        some = {
            part: {
                key: left for key, texts in rows.items() if (left := [t for t in texts if not self.find(t)])
            }
            for part, rows in (("mood", lines.mood), ("said", lines.said))
        }
        return lines.model_copy(update={"any": every, **some}) if every else None


def to_children(settings: DialogueSettings) -> DialogueSettings:
    """Who words the answers to a child: the ready lines, no language model, no server."""
    lines = {"orders": "lines", "small_talk": "lines", "open_talk": "lines", "server": ""}
    return settings.model_copy(update=lines)
