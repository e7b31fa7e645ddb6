"""Texts with their labels: where they are read from, and what is done to them before anything is learned.

Forms: a table (.tsv, .csv; columns text, label, source or without a header in that order), .jsonl with the
same keys, the file of CLINC-150, a folder of GoEmotions. Several labels of one text: separated by a comma.
"""

import csv
import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from runtime.contracts.errors import TrainingError
from training.data import cleaning, corpora, privacy

Part = Literal["train", "validation"]
OUT_OF_SCOPE = "oos"
"""The label of what belongs to no other, in files and checkpoints"""
_COLUMNS = ("text", "label", "source")


@dataclass(frozen=True, slots=True)
class Example:
    text: str
    labels: tuple[str, ...]
    source: str = ""
    """Who or what it is from; examples of one source never stand on both sides of a split"""
    weight: float = 1.0
    """How much it counts while learning"""


@dataclass(frozen=True, slots=True)
class Tidied:
    """Examples that are left, and how many were changed or dropped, by reason."""

    examples: list[Example]
    counts: dict[str, int]


def read(path: Path, part: Part) -> list[Example]:
    """All examples of `part`; a table has one part only. TrainingError names file, line and cure."""
    if path.is_dir():
        found = list(_goemotions(path, part))
    elif not path.is_file():
        raise TrainingError(f"{path} is not there; give a file of texts and labels")
    elif path.suffix == ".json":
        found = list(_clinc(path, part))
    elif path.suffix == ".jsonl":
        found = list(_jsonl(path))
    else:
        found = list(_table(path))
    if not found:
        raise TrainingError(f"{path} holds no example; each line needs a text and a label")
    return found


def has_parts(path: Path) -> bool:
    """Whether `read` can tell a validation part from a training part."""
    return path.is_dir() or path.suffix == ".json"


def tidy(examples: Iterable[Example], clean: bool, scrub: bool, language: str) -> Tidied:
    """Normalised, of one language, without private words, each text and label once."""
    counts = dict.fromkeys(("read", "empty", "other_language", "scrubbed", "repeated"), 0)
    kept: dict[tuple[str, tuple[str, ...]], Example] = {}
    for example in examples:
        counts["read"] += 1
        text = cleaning.normalise(example.text) if clean else example.text
        if not text.strip():
            counts["empty"] += 1
            continue
        if language and cleaning.language_of(text) not in ("", language):
            counts["other_language"] += 1
            continue
        if scrub:
            scrubbed = privacy.scrub(text)
            counts["scrubbed"] += scrubbed != text
            text = scrubbed
        key = (cleaning.same(text), example.labels) if clean else (f"{counts['read']}", ())
        counts["repeated"] += key in kept
        kept.setdefault(key, replace(example, text=text))
    return Tidied(list(kept.values()), counts)


def digest(examples: Sequence[Example]) -> str:
    """sha256 of the texts, labels and weights, whatever their order."""
    lines = sorted(
        f"{example.text}\t{','.join(example.labels)}" + (f"\t{example.weight}" if example.weight != 1 else "")
        for example in examples
    )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def labels_of(examples: Iterable[Example]) -> list[str]:
    """Every label once, out of scope first, the rest by name."""
    return in_order({label for example in examples for label in example.labels})


def in_order(found: Iterable[str]) -> list[str]:
    """Labels as their columns stand."""
    return sorted(found, key=lambda label: (label != OUT_OF_SCOPE, label))


def targets_of(
    examples: Sequence[Example], labels: Sequence[str], path: Path | None = None
) -> list[list[int]]:
    """Columns of each example's labels; TrainingError for one that `labels` lacks."""
    column = {label: i for i, label in enumerate(labels)}
    unknown = sorted({label for e in examples for label in e.labels if label not in column})
    if unknown:
        raise TrainingError(
            f"{path or 'the data'} has labels that were not learned: {unknown[:5]}; "
            f"known: {list(labels)[:8]}..."
        )
    return [[column[label] for label in example.labels] for example in examples]


def _row(path: Path, line: int, row: dict[str, Any]) -> Example:
    text, label = row.get("text"), row.get("label")
    if not isinstance(text, str) or label in (None, ""):
        raise TrainingError(
            f"{path}, line {line}: needs a text and a label, has {str(row)[:80]}; mend the line"
        )
    labels = label if isinstance(label, list) else str(label).split(",")
    return Example(text, tuple(sorted(str(name).strip() for name in labels)), str(row.get("source") or ""))


def _jsonl(path: Path) -> Iterator[Example]:
    for number, line in enumerate(_text(path).splitlines(), start=1):
        if line.strip():
            try:
                row = json.loads(line)
            except json.JSONDecodeError as error:
                raise TrainingError(f"{path}, line {number} is not JSON ({error.msg}); mend it") from error
            yield _row(path, number, row if isinstance(row, dict) else {})


def _table(path: Path) -> Iterator[Example]:
    lines = _text(path).splitlines()
    comma = path.suffix == ".csv"
    rows = csv.reader(
        lines, delimiter="," if comma else "\t", quoting=csv.QUOTE_MINIMAL if comma else csv.QUOTE_NONE
    )
    columns: Sequence[str] = _COLUMNS
    for number, row in enumerate(rows, start=1):
        if number == 1 and "text" in row and "label" in row:
            columns = row
        elif row:
            yield _row(path, number, dict(zip(columns, row, strict=False)))


def _clinc(path: Path, part: Part) -> Iterator[Example]:
    sets, key = corpora.clinc(path), "train" if part == "train" else "val"
    if key not in sets:
        raise TrainingError(f"{path} is not the file of CLINC-150 (no {key!r}); give a .tsv or .jsonl")
    for text, label in [*sets[key], *sets.get(f"oos_{key}", [])]:
        yield Example(text, (label,))


def _goemotions(folder: Path, part: Part) -> Iterator[Example]:
    path = folder / ("train.tsv" if part == "train" else "dev.tsv")
    if not path.is_file() or not (folder / "labels.txt").is_file():
        raise TrainingError(
            f"{folder} lacks {path.name} or labels.txt; give a folder of GoEmotions, or a file"
        )
    names = corpora.emotions(folder)
    for text, numbers in corpora.goemotions(path):
        if max(numbers) >= len(names):
            raise TrainingError(f"{path}: {text!r} has an emotion that labels.txt lacks; mend either")
        yield Example(text, tuple(sorted(names[number] for number in numbers)))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise TrainingError(
            f"{path} is not UTF-8 ({error.reason} at byte {error.start}); convert it"
        ) from error
