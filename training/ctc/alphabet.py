"""What a CTC network answers with: English sounds, which the robot runs, or the letters of the task's texts.

Sounds come by way of the pronouncing dictionary, so any grammar of English words is understood afterwards.
Letters are for other languages, and for a start that has learned letters: its own are kept where they do.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from runtime.contracts.errors import TrainingError
from runtime.speech.units import UNITS, encode
from training.asr.lexicon import pronouncer

Kind = Literal["sounds", "letters"]
_GAP, _PAD, _UNKNOWN = "|", "[PAD]", "[UNK]"
_SPECIAL = {"<pad>", "<s>", "</s>", "<unk>", _PAD, _UNKNOWN}


@dataclass(frozen=True, slots=True)
class Alphabet:
    """`labels`: column -> sound or letter; the blank's column is `blank`."""

    kind: Kind
    labels: tuple[str, ...]
    blank: int = 0

    def encode(self, text: str) -> list[int]:
        """Columns of `text`. TrainingError names what the alphabet lacks."""
        if self.kind == "sounds":
            return [unit for word in text.split() for unit in encode(pronouncer().must(word)[0])]
        letters = [_GAP if c == " " else c for c in " ".join(text.split())]
        columns = {label: i for i, label in enumerate(self.labels)}
        if lacking := sorted({c for c in self._cased(letters) if c not in columns}):
            raise TrainingError(
                f"{text[:60]!r} holds {lacking}, which the model's letters lack; leave --keep-letters off"
            )
        return [columns[c] for c in self._cased(letters)]

    def decode(self, columns: Iterable[int]) -> str:
        """CTC's rule: repeats are one, blanks nothing. Letters come back as a text, sounds as "S IH T"."""
        said, before = [], self.blank
        for column in columns:
            if column not in (before, self.blank) and self.labels[column] not in _SPECIAL:
                said.append(self.labels[column])
            before = column
        if self.kind == "sounds":
            return " ".join(said)
        return " ".join("".join(said).replace(_GAP, " ").lower().split())

    def _cased(self, letters: Sequence[str]) -> list[str]:
        upper = not any(label.islower() and label not in _SPECIAL for label in self.labels)
        return [c.upper() if upper else c.lower() for c in letters]

    def save(self, folder: Path) -> None:
        """vocab.json, as transformers' CTC tokenizers read it."""
        table = {label or _PAD: i for i, label in enumerate(self.labels)}
        (folder / "vocab.json").write_text(json.dumps(table, ensure_ascii=False, indent=1) + "\n", "utf-8")


def sounds() -> Alphabet:
    return Alphabet("sounds", UNITS)


def letters_of(texts: Iterable[str]) -> Alphabet:
    """Every letter that occurs, in lower case; TrainingError where there is none."""
    found = sorted({c for text in texts for c in text.lower() if not c.isspace()} - {_GAP})
    if not any(c.isalpha() for c in found):
        raise TrainingError("the texts hold no letter to learn; give texts of words")
    return Alphabet("letters", (_PAD, _GAP, *found, _UNKNOWN))


def letters_of_start(folder: Path, blank: int) -> Alphabet:
    """The letters that a start has learned, from its vocab.json."""
    path = folder / "vocab.json"
    try:
        table = json.loads(path.read_text("utf-8"))
        table = table.get(next(iter(table))) if isinstance(next(iter(table.values())), dict) else table
        labels = sorted(table, key=lambda label: int(table[label]))
    except (OSError, ValueError, AttributeError, StopIteration) as error:
        raise TrainingError(f"{path} tells no letters ({error}); leave --keep-letters off") from error
    return Alphabet("letters", tuple(labels), blank)
