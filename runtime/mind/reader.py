"""Reads a sentence as a whole: is a person in danger, and how does the speaker feel?

What no rule was written for ("tonight is going to be my last night") a small encoder finds, a transformer
of MiniLM's shape (Wang et al., 2020) with two heads. `everpaw train reader` makes it; `dialogue.reader` names
its folder.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict
from tokenizers import Tokenizer

from runtime.contracts.errors import PackError
from runtime.engines import Engine

FEELINGS = ("anger", "disgust", "fear", "joy", "neutral", "sadness", "surprise")
"""Ekman's six and none"""
MAX_TOKENS = 64
"""Of a window; a longer text is read in windows that overlap by half"""
MAX_WINDOWS = 8
SURE = 0.5
"""A feeling less likely than this is not taken for known"""


_UNUSABLE = "{} holds no usable reader ({}); copy it again, or train it"


class ReaderCard(BaseModel):
    """`reader.json`, beside the model."""

    model_config = ConfigDict(frozen=True)
    threshold: float
    """Danger at or above it is taken for danger"""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a sentence says of its speaker."""

    danger: float
    """Probability, 0..1; of the most alarming window"""
    feelings: dict[str, float]
    """Feeling -> probability, sums to 1; the mean over the windows"""

    @property
    def feeling(self) -> str:
        """The likeliest of FEELINGS."""
        return max(self.feelings, key=lambda name: self.feelings[name])

    @property
    def sure_feeling(self) -> str:
        """The likeliest where it is SURE, else empty."""
        return self.feeling if self.feelings[self.feeling] >= SURE else ""


class Reader:
    """Normalised text -> Reading. Raises PackError where its files cannot be used."""

    def __init__(self, folder: Path) -> None:
        self._engine = Engine(folder / "model.onnx")
        try:
            card = ReaderCard.model_validate_json((folder / "reader.json").read_bytes())
        except (OSError, ValueError) as error:
            raise PackError(_UNUSABLE.format(folder, error)) from error
        try:
            self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        except Exception as error:  # tokenizers raises nothing narrower
            raise PackError(_UNUSABLE.format(folder, error)) from error
        self.threshold = card.threshold

    def read(self, text: str) -> Reading:
        """`text` as by `runtime.mind.grammar.normalise`."""
        rows = windows(self._tokenizer.encode(text).ids)
        results = [self._engine.run(_feeds(row)) for row in rows]
        danger = max(_sigmoid(float(r["danger"][0])) for r in results)
        feelings = np.mean([_softmax(r["feelings"][0]) for r in results], axis=0)
        return Reading(danger, {name: float(p) for name, p in zip(FEELINGS, feelings, strict=True)})


def windows(ids: list[int]) -> list[list[int]]:
    """Token ids with their two ends -> windows of at most MAX_TOKENS, each with the same ends."""
    if len(ids) <= MAX_TOKENS:
        return [ids]
    start, *inner, end = ids
    width = MAX_TOKENS - 2
    step = width // 2
    starts = range(0, max(1, len(inner) - step), step)
    return [[start, *inner[at : at + width], end] for at in starts][:MAX_WINDOWS]


def _feeds(ids: list[int]) -> dict[str, npt.NDArray[np.generic]]:
    row = np.array([ids], dtype=np.int64)  # (1, T)
    return {"input_ids": row, "attention_mask": np.ones_like(row)}


def _sigmoid(logit: float) -> float:
    return float(1 / (1 + np.exp(-logit)))


def _softmax(logits: npt.NDArray[np.generic]) -> npt.NDArray[np.float64]:
    raised = np.exp(logits.astype(np.float64) - logits.max())
    return np.asarray(raised / raised.sum())
