"""What the pet's own life teaches: exported lessons and the owner's answers, as sentences with what is known.

`everpaw privacy export --training DIR` writes `lessons.jsonl` (docs/privacy.md). A correction or an answer is
the owner's word; praise says that what was done was meant; a scolding only what was not.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from runtime.contracts.errors import TrainingError
from runtime.lessons.lesson import Lesson
from runtime.mind.grammar import Grammar
from training.data import cleaning, privacy

How = Literal["answered", "corrected", "praised", ""]
_RANK = ("", "praised", "corrected", "answered")
"""Of two that tell of one sentence the later here counts"""


@dataclass(frozen=True, slots=True)
class Told:
    """A sentence, what it means where somebody said so, and what it does not mean."""

    text: str
    label: str = ""
    how: How = ""
    never: frozenset[str] = frozenset()


def read(paths: Iterable[Path]) -> list[Lesson]:
    """TrainingError names file, line and cure."""
    found: list[Lesson] = []
    for path in paths:
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise TrainingError(
                f"{path} cannot be read ({error}); give lessons.jsonl of `everpaw privacy export --training`"
            ) from error
        for number, line in enumerate(lines, start=1):
            try:
                found += [Lesson.model_validate_json(line)] if line.strip() else []
            except ValidationError as error:
                first = error.errors()[0]
                where = ".".join(str(part) for part in first["loc"])
                raise TrainingError(
                    f"{path}, line {number} is no lesson ({where} {first['msg']}); export the lessons again"
                ) from error
    return found


def told(lessons: Iterable[Lesson], answers: Mapping[str, str], grammar: Grammar, task: str) -> list[Told]:
    """Every sentence once, without private words. Of a mood no lesson tells, answers alone do."""
    every = [
        one for lesson in lessons for one in (_of(lesson, grammar) if task == "behaviour" else _bare(lesson))
    ]
    every += [Told(text, label, "answered") for text, label in answers.items()]
    best: dict[str, Told] = {}
    for one in every:
        text = privacy.scrub(cleaning.normalise(one.text))
        if not text:
            continue
        before = best.get(cleaning.same(text), Told(text))
        known = one if _RANK.index(one.how) >= _RANK.index(before.how) else before
        best[cleaning.same(text)] = Told(text, known.label, known.how, before.never | one.never)
    return list(best.values())


def _bare(lesson: Lesson) -> list[Told]:
    return [Told(lesson.heard)]


def _of(lesson: Lesson, grammar: Grammar) -> list[Told]:
    """One of the words heard and, where corrected, one of the words that put them right."""
    heard, intent = lesson.heard, lesson.intent or ""
    if lesson.meant is not None:
        right = Told(lesson.meant.text, lesson.meant.intent, "corrected")
        parse = grammar.parse(heard)
        if parse is not None and parse.intent == intent:
            # it did as it was told; the person changed their mind
            return [Told(heard, intent, "praised"), right]
        return [Told(heard, lesson.meant.intent, "corrected", frozenset({intent} - {""})), right]
    if lesson.label == "praised" and intent:
        return [Told(heard, intent, "praised")]
    return [Told(heard, never=frozenset({intent} - {""}) if lesson.label == "scolded" else frozenset())]


def rare(some: Sequence[Told], known: Sequence[str], least: int) -> set[str]:
    """Labels that are new and have too few sentences to be learned."""
    counts: dict[str, int] = {}
    for one in some:
        for label in one.label.split(",") if one.label else ():
            counts[label] = counts.get(label, 0) + 1
    return {label for label, n in counts.items() if label not in known and n < least}
