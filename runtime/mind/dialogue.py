"""What the pet does about what it understood, and the persona's line for it: varied, seeded.

The act comes from the pack's table, never from the words, so that words and motion agree. What a rule
(runtime.mind.rules) answers stands before the lines. Where a language model is to find the words
(runtime.mind.who), the line stands by for it.
"""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from runtime.life.quirks import Quirk
from runtime.mind import safety
from runtime.mind.acts import UNKNOWN, Act, ActionRow, load_actions, read_toml, validated
from runtime.mind.behaviour import Understanding
from runtime.mind.early import Plan
from runtime.mind.forbidden import Instead
from runtime.mind.grammar import normalise
from runtime.mind.prompt import Prompt
from runtime.mind.who import By
from runtime.mind.wording import words_of

__all__ = ["Act", "Dialogue", "Reply"]

_SLOT = re.compile(r"\{(\w+)\}")
OTHER = "other"
"""Lines for an intent the persona has none for"""


@dataclass(frozen=True, slots=True)
class Reply:
    """`sound` is a kind of the sound bank, played before the words; `text` may be empty."""

    text: str
    """With `prompt`: what is said where the model fails"""
    sound: str | None = None
    act: Act | None = None
    by: By = "lines"
    """Who found the words, or is to find them"""
    why: str = ""
    """Why it is that one, and what was held back"""
    prompt: Prompt | None = None
    """What a language model is to answer; None: `text` is all that is said"""
    seed: int = 0
    """For the model"""
    promises: bool = False
    """The words promise what the body is to do"""


class Lines(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    any: list[str] = Field(min_length=1)
    mood: dict[str, list[str]] = {}
    said: dict[str, list[str]] = {}

    @property
    def everything(self) -> list[str]:
        return [text for some in (self.any, *self.mood.values(), *self.said.values()) for text in some]

    def fitting(self, mood: str, words: frozenset[str]) -> list[str]:
        """Lines for what was said before all, else those of any mood and of this one."""
        for word, lines in self.said.items():
            if word in words:
                return lines
        return [*self.any, *self.mood.get(mood, [])]


class Persona(BaseModel):
    """`persona.toml`."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str = Field(min_length=1, max_length=40)
    card: tuple[str, ...] = ()
    """Who the pet is, in short sentences as it says them of itself; a language model reads them"""
    life: Literal["living", "memory"] = "living"
    """memory: it stands for an animal that has died"""
    style: dict[str, Annotated[float, Field(ge=0, le=1)]] = {}
    """How lively, sociable, curious, calm it is, 0.5 being ordinary; its drives are set from these"""
    quirk: Annotated[tuple[Quirk, ...], Field(max_length=32)] = ()
    """What this one animal does of its own will besides"""
    lines: dict[str, Lines]


class Dialogue:
    """One pet's way of answering. Deterministic: seed and calls decide everything."""

    def __init__(
        self,
        persona: Path,
        actions: Path,
        seed: int = 0,
        *,
        left: Callable[[Persona], Persona] = lambda persona: persona,
        help: str = safety.HELP,
    ) -> None:
        """`left`: the persona as its owner limits it. `help`: said where danger is guessed."""
        self.persona = left(validated(Persona, read_toml(persona), persona))
        self._help = help
        self.actions = load_actions(actions)
        own = [text for lines in self.persona.lines.values() for text in lines.everything]
        self.vocabulary = frozenset(normalise(" ".join([*self.persona.card, *own])).split())
        """Every word of the persona"""
        self._chance = random.Random(seed)
        self._last: dict[str, str] = {}

    def effects(self) -> dict[str, tuple[float, float]]:
        """Intent -> (valence, arousal), for runtime.mind.emotion."""
        return {intent: (row.valence, row.arousal) for intent, row in self.actions.items()}

    def plan(self, understanding: Understanding) -> Plan:
        """What `reply` would have body and sounds do; changes nothing."""
        if understanding.intent == safety.CRISIS:
            return Plan(self._crisis())
        row = self.row(understanding)
        return Plan(row.act(understanding.slots), None if understanding.rule else row.sound)

    def _crisis(self) -> Act:
        return self.actions.get(safety.CRISIS, ActionRow()).do or Act(kind="halt", name="halt")

    def reply(self, understanding: Understanding, mood: str, text: str | None = None) -> Reply:
        """The answer to `understanding`; `text` is what was heard, as heard."""
        words, rule = words_of(text or ""), understanding.rule
        if understanding.intent == safety.CRISIS or safety.is_crisis(" ".join(words)):
            return Reply(rule.answer if rule else self._help, None, self._crisis(), "rule")
        row = self.row(understanding)
        if rule:
            answer = rule.answer.format(name=self.persona.name)
            return Reply(answer, None, row.act(understanding.slots), "rule")
        intent = understanding.intent or UNKNOWN
        slots = {**understanding.slots, "name": self.persona.name, "mood": mood}
        line = self._line(intent, mood, frozenset(words), slots)
        return Reply(line, row.sound, row.act(understanding.slots), promises=row.words == "order")

    def row(self, understanding: Understanding) -> ActionRow:
        """The table's row for what was understood."""
        if understanding.intent is None:
            return self.actions.get(UNKNOWN, ActionRow(words="open talk"))
        intent = understanding.rule.like if understanding.rule else understanding.intent
        return self.actions.get(intent, ActionRow())

    def instead(self, what: Instead, mood: str) -> str:
        """What is said in place of words that a rule held back; "" where it is no more than silence."""
        if what == "help":
            return self._help
        slots = {"name": self.persona.name, "mood": mood}
        return self._line(what, mood, frozenset(), slots) if what in self.persona.lines else ""

    def _line(self, intent: str, mood: str, words: frozenset[str], slots: dict[str, str]) -> str:
        lines = self.persona.lines.get(intent) or self.persona.lines.get(OTHER)
        if lines is None:
            return ""
        filled = [text for line in lines.fitting(mood, words) if (text := _fill(line, slots))]
        if (
            len({*filled} - {self._last.get(intent)}) == 0
        ):  # a single line for what was said: widen the choice
            filled += [text for line in lines.any if (text := _fill(line, slots))]
        fresh = [text for text in filled if text != self._last.get(intent)] or filled
        chosen = self._chance.choice(fresh) if fresh else ""
        self._last[intent] = chosen
        return chosen


def _fill(line: str, slots: dict[str, str]) -> str | None:
    """The line with its slots, first letter large; None where a slot was not said."""
    if not slots.keys() >= {*_SLOT.findall(line)}:
        return None
    text = _SLOT.sub(lambda found: slots[found[1]], line)
    return text[:1].upper() + text[1:]
