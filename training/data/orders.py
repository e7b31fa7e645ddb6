"""Orders to the pet, and the lines that go with their acts."""

import random
import re
from functools import cache

import numpy as np

from runtime import starter
from runtime.mind.acts import Act, ActionRow, load_actions, read_toml, validated
from runtime.mind.dialogue import Persona
from runtime.mind.grammar import Grammar
from runtime.mind.prompt import NO_ACT
from runtime.mind.slots import find_slots
from runtime.mind.wording import words_of
from training.data import wordings
from training.data.phrases import Part, read

Order = tuple[str, str, dict[str, str]]
"""(what is said, intent, slots)"""
_SIDES = ("left", "right", "up", "down", "around")
_SLOT = re.compile(r"\{(\w+)\}")


@cache
def orders(part: Part) -> dict[str, list[Order]]:
    """Intent -> orders: sentences of the grammar and free wordings; of the held-out part wordings only."""
    grammar = Grammar.load(starter.FOLDER / "grammar.yaml")
    sentences = grammar.sentences(np.random.default_rng(0), 8_000)
    known = {text for text, _, _ in sentences} | {text for text, _ in wordings.paraphrases("train")}
    found: dict[str, list[Order]] = {}
    for text, intent in wordings.paraphrases(part):
        if part == "train" or text not in known:
            slots = find_slots(words_of(text), grammar.slots.get(intent, {}))
            found.setdefault(intent, []).append((text, intent, slots))
    if part == "train":
        for text, intent, slots in {s[0]: s for s in sentences}.values():
            found.setdefault(intent, []).append((text, intent, slots))
    return {intent: found[intent] for intent in sorted(read("commands")) if intent in found}


@cache
def rows() -> dict[str, ActionRow]:
    return load_actions(starter.FOLDER / "actions.toml")


@cache
def _persona() -> Persona:
    path = starter.FOLDER / "persona.toml"
    return validated(Persona, read_toml(path), path)


def act_of(order: Order) -> str:
    act = rows().get(order[1], ActionRow()).act(order[2])
    return act.name if act else NO_ACT


def acts() -> list[str]:
    """Every act that the pack's table names, and NO_ACT."""
    found: set[str] = {NO_ACT}
    for row in rows().values():
        all_of_it: list[Act | None] = [row.do, *(a for values in row.slots.values() for a in values.values())]
        found |= {act.name for act in all_of_it if act is not None}
    return sorted(found)


def reply(order: Order, name: str, mood: str, chance: random.Random) -> str:
    """A line for the order: what the persona has for it, and more of commands.yaml."""
    text, intent, slots = order
    lines = _persona().lines.get(intent)
    own = lines.fitting(mood, frozenset(words_of(text))) if lines else []
    more = read("commands")[intent]["said"].split("|")
    values = {**slots, "name": name, "mood": mood}
    pool = [line for line in [*own, *own, *more] if values.keys() >= {*_SLOT.findall(line)}]
    said = _SLOT.sub(lambda found: values[found[1]], chance.choice(pool))
    return said[:1].upper() + said[1:]


def all_lines() -> list[str]:
    """Everything the starter's persona says."""
    found = []
    for lines in _persona().lines.values():
        found += [
            *lines.any,
            *(text for more in (lines.mood, lines.said) for own in more.values() for text in own),
        ]
    return found


def unfit(order: Order) -> str:
    """What a reply must not say: a side it does not turn or look to. A regular expression, "" for nothing."""
    direction = order[2].get("direction")
    return "|".join(rf"\b{side}\b" for side in _SIDES if direction and side != direction)


def fitting_words(order: Order, name: str) -> tuple[str, ...]:
    """A reply that agrees with the act has one of these."""
    values = {**order[2], "name": name}
    words = [values.get(word, word) for word in read("commands")[order[1]]["words"].split()]
    lines = _persona().lines.get(order[1])
    said = lines.said if lines else {}
    heard = words_of(order[0])
    extra = [w for key, texts in said.items() if key in heard for text in texts for w in words_of(text)[:3]]
    return tuple(sorted({*words, *extra}))
