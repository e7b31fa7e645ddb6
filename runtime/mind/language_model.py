"""A causal language model of a pack puts the pet's answer into words, on the robot, token by token.

`dialogue/` of a pack: `model.onnx` with the names that optimum's export gives (`input_ids`, perhaps
`attention_mask`, `position_ids`, `past_key_values.N.key|value` (B, heads, P, width) -> `logits`,
`present.N.key|value`), `tokenizer.json` of the tokenizers library, `dialogue.json` (a `Card`). The prompt is
read at once; what was computed for the persona is kept from turn to turn.

Threads: any number may be told replies at once. What changes while a reply is made belongs to that reply
alone; what replies share is never changed, but for the persona's memory, which is exchanged as a whole.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from tokenizers import Tokenizer

from runtime.contracts.errors import PackError
from runtime.engines import Engine, Kept
from runtime.mind.casing import Casing
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
)
from runtime.mind.sampling import Logits, Sampling, next_token
from runtime.mind.spelling import Spelling, Words

MAX_CARD_BYTES, MAX_TOKENIZER_BYTES = 1_000_000, 64_000_000
_TRIES = 12
"""Tokens drawn at one place before the likeliest that makes a word is taken"""
_SENTENCE_ENDS = (".", "!", "?")
Memory = Mapping[str, Kept]
"""past_key_values.* by name"""


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


class _Reply:
    """One reply under way: its tokens, its own chance, and the words it is held to."""

    def __init__(self, model: "LanguageModel", prompt: Prompt, seed: int) -> None:
        self._model = model
        self._chance = np.random.default_rng(seed)
        self._spelling = Spelling(model.taught, _texts(prompt)) if model.taught else None
        self.tokens: list[int] = []
        self.text = ""

    def add(self, token: int) -> bool:
        """Go on with `token`; True where the reply is whole with it."""
        model = self._model
        if token in model.ends:
            return True
        self.tokens.append(token)
        self.text = model.tokenizer.decode(self.tokens)
        most = model.card.most
        late = 3 * len(self.tokens) >= 2 * most and self.text.endswith(_SENTENCE_ENDS)
        return late or len(self.tokens) >= most

    def choose(self, logits: Logits) -> int:
        """The next token; one that would make no word is put back and another drawn."""
        logits = np.where(self._model.forbidden, np.float32(-np.inf), logits)
        for _ in range(_TRIES):
            token = next_token(logits, self.tokens, self._model.card.sampling, self._chance)
            if self._fits(token):
                return token
            logits[token] = -np.inf
        likeliest = (int(n) for n in np.argsort(-logits) if logits[n] > -np.inf)
        return next((n for n in likeliest if self._fits(n)), next(iter(self._model.ends)))

    def _fits(self, token: int) -> bool:
        if self._spelling is None:
            return True
        ended = token in self._model.ends
        text = self.text if ended else self._model.tokenizer.decode([*self.tokens, token])
        return self._spelling.fits(text, ended=ended)


class LanguageModel:
    """A Talker. PackError names what is wrong with the folder."""

    def __init__(self, folder: Path) -> None:
        self.card = _card(folder / "dialogue.json")
        self.tokenizer = _tokenizer(folder / "tokenizer.json")
        self._engine = Engine(folder / "model.onnx")
        self._pasts = [name for name in self._engine.inputs if name.startswith("past_key_values.")]
        self.ends = frozenset(self._number(tag, folder) for tag in self.card.ends)
        for tag in (*map(mood_tag, self.card.moods), *map(act_tag, self.card.acts)):
            self._number(tag, folder)
        self.last_tokens = 0
        """Tokens of the reply that was told last, its end included"""
        self.taught = Words.of(self.card.words) if self.card.words else None
        self._persona: tuple[list[int], Memory] = ([], {})
        self.forbidden = self._prove(folder)
        """(V,) tokens that are never said: tags, and numbers without a token"""

    def stream(self, prompt: Prompt, *, seed: int) -> Iterator[str]:
        """The reply, word by word. PackError where even the bare prompt is too long for the model."""
        known = _known(prompt, self.card)
        tokens, prompt_read = self._fitting(known)
        memory, logits = self._read(tokens, len(self._encode(persona_text(prompt_read))))
        casing = None if self.card.cased else Casing(prompt)
        reply = _Reply(self, prompt, seed)
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
            memory, logits = self._step([token], memory, len(tokens) + len(reply.tokens) - 1)

    def _fitting(self, prompt: Prompt) -> tuple[list[int], Prompt]:
        """The prompt as tokens, without old turns and far-off facts where it would be too long."""
        while True:
            tokens = self._encode(render(prompt))
            if len(tokens) + self.card.most <= self.card.context:
                return tokens, prompt
            less = shorter(prompt)
            if less is None:
                raise PackError(
                    f"a prompt of {len(tokens)} tokens is too long for a dialogue model of "
                    f"{self.card.context}; shorten the persona's card"
                )
            prompt = less

    def _read(self, tokens: list[int], persona: int) -> tuple[Memory, Logits]:
        """Memory and logits after the prompt; its first `persona` tokens are read once for all turns."""
        head, rest = tokens[:persona], tokens[persona:]
        read = self._persona
        if head != read[0]:
            read = self._persona = (head, self._step(head, self._nothing(), 0)[0])
        return self._step(rest, read[1], len(head))

    def _step(self, tokens: Sequence[int], memory: Memory, start: int) -> tuple[Memory, Logits]:
        """Read `tokens` that stand at `start`: what is remembered, and the logits (V,) of what comes next."""
        n = len(tokens)
        extras: dict[str, npt.NDArray[np.generic]] = {
            "attention_mask": np.ones((1, start + n), np.int64),
            "position_ids": np.arange(start, start + n, dtype=np.int64)[None],
            "use_cache_branch": np.array([start > 0]),
        }
        feeds: dict[str, npt.NDArray[np.generic] | Kept] = {
            name: value for name, value in extras.items() if name in self._engine.inputs
        }
        results = self._engine.keep({"input_ids": np.array([tokens], np.int64), **feeds, **memory})
        present = {name: results[name.replace("past_key_values", "present")] for name in self._pasts}
        return present, np.asarray(results["logits"].numpy()[0, -1], np.float32)

    def _nothing(self) -> Memory:
        shapes, types = self._engine.input_shapes, self._engine.input_types
        empty = {}
        for name in self._pasts:
            _, heads, _, width = shapes[name]
            empty[name] = self._engine.value(np.zeros((1, heads, 0, width), types[name]))  # type: ignore[arg-type]
        return empty

    def _prove(self, folder: Path) -> npt.NDArray[np.bool_]:
        """Run a few tokens; which tokens are `forbidden`."""
        names = {"input_ids", "logits"} - {*self._engine.inputs, *self._engine.outputs}
        if names or not self._pasts:
            missing = ", ".join(sorted(names)) or "past_key_values.*"
            raise PackError(f"{folder}/model.onnx lacks {missing}; export a causal model with its cache")
        try:
            tokens = self._encode(render(Prompt("a", "b")))
            logits = self._read(tokens, len(tokens) - 1)[1]
        except Exception as error:  # onnxruntime raises unrelated types for shapes that do not fit
            reason = str(error).splitlines()[0][:200]
            raise PackError(f"{folder}/model.onnx does not run with its cache ({reason})") from error
        size = self.tokenizer.get_vocab_size()
        if len(logits) < size:
            raise PackError(
                f"{folder}: the model has {len(logits)} tokens, the tokenizer {size}; reinstall it"
            )
        forbidden: npt.NDArray[np.bool_] = np.arange(len(logits)) >= size
        for number, token in self.tokenizer.get_added_tokens_decoder().items():
            forbidden[number] = token.special and number not in self.ends
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


def _texts(prompt: Prompt) -> list[str]:
    """All that a reply may take its words from, as far as it is read."""
    turns = [text for turn in prompt.history for text in turn]
    texts = (prompt.name, prompt.heard, *prompt.card, *prompt.facts, *turns)
    return [text[:MAX_LETTERS] for text in texts]


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
