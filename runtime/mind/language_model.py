"""A causal language model of a pack puts the pet's answer into words, on the robot, token by token.

`dialogue/` of a pack: `model.onnx` with the names that optimum's export gives (`input_ids`, perhaps
`attention_mask`, `position_ids`, `past_key_values.N.key|value` (B, heads, P, width) -> `logits`,
`present.N.key|value`), `tokenizer.json` of the tokenizers library, `dialogue.json` (a `Card`). The prompt is
read at once; what was computed for the persona is kept from turn to turn.

Threads: any number may be told replies at once. What changes while a reply is made belongs to that reply
alone; what replies share is never changed, but for the persona's memory, which is exchanged as a whole.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from tokenizers import Tokenizer

from runtime.contracts.errors import PackError
from runtime.engines import Engine
from runtime.mind.casing import Casing, names_in
from runtime.mind.emotion import MOODS
from runtime.mind.prompt import (
    END,
    MAX_LETTERS,
    NO_ACT,
    Prompt,
    act_tag,
    mood_tag,
    persona_text,
    render,
    shorter,
    turn_text,
)
from runtime.mind.reply import Pieces, Reply, Rules
from runtime.mind.sampling import Logits, Sampling
from runtime.mind.spelling import Words, words_in

MAX_CARD_BYTES, MAX_TOKENIZER_BYTES = 1_000_000, 64_000_000
Memory = Mapping[str, npt.NDArray[np.generic]]
"""past_key_values.* by name"""
_EXTRAS: dict[str, Callable[[int, int], npt.NDArray[np.generic]]] = {
    "attention_mask": lambda start, n: np.ones((1, start + n), np.int64),
    "position_ids": lambda start, n: np.arange(start, start + n, dtype=np.int64)[None],
    "use_cache_branch": lambda start, n: np.array([start > 0]),
}
"""Input -> what it is for `n` tokens that stand at `start`"""


class Card(BaseModel):
    """`dialogue.json`: what has to be known of the model to talk with it."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
    moods: tuple[str, ...] = Field(MOODS, min_length=1)
    acts: tuple[str, ...] = Field((NO_ACT,), min_length=1)
    """Acts it has a tag for; another act is given to it as NO_ACT"""
    context: int = Field(512, ge=16, le=131_072)
    """Tokens of prompt and reply together"""
    most: int = Field(40, ge=1, le=512)
    """Tokens of a reply; past two thirds of them it ends with the sentence"""
    cased: bool = True
    """False: it writes in lower case, and capitals are put in after it"""
    ends: tuple[str, ...] = (END,)
    """Tokens that end a reply"""
    words: tuple[str, ...] = Field((), max_length=50_000)
    """Where given, a reply has no other words than these and the prompt's"""
    sampling: Sampling = Sampling()
    precision: str = "fp32"
    licence: str = "Apache-2.0"
    command: str = ""
    metrics: dict[str, float] = {}


@dataclass(frozen=True, slots=True)
class _Persona:
    """What stays from turn to turn: the beginning of the prompt, read once."""

    of: tuple[str, tuple[str, ...]] = ("", ())
    """Name and card"""
    tokens: tuple[int, ...] = ()
    memory: Memory = field(default_factory=dict)
    words: frozenset[str] = frozenset()
    """Of name and card, as by `words_in`"""
    names: Mapping[str, str] = field(default_factory=dict)
    """Of the card, as by `names_in`"""


