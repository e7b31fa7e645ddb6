"""Conversations with many pets, made from sentences: what the dialogue model learns from and is measured on.

A `Scene` is one pet with its card and some remembered facts, and turns that have nothing else in common.
"""

import random
import re
from dataclasses import dataclass, field, replace
from functools import cache

from runtime.mind.emotion import MOODS
from runtime.mind.spelling import words_in
from training.data import corpora, orders
from training.data.phrases import Part, lines, lists, read, share
from training.data.turns import IGNORANT, LEAD_INS, OPENERS, SORTS, Turn, TurnMaker, sentence

_SLOT = re.compile(r"\$\w+|\{\w*\}|\|")
_EXTRAS = ("please", "hey {name}", "{name}", "so", "tell me", "oh", "um", "and", "now", "well")
_DROPPED = frozenset(["the", "a", "is", "my", "do", "you", "to", "of", "it"])


@dataclass
class Scene:
    """One pet, its card, what it remembers; `turns` share nothing more."""

    name: str
    card: tuple[str, ...]
    facts: tuple[str, ...]
    turns: list[Turn] = field(default_factory=list)


class Corpus:
    """Draws scenes of one part; the same seed draws the same ones."""

    def __init__(self, part: Part, seed: int) -> None:
        self.part: Part = part
        self.chance = random.Random(seed)

    def scene(self, turns: int, only: str | None = None) -> Scene:
        """A pet and its turns; `only` of one sort (the keys of SORTS) where given."""
        maker = TurnMaker(self.part, self.chance)
        card = tuple(sentence(fact.text) for fact in maker.own)
        scene = Scene(maker.name, card, tuple(fact.text for fact in maker.known))
        while len(scene.turns) < turns:
            sort = only or self.chance.choices(list(SORTS), [weight for weight, _ in SORTS.values()])[0]
            turn = maker.make(sort)
            if turn is not None and self._is_fresh(turn):
                scene.turns.append(self._staged(scene, turn))
            elif only:
                break
        return scene

    def _is_fresh(self, turn: Turn) -> bool:
        """Nothing held out is a sentence that another source teaches."""
        return self.part == "train" or not (
            turn.check.kind.startswith(BY_WORDS) and turn.prompt.heard in taught_sentences()
        )

    def _staged(self, scene: Scene, turn: Turn) -> Turn:
        """The turn on this scene's stage; noise in what was heard, while learning."""
        heard = turn.prompt.heard
        if self.part == "train" and not turn.prompt.history:
            heard = _noisy(heard, scene.name, self.chance)
        prompt = replace(turn.prompt, name=scene.name, card=scene.card, facts=scene.facts, heard=heard)
        return replace(turn, prompt=prompt)


BY_WORDS = ("command", "talk", "care")
"""Kinds whose answer follows from what was heard alone"""


@cache
def taught_sentences() -> frozenset[str]:
    """Everything without slots that is heard in training."""
    topics = [*read("talk").values(), *read("care").values()]
    own = {text for row in topics for text in share(lines(row["heard"]), "train")}
    said = {order[0] for found in orders.orders("train").values() for order in found}
    return frozenset(own | said | {text for pairs in corpora.remarks("train").values() for text, _ in pairs})


def vocabulary() -> list[str]:
    """Every word a reply is taught: those of all sentences and of the lists, without what is held out."""
    texts = [*IGNORANT, *LEAD_INS, *(opener for own in OPENERS.values() for opener in own), *MOODS]
    for file in ("talk", "care", "echo", "facts", "persona", "after", "commands"):
        texts += _leaves(read(file))
    texts += [word for words in lists("train").values() for word in words]
    texts += orders.all_lines()
    held = {word for words in lists("held_out").values() for word in words} - _known_to_training()
    return sorted(words_in(_SLOT.sub(" ", text) for text in texts) - held)


def _known_to_training() -> set[str]:
    return {word for words in lists("train").values() for word in words}


def _leaves(tree: object) -> list[str]:
    """All texts of a file."""
    if isinstance(tree, dict):
        return [text for value in tree.values() for text in _leaves(value)]
    return [str(tree)]


def _noisy(heard: str, name: str, chance: random.Random) -> str:
    """As people speak and recognisers hear: a word more, now and then one less."""
    if chance.random() < 0.18:
        extra = chance.choice(_EXTRAS).format(name=name.lower())
        heard = f"{extra} {heard}" if chance.random() < 0.7 else f"{heard} {extra}"
    if chance.random() < 0.08:
        words = heard.split()
        drops = [i for i, word in enumerate(words) if word in _DROPPED]
        if drops and len(words) > 3:
            del words[chance.choice(drops)]
        heard = " ".join(words)
    return heard
