"""From logits to the next token: seeded, and never the same phrase twice."""

from bisect import bisect_left
from collections.abc import Sequence
from math import exp

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

_CONSIDERED = 128
"""Likeliest tokens that may be drawn at all"""
_NOTHING = 22.0
"""So many nats below the best a token is drawn once in three thousand million times"""
Logits = npt.NDArray[np.float32]


class Sampling(BaseModel):
    """How freely the next token is drawn."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
    temperature: float = Field(0.6, ge=0, le=2)
    """0: always the likeliest"""
    top_p: float = Field(0.9, gt=0, le=1)
    """Only the likeliest tokens that make up this share"""
    repetition_penalty: float = Field(1.1, ge=1, le=2)
    """Divides the score of what the reply has already (Keskar and others, "CTRL", 2019)"""
    no_repeat: int = Field(3, ge=0, le=8)
    """So many tokens in a row come only once in a reply; 0: no such rule"""


def next_token(logits: Logits, reply: Sequence[int], rule: Sampling, chance: np.random.Generator) -> int:
    """The number of the next token; `logits` (V,) is not changed, forbidden tokens are at -inf."""
    scores = _penalised(logits, reply, rule)
    if rule.temperature == 0:
        return int(scores.argmax())
    best, *others = _likeliest(scores, _NOTHING * rule.temperature)
    drawn = chance.random()
    if not others:
        return best[1]
    sums = [1.0]
    for score, _ in others:
        sums.append(sums[-1] + exp((score - best[0]) / rule.temperature))
    kept = bisect_left(sums, rule.top_p * sums[-1])
    chosen = bisect_left(sums, drawn * sums[kept])
    return best[1] if chosen == 0 else others[chosen - 1][1]


def _likeliest(scores: Logits, below: float) -> list[tuple[float, int]]:
    """(score, number) of the _CONSIDERED best, best first, without those so far `below` it that they are
    never drawn: in plain numbers, since they are few, and numpy is slow where there is little to do."""
    among = (scores > float(scores.max()) - below).nonzero()[0]
    if len(among) > _CONSIDERED:
        among = among[np.argpartition(scores[among], len(among) - _CONSIDERED)[-_CONSIDERED:]]
    return sorted(zip(scores[among].tolist(), among.tolist(), strict=True), reverse=True)


def _penalised(logits: Logits, reply: Sequence[int], rule: Sampling) -> Logits:
    """The scores after what the reply has already; `logits` itself where nothing is to be changed."""
    penalty = rule.repetition_penalty
    banned = _would_repeat(reply, rule.no_repeat)
    if not reply or (penalty == 1 and not banned):
        return logits
    scores = logits.copy()
    if penalty > 1:
        used = np.array(sorted(set(reply)))
        scores[used] = np.where(scores[used] > 0, scores[used] / penalty, scores[used] * penalty)
    scores[banned] = -np.inf
    return scores


def _would_repeat(reply: Sequence[int], n: int) -> list[int]:
    """Tokens that would make the last `n` tokens ones that the reply has already."""
    if n < 2 or len(reply) < n:
        return list(reply) if n == 1 else []
    last, tail = reply[-1], list(reply[len(reply) - n + 1 :])
    ends = (at for at in range(n - 2, len(reply) - 1) if reply[at] == last)
    return [reply[at + 1] for at in ends if list(reply[at - n + 2 : at + 1]) == tail]
