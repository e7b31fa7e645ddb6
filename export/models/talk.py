"""What a dialogue model of ours is proved with: the pet's own prompts and the replies written for them."""

from pathlib import Path

from export.models.checkpoint import Checkpoint
from runtime.mind.prompt import END, render
from training.data.conversations import Corpus
from training.data.phrases import Part

CARD = "dialogue.json"
"""It stands in a checkpoint that learned our tags"""
Line = tuple[str, str]
"""(what is read, the reply that counts)"""


def is_ours(checkpoint: Checkpoint) -> bool:
    return checkpoint.task.name == "dialogue" and Path(checkpoint.folder / CARD).is_file()


def lines(part: Part, count: int, seed: int = 5) -> list[Line]:
    """Turns of invented pets and people; those of "held_out" no training has seen."""
    corpus = Corpus(part, seed)
    found: list[Line] = []
    while len(found) < count:
        found += [(render(turn.prompt), turn.reply + END) for turn in corpus.scene(1).turns]
    return found[:count]
