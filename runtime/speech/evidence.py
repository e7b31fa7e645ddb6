"""What speaks for and against words that were heard, and the probability that comes of it.

The weights of it are fitted where a recogniser is made (training.asr.calibrate, training.asr.clear).
"""

import math
from collections.abc import Sequence

import numpy as np

from runtime.speech import units
from runtime.speech.decoder import Path
from runtime.speech.free import Transcript
from runtime.speech.units import LogProbs

EVIDENCE = ("gap_a_phone", "gap", "filler", "phones", "margin")
CLEAR_EVIDENCE = ("gap_a_phone", "words", "mean_phone", "unfinished")
FAR = 10.0
"""Nats to a runner-up from which it is no rival"""


def evidence(log_probs: LogProbs, best: Path, margin: float) -> tuple[float, ...]:
    """For and against the grammar's `best` sentence, in the order of EVIDENCE; each of about unit size.

    `margin`: nats to the best sentence that means something else. What sounds gain by their contexts is
    left out of both: it finds sentences, but with it people's talk is taken for commands more often.
    """
    phones = max(1, len(units.greedy(log_probs)))
    gap = max(0.0, float(log_probs.max(axis=1).sum()) - best.plain)
    return (
        gap / phones,
        math.log1p(gap),
        math.log1p(best.filler_steps),
        math.log(phones),
        max(-FAR, min(FAR, margin)) / FAR,
    )


def clear_evidence(log_probs: LogProbs, free: Transcript) -> tuple[float, ...]:
    """For and against free words, in the order of CLEAR_EVIDENCE; each of about unit size."""
    phones = max(1, len(units.greedy(log_probs)))
    gap = float(log_probs.max(axis=1).sum()) - free.sound
    words = max(1, len(free.text.split()))
    return gap / phones, free.words / words / 5.0, mean_phone(log_probs), float(free.unfinished)


def probability(weights: Sequence[float], evidence: Sequence[float], bias: float) -> float:
    """Logistic."""
    z = bias + sum(weight * value for weight, value in zip(weights, evidence, strict=True))
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, z))))


def mean_phone(log_probs: LogProbs) -> float:
    """Mean probability of the best unit where it is no blank."""
    best = log_probs.max(axis=1)
    voiced = log_probs.argmax(axis=1) != units.BLANK
    return float(np.exp(best[voiced]).mean()) if voiced.any() else 0.0
