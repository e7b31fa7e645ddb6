"""From examples to batches: the same ones in the same order for a seed and an epoch, resumed or not."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset, Sampler

from runtime.contracts.errors import TrainingError
from training.data.wordings import Confuser
from training.school.examples import Example
from training.school.settings import Switches

_POOL = 50
"""Batches whose sentences are sorted by length together"""


class Sentences(Dataset[dict[str, Any]]):
    """Tokens and targets. What is drawn by chance hangs on seed, epoch and index alone."""

    def __init__(
        self, examples: Sequence[Example], targets: torch.Tensor, tokenizer: Any, most: int,
        switches: Switches, seed: int,
    ) -> None:  # fmt: skip
        self._examples, self._targets = examples, targets
        self._tokenizer, self._most, self._switches, self._seed = tokenizer, most, switches, seed
        self._epoch = 0
        words = sorted({word for e in examples for word in e.text.split()})
        self._confuser = Confuser(words) if switches.speech_noise else None
        self._synonyms = synonyms(switches.synonym_file) if switches.synonym_file else {}

    def set_epoch(self, epoch: int) -> None:
        """Called by the loader at the start of each."""
        self._epoch = epoch

    def __len__(self) -> int:
        return len(self._examples)

    def __getitem__(self, index: int) -> dict[str, Any]:
        tokens = self._tokenizer(self.text(index), truncation=True, max_length=self._most)
        return {**tokens, "labels": self._targets[index].tolist(), "weight": self._examples[index].weight}

    def text(self, index: int) -> str:
        """As it is learned in this epoch."""
        text = self._examples[index].text
        rng = np.random.default_rng((self._seed, self._epoch, index))
        if self._synonyms and self._switches.synonyms:
            text = _with_synonyms(text, self._synonyms, self._switches.synonyms, rng)
        if self._confuser and rng.random() < self._switches.speech_noise:
            text = self._confuser.confuse(text, rng, float(rng.choice([0.5, 1.0])))
        return text

    def lengths(self) -> list[int]:
        """Characters of each text."""
        return [len(example.text) for example in self._examples]


class Shuffled(Sampler[int]):
    """A new order each epoch; within a pool of batches sentences of one length stand together."""

    def __init__(self, lengths: Sequence[int], batch: int, seed: int) -> None:
        self._lengths, self._batch, self._seed, self._epoch = lengths, batch, seed, 0

    def set_epoch(self, epoch: int) -> None:
        self._epoch = epoch

    def __len__(self) -> int:
        return len(self._lengths)

    def __iter__(self) -> Iterator[int]:
        rng = np.random.default_rng((self._seed, self._epoch))
        order = rng.permutation(len(self._lengths))
        batches: list[Any] = []
        for at in range(0, len(order), self._batch * _POOL):
            pool = sorted(order[at : at + self._batch * _POOL], key=lambda i: self._lengths[int(i)])
            batches += [pool[i : i + self._batch] for i in range(0, len(pool), self._batch)]
        last = [batches.pop()] if len(batches[-1]) < self._batch else []
        shuffled = [batches[int(i)] for i in rng.permutation(len(batches))] + last
        return (int(i) for batch in shuffled for i in batch)


def synonyms(path: Path) -> dict[str, list[str]]:
    """Word -> others of its line. TrainingError for a file that cannot be read or says nothing."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise TrainingError(f"{path} cannot be read ({error}); give a text file, a line a group") from error
    table: dict[str, list[str]] = {}
    for group in (line.replace(",", " ").split() for line in lines):
        for word in group:
            table.setdefault(word.lower(), []).extend(other for other in group if other != word)
    if not any(table.values()):
        raise TrainingError(f"{path} holds no group of words; write a line as `happy glad pleased`")
    return table


def _with_synonyms(text: str, table: dict[str, list[str]], share: float, rng: np.random.Generator) -> str:
    words = text.split()
    for i, word in enumerate(words):
        others = table.get(word.lower())
        if others and rng.random() < share:
            words[i] = str(rng.choice(others))
    return " ".join(words)


def one_hot(columns: Sequence[Sequence[int]], labels: int, several: bool) -> torch.Tensor:
    """(N,) of columns or, for several labels a text, (N, labels) of 0 and 1."""
    if not several:
        return torch.tensor([row[0] for row in columns])
    table = torch.zeros(len(columns), labels)
    for i, row in enumerate(columns):
        table[i, list(row)] = 1.0
    return table
