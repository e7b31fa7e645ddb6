"""From logits to the next token: seeded, and never the same phrase twice."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

_CONSIDERED = 128
"""Likeliest tokens that may be drawn at all"""
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
    scores = logits.astype(np.float64)
    if reply and (rule.repetition_penalty > 1 or rule.no_repeat):
        _penalise(scores, reply, rule)
    if rule.temperature == 0:
        return int(scores.argmax())
    likelihood = np.exp((scores - scores.max()) / rule.temperature)
    best = min(_CONSIDERED, len(scores))
    among = np.argpartition(-likelihood, best - 1)[:best]
    order = among[np.argsort(-likelihood[among])]
    sums = np.cumsum(likelihood[order])
    kept = int(np.searchsorted(sums, rule.top_p * sums[-1])) + 1
    return int(order[int(np.searchsorted(sums[:kept], chance.random() * sums[kept - 1]))])


def _penalise(scores: npt.NDArray[np.float64], reply: Sequence[int], rule: Sampling) -> None:
    used = np.array(sorted(set(reply)))
    penalty = rule.repetition_penalty
    scores[used] = np.where(scores[used] > 0, scores[used] / penalty, scores[used] * penalty)
    n = rule.no_repeat
    if n and len(reply) >= n:
        tail = tuple(reply[len(reply) - n + 1 :])
        for start in range(len(reply) - n + 1):
            if tuple(reply[start : start + n - 1]) == tail:
                scores[reply[start + n - 1]] = -np.inf
