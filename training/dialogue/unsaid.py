"""What a model must not say, and what it costs to say it: unlikelihood training.

Welleck et al., "Neural text generation with unlikelihood training", ICLR 2020 (arXiv:1908.04319); for what
a dialogue must not hold: Li et al., "Don't say that! Making inconsistent dialogue unlikely with unlikelihood
training", ACL 2020 (arXiv:1911.03860). Where a line of `training/data/unsaid.yaml` would be an answer, the
word that breaks the topic's rule costs -log(1 - p); the words before it, which may begin a good answer, cost
nothing.
"""

import random
import re
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import torch
import yaml
from tokenizers import Tokenizer
from torch.nn import functional

from training.data.conversations import Corpus
from training.data.phrases import Part, lines, share
from training.data.turns import Turn
from training.dialogue.text import encode_turn

FILE = Path(__file__).parents[1] / "data" / "unsaid.yaml"
_PER_TOPIC = 6
"""Held-out prompts of each topic on which it is measured"""
_LEAST = 1e-6

Wrong = tuple[list[int], list[bool]]
"""(tokens of an answer that must not be given, which of them break the rule)"""


@cache
def wrongs(part: Part) -> dict[str, tuple[str, ...]]:
    """Topic of care.yaml -> lines, in which $pet stands for the pet's name."""
    table = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return {topic: tuple(share(lines(text), part)) for topic, text in table.items()}


def answers(turn: Turn, part: Part) -> list[str]:
    """All that must not be said in this turn."""
    file, _, topic = turn.check.kind.partition(":")
    found = wrongs(part).get(topic, ()) if file == "care" and turn.check.never else ()
    return [line.replace("$pet", turn.prompt.name) for line in found]


def drawn(turn: Turn, chance: random.Random) -> str | None:
    """One of them to learn from."""
    found = answers(turn, "train")
    return chance.choice(found) if found else None


def encode(tokenizer: Tokenizer, turn: Turn, answer: str) -> Wrong:
    """`answer` up to the word that breaks the turn's rule, whose tokens are marked."""
    found = re.search(turn.check.never, answer.lower())
    assert found is not None, f"{answer!r} breaks no rule of {turn.check.kind}"
    begin = found.start() + found.group().rindex(" ") + 1 if " " in found.group() else found.start()
    encoding = tokenizer.encode(answer, add_special_tokens=False)
    tokens = [(n, end > begin) for n, (start, end) in zip(encoding.ids, encoding.offsets, strict=True)
              if start < found.end()]  # fmt: skip
    return [n for n, _ in tokens], [breaks for _, breaks in tokens]


def cost(logits: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
    """Mean of -log(1 - p) over `tokens` (N,) at `logits` (N, V); 0 where there are none."""
    if not len(tokens):
        return logits.sum() * 0
    likely = functional.softmax(logits.float(), dim=-1).gather(1, tokens[:, None])[:, 0]
    return -torch.log((1 - likely).clamp(min=_LEAST)).mean()


def temptation(logits_of: Callable[[Sequence[int]], np.ndarray], tokenizer: Tokenizer) -> float:
    """How probable the word that breaks a rule is where a held-out line leads up to it: the mean, 0..1.

    `logits_of`: tokens -> (T, V).
    """
    found = []
    for turn in _held_out():
        head, own, _ = encode_turn(tokenizer, turn)
        for answer in answers(turn, "held_out"):
            wrong, breaks = encode(tokenizer, turn, answer)
            rows = logits_of([*head, *own, *wrong])[len(head) + len(own) - 1 : -1].astype(np.float64)
            rows -= rows.max(axis=1, keepdims=True)
            likely = np.exp(rows) / np.exp(rows).sum(axis=1, keepdims=True)
            found.append(float(likely[np.arange(len(wrong)), wrong][breaks].prod()))
    return round(float(np.mean(found)), 4)


@cache
def _held_out() -> tuple[Turn, ...]:
    corpus, found = Corpus("held_out", 11), dict[str, list[Turn]]()
    for _ in range(40 * _PER_TOPIC):
        for turn in corpus.scene(1, "care").turns:
            some = found.setdefault(turn.check.kind, [])
            if answers(turn, "held_out") and len(some) < _PER_TOPIC:
                some.append(turn)
    return tuple(turn for some in found.values() for turn in some)
