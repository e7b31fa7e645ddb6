"""One reply under way: token by token, held to words that there are, cut where it grows too long."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from runtime.mind.sampling import Logits, Sampling, next_token
from runtime.mind.spelling import Spelling, Words

_TRIES = 12
"""Tokens drawn at one place before the likeliest that makes a word is taken"""
_SENTENCE_ENDS = (".", "!", "?")
_HALF = "\ufffd"
"""Stands for a letter whose bytes are not all there"""
_SAMPLE = "I'm here, you know. It is Anna's ball! No?"


class Pieces:
    """What a token adds to a text. Where that is the same after any text, it is looked up only once."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._decode = tokenizer.decode
        self._known: dict[int, str] = {}
        sample = tokenizer.encode(_SAMPLE, add_special_tokens=False).ids or [0]
        self._before = sample[-1:]
        self._text_before = self._decode(self._before)
        joined = self._decode(sample[:1]) + "".join(map(self._added, sample[1:]))
        self._joins = joined == self._decode(sample) and _HALF not in joined

    def joined(self, text: str, tokens: list[int], token: int) -> str:
        """The text of `tokens` and `token`; `text`: of `tokens`."""
        if tokens and self._joins and not text.endswith(_HALF):
            piece = self._known.get(token)
            if piece is None:
                piece = self._known[token] = self._added(token)
            if _HALF not in piece:
                return text + piece
        return str(self._decode([*tokens, token]))

    def _added(self, token: int) -> str:
        text = str(self._decode([*self._before, token]))
        return text[len(self._text_before) :] if text.startswith(self._text_before) else _HALF


@dataclass(frozen=True, slots=True)
class Rules:
    """What all replies of a model are held to."""

    pieces: Pieces
    ends: frozenset[int]
    """Tokens that end a reply"""
    forbidden: npt.NDArray[np.float32]
    """(V,) added to the logits: -inf for tokens that are never said, 0 for others"""
    sampling: Sampling
    most: int
    """Tokens of a reply; past two thirds of them it ends with the sentence"""
    taught: Words | None = None
    """Where given, a reply has no other words than these and the prompt's"""


@dataclass(slots=True)
class Reply:
    """Its tokens so far, its own chance, and the words it may take from its prompt."""

    rules: Rules
    chance: np.random.Generator
    texts: Iterable[str] = ()
    """What it may take words from"""
    known: frozenset[str] = frozenset()
    """Words it may take, as by `words_in`, found before"""
    tokens: list[int] = field(default_factory=list)
    text: str = ""
    _spelling: Spelling | None = None
    _tried: tuple[int, str] | None = None
    """A token that may come next, and the text with it"""

    def __post_init__(self) -> None:
        if self.rules.taught:
            self._spelling = Spelling(self.rules.taught, self.texts, self.known)

    def add(self, token: int) -> bool:
        """Go on with `token`; True where the reply is whole with it."""
        rules = self.rules
        if token in rules.ends:
            return True
        self.text = self._with(token)
        self.tokens.append(token)
        self._tried = None
        late = 3 * len(self.tokens) >= 2 * rules.most and self.text.endswith(_SENTENCE_ENDS)
        return late or len(self.tokens) >= rules.most

    def choose(self, logits: Logits) -> int:
        """The next token of logits (V,); one that would make no word is put back and another drawn."""
        scores = logits + self.rules.forbidden
        for _ in range(_TRIES):
            token = next_token(scores, self.tokens, self.rules.sampling, self.chance)
            if self._fits(token):
                return token
            scores[token] = -np.inf
        likeliest = (int(n) for n in np.argsort(-scores) if scores[n] > -np.inf)
        return next((n for n in likeliest if self._fits(n)), next(iter(self.rules.ends)))

    def _fits(self, token: int) -> bool:
        if self._spelling is None:
            return True
        ended = token in self.rules.ends
        return self._spelling.fits(self.text if ended else self._with(token), ended=ended)

    def _with(self, token: int) -> str:
        if self._tried is None or self._tried[0] != token:
            self._tried = (token, self.rules.pieces.joined(self.text, self.tokens, token))
        return self._tried[1]
