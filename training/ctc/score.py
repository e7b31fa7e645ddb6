"""How much of what was said comes back from a fine-tuned network."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from transformers import PreTrainedModel

from training.asr.error_rates import Rate, rate
from training.ctc.alphabet import Alphabet
from training.ctc.model import levelled
from training.ctc.speech import Spoken

Listener = Callable[[np.ndarray], np.ndarray]
"""Samples -> columns of the best label, step by step"""


def listener(model: PreTrainedModel) -> Listener:
    model.eval()

    @torch.no_grad()
    def listen(samples: np.ndarray) -> np.ndarray:
        return model(levelled(torch.from_numpy(samples)[None])).logits[0].argmax(-1).numpy()

    return listen


def errors(listen: Listener, alphabet: Alphabet, takes: Sequence[Spoken]) -> dict[str, Rate]:
    """Letters: words and letters wrong; sounds: sounds wrong."""
    heard = [alphabet.decode(int(c) for c in listen(take.samples)) for take in takes]
    said = [alphabet.decode(_apart(alphabet, alphabet.encode(take.text))) for take in takes]
    both = list(zip(said, heard, strict=True))
    words = rate([(a.split(), b.split()) for a, b in both])
    if alphabet.kind == "sounds":
        return {"sounds": words}
    return {"words": words, "letters": rate([(list(a), list(b)) for a, b in both])}


def _apart(alphabet: Alphabet, columns: Sequence[int]) -> list[int]:
    """A blank after each, so that doubles stay two when they are read back."""
    return [c for column in columns for c in (column, alphabet.blank)]
