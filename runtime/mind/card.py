"""Questions that the pet's own card answers word for word: no model words better what its owner wrote.

A question fits a sentence that holds all its telling words ("do you love cheese", "I love cheese."), or those
of the kind it asks for ("what are you scared of", "I am afraid of thunder."; `card.toml`).
"""

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from runtime.mind.memory.tokens import plain, tokens
from runtime.mind.rules import spelt_out

FILE = Path(__file__).with_suffix(".toml")
MOST_IN_PROMPT = 8
"""Sentences of a card that a language model reads at every turn; the others answer by the rules alone"""
MOST_ANSWERED = 2
"""Sentences of one answer"""
_ASKS_IT = re.compile(
    r"^(?:what|where|when|who|whom|whose|which|how|why|are|do|does|is|have|has|can|tell me|name|describe|"
    r"in which)\b.*\b(?:you(?:r|rs|rself)?|you're|pet are)\b"
)
_YES_NO = re.compile(r"^(?:are|do|does|is|have|has|can|tell me (?:if|whether)) ")
_FELT = re.compile(r"^(?:i love|i like|i do not like|i am afraid of|my favou?rite \w+ is) ", re.IGNORECASE)
_FEELINGS = frozenset(
    tokens("love like enjoy hate dislike afraid scared fear frightened nervous fond really if whether not")
)
_LIGHT = _FEELINGS | set(tokens("name make live favourite"))
"""Words that many sentences hold; a question of these alone asks for a kind"""


class _Kind(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    asks: str
    says: str
    or_else: bool = False


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    words: dict[str, str]
    asks: dict[str, str]
    kind: tuple[_Kind, ...]


_file = _File.model_validate(tomllib.loads(FILE.read_text("utf-8")))
_OF_ANYTHING = re.compile(_file.asks["anything"])
KINDS = tuple(
    (re.compile(spelt_out(kind.asks, _file.words)), spelt_out(kind.says, _file.words), kind.or_else)
    for kind in _file.kind
)
"""What asks for a kind of sentence, how such a sentence begins, and whether others do where there is none"""


def card_answer(card: Sequence[str], heard: str, name: str = "") -> str | None:
    """What of the card answers a question to the pet, MOST_ANSWERED sentences at most; None: nothing does.

    `name`: the pet's; a question about the animal by its name is one to the pet.
    """
    said = plain(heard)
    if name:
        said = re.sub(rf"\b(did|does|do|was|is) {re.escape(name.lower())}\b", r"\1 you", said)
    if not _ASKS_IT.match(said) or said.startswith("how many "):
        return None
    asked = set(tokens(heard))
    if _YES_NO.match(said) and not (asked - _FEELINGS) and not _OF_ANYTHING.search(said):
        return None  # "do you love me" asks for nothing that a card tells
    fitting = [sentence for sentence in card if asked - _LIGHT and asked <= set(tokens(sentence))]
    if not fitting and (things := asked - _FEELINGS) and things != asked:
        # "do you hate snow" is answered by "I love snow" as well
        fitting = [says for says in card if _FELT.match(says) and things <= set(tokens(says))]
    if fitting:
        return " ".join(sorted(fitting, key=len)[:MOST_ANSWERED])
    found = [] if _YES_NO.match(said) and not _OF_ANYTHING.search(said) else _of_kind(card, said)
    return " ".join(found[:MOST_ANSWERED]) or None


def _of_kind(card: Sequence[str], said: str) -> list[str]:
    for asks, says, or_else in KINDS:
        if found := asks.search(said):
            begins = re.compile(says.format_map(found.groupdict()), re.IGNORECASE)
            fitting = [sentence for sentence in card if begins.match(sentence)]
            if fitting or not or_else:
                return fitting
    return []
