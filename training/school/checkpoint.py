"""A checkpoint that says what it is: transformers' files and `school.json`, which is written last."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors import SafetensorError
from torch import nn

from runtime.contracts.errors import TrainingError
from training.school import confidence
from training.school import model as school_model
from training.school.course import Learned

SCHOOL = "school.json"


class Card(BaseModel):
    """`school.json`."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    task: str
    start: str
    labels: list[str]
    several: bool
    """Whether a text may have more than one label"""
    max_tokens: int
    temperature: float = 1.0
    threshold: float = 0.0
    """One label a text: below this probability it is out of scope"""
    thresholds: list[float] = []
    """Several: one a label"""
    settings: dict[str, Any]
    digests: dict[str, str]
    """sha256 of the settings and of each part of the data"""
    counts: dict[str, int] = {}
    metrics: dict[str, Any] = {}
    versions: dict[str, str] = {}
    command: str = ""


@dataclass(frozen=True)
class Loaded:
    card: Card
    model: nn.Module
    tokenizer: Any

    def logits(self, texts: list[str]) -> torch.Tensor:
        """(N, labels), at the temperature of the card."""
        raw = school_model.logits_of(self.model, self.tokenizer, texts, self.card.max_tokens)
        return raw / self.card.temperature

    def shares(self, texts: list[str]) -> confidence.Array:
        """(N, labels): probabilities."""
        logits = self.logits(texts)
        found = torch.sigmoid(logits) if self.card.several else torch.softmax(logits, dim=1)
        return found.numpy().astype("float64")


def save(learned: Learned, card: Card, out: Path) -> None:
    """The whole folder or none: it is made beside `out` and put in its place."""
    draft = out.with_name(f"{out.name}.new")
    shutil.rmtree(draft, ignore_errors=True)
    model: Any = learned.model
    if hasattr(model, "merge_and_unload"):
        model = model.merge_and_unload()
    model.save_pretrained(draft)
    learned.tokenizer.save_pretrained(draft)
    write_card(draft, card)
    if out.exists():
        shutil.rmtree(out)
    draft.replace(out)


def write_card(folder: Path, card: Card) -> None:
    draft = folder / f"{SCHOOL}.new"
    draft.write_text(card.model_dump_json(indent=1) + "\n", encoding="utf-8")
    draft.replace(folder / SCHOOL)


def load(folder: Path, task: str) -> Loaded:
    """TrainingError for a folder that is no checkpoint, or one of another task."""
    from transformers import AutoModelForSequenceClassification

    card = read_card(folder)
    if card.task != task:
        raise TrainingError(
            f"{folder} is a checkpoint of {card.task!r}, not of {task!r}; give one of `everpaw train {task}`"
        )
    try:
        model = AutoModelForSequenceClassification.from_pretrained(folder)
    except (OSError, ValueError, SafetensorError) as error:
        raise TrainingError(f"{folder} has no weights that can be used ({error}); train it again") from error
    return Loaded(card, model.eval(), school_model.tokenizer_of(str(folder)))


def read_card(folder: Path) -> Card:
    path = folder / SCHOOL
    try:
        return Card.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, ValidationError) as error:
        reason = str(error).splitlines()[0]
        raise TrainingError(
            f"{folder} is no checkpoint of the school ({reason}); give a folder of `everpaw train`"
        ) from error