class LanguageModel:
    """A Talker. PackError names what is wrong with the folder."""

    def __init__(self, folder: Path) -> None:
        self.card = _card(folder / "dialogue.json")
        self.tokenizer = _tokenizer(folder / "tokenizer.json")
        self._engine = Engine(folder / "model.onnx")
        self._pasts = [name for name in self._engine.inputs if name.startswith("past_key_values.")]
        self._presents = [(name, name.replace("past_key_values", "present")) for name in self._pasts]
        self._extras = [(name, make) for name, make in _EXTRAS.items() if name in self._engine.inputs]
        self.ends = frozenset(self._number(tag, folder) for tag in self.card.ends)
        for tag in (*map(mood_tag, self.card.moods), *map(act_tag, self.card.acts)):
            self._number(tag, folder)
        self.last_tokens = 0
        """Tokens of the reply that was told last, its end included"""
        self._persona = _Persona()
        self._rules = Rules(
            Pieces(self.tokenizer),
            self.ends,
            self._prove(folder),
            self.card.sampling,
            self.card.most,
            Words.of(self.card.words) if self.card.words else None,
        )

    def stream(self, prompt: Prompt, *, seed: int) -> Iterator[str]:
        """The reply, word by word. PackError where even the bare prompt is too long for the model."""
        known = _known(prompt, self.card)
        persona = self._read_persona(known)
        tokens = self._fitting(known, len(persona.tokens))[0]
        memory, logits = self._step(tokens, persona.memory, len(persona.tokens))
        casing = None if self.card.cased else Casing(prompt, persona.names)
        reply = Reply(self._rules, np.random.default_rng(seed), _told(prompt), persona.words)
        read = len(persona.tokens) + len(tokens)
        sent = 0
        while True:
            token = reply.choose(logits)
            self.last_tokens = len(reply.tokens) + 1
            ended = reply.add(token)
            upto = len(reply.text) if ended else max(sent, reply.text.rfind(" "))
            if upto > sent:
                part = reply.text[sent:upto]
                yield casing.write(part) if casing else part
                sent = upto
            if ended:
                return
            memory, logits = self._step([token], memory, read)
            read += 1

    def _fitting(self, prompt: Prompt, persona: int) -> tuple[list[int], Prompt]:
        """The turn as tokens, to stand after so many of the `persona`, without old turns and far-off facts
        where it would be too long."""
        while True:
            tokens = self._encode(turn_text(prompt))
            if persona + len(tokens) + self.card.most <= self.card.context:
                return tokens, prompt
            less = shorter(prompt)
            if less is None:
                raise PackError(
                    f"a prompt of {persona + len(tokens)} tokens is too long for a dialogue model of "
                    f"{self.card.context}; shorten the persona's card"
                )
            prompt = less

    def _read_persona(self, prompt: Prompt) -> _Persona:
        """What the model makes of name and card, kept for the turns to come."""
        known, of = self._persona, (prompt.name, prompt.card)
        if known.of != of:
            tokens = self._encode(persona_text(prompt))
            if len(tokens) + self.card.most > self.card.context:
                self._fitting(replace(prompt, facts=(), history=()), len(tokens))
            memory, _ = self._step(tokens, self._nothing(), 0)
            own = words_in(text[:MAX_LETTERS] for text in (prompt.name, *prompt.card))
            known = self._persona = _Persona(of, tuple(tokens), memory, own, names_in(prompt.card))
        return known

    def _step(self, tokens: Sequence[int], memory: Memory, start: int) -> tuple[Memory, Logits]:
        """Read `tokens` that stand at `start`: what is remembered, and the logits (V,) of what comes next."""
        n = len(tokens)
        feeds: dict[str, npt.NDArray[np.generic]] = {"input_ids": np.array([tokens], np.int64), **memory}
        for name, extra in self._extras:
            feeds[name] = extra(start, n)
        results = self._engine.run(feeds)
        logits = results["logits"][0, -1]
        return {name: results[kept] for name, kept in self._presents}, np.asarray(logits, np.float32)

    def _nothing(self) -> Memory:
        shapes, types = self._engine.input_shapes, self._engine.input_types
        empty: dict[str, npt.NDArray[np.generic]] = {}
        for name in self._pasts:
            _, heads, _, width = (n if isinstance(n, int) else 0 for n in shapes[name])
            empty[name] = np.zeros((1, heads, 0, width), types[name])
        return empty

    def _prove(self, folder: Path) -> Logits:
        """Run a few tokens; (V,) -inf for tags and numbers without a token, which are never said."""
        names = {"input_ids", "logits"} - {*self._engine.inputs, *self._engine.outputs}
        if names or not self._pasts:
            missing = ", ".join(sorted(names)) or "past_key_values.*"
            raise PackError(f"{folder}/model.onnx lacks {missing}; export a causal model with its cache")
        try:
            tokens = self._encode(render(Prompt("a", "b")))
            memory, _ = self._step(tokens[:-1], self._nothing(), 0)
            logits = self._step(tokens[-1:], memory, len(tokens) - 1)[1]
        except Exception as error:  # onnxruntime raises unrelated types for shapes that do not fit
            reason = str(error).splitlines()[0][:200]
            raise PackError(f"{folder}/model.onnx does not run with its cache ({reason})") from error
        size = self.tokenizer.get_vocab_size()
        if len(logits) < size:
            raise PackError(
                f"{folder}: the model has {len(logits)} tokens, the tokenizer {size}; reinstall it"
            )
        forbidden = np.zeros(len(logits), np.float32)
        forbidden[size:] = -np.inf
        for number, token in self.tokenizer.get_added_tokens_decoder().items():
            if token.special and number not in self.ends:
                forbidden[number] = -np.inf
        return forbidden

    def _encode(self, text: str) -> list[int]:
        return list(self.tokenizer.encode(text, add_special_tokens=False).ids)

    def _number(self, tag: str, folder: Path) -> int:
        number = self.tokenizer.token_to_id(tag)
        if number is None:
            raise PackError(f"{folder}/tokenizer.json lacks the token {tag}, which dialogue.json names")
        return int(number)


def _known(prompt: Prompt, card: Card) -> Prompt:
    """Mood and act as the model has tags for."""
    mood = prompt.mood if prompt.mood in card.moods else card.moods[0]
    act = prompt.act if prompt.act in card.acts else NO_ACT if NO_ACT in card.acts else card.acts[0]
    return replace(prompt, mood=mood, act=act)


def _told(prompt: Prompt) -> list[str]:
    """All that a reply may take its words from beside name and card, as far as it is read."""
    turns = [text for turn in prompt.history for text in turn]
    return [text[:MAX_LETTERS] for text in (prompt.heard, *prompt.facts, *turns)]


def _card(path: Path) -> Card:
    raw = _bounded(path, MAX_CARD_BYTES)
    try:
        return Card.model_validate(json.loads(raw))
    except (ValueError, ValidationError) as error:
        first = error.errors()[0] if isinstance(error, ValidationError) else {"loc": (), "msg": str(error)}
        where = ".".join(map(str, first["loc"]))
        raise PackError(f"{path}: {where}: {first['msg']}; mend it or reinstall the pack") from error


def _tokenizer(path: Path) -> Tokenizer:
    raw = _bounded(path, MAX_TOKENIZER_BYTES)
    try:
        return Tokenizer.from_buffer(raw)
    except Exception as error:  # the library raises bare Exception
        raise PackError(f"{path} is not a tokenizer ({str(error)[:200]}); reinstall the pack") from error


def _bounded(path: Path, most: int) -> bytes:
    try:
        size = path.stat().st_size
        if size > most:
            raise PackError(f"{path} has {size} bytes; at most {most}")
        return path.read_bytes()
    except OSError as error:
        raise PackError(f"{path} cannot be read ({error.strerror}); reinstall the pack") from error
