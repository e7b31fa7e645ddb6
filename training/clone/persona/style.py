"""Style numbers: how lively, sociable, curious, calm its owner's words make it; what the drives are set from.

Each sentence about the animal that holds a word for or against counts once, a trait of the profile thrice.
With few words the number stays near 0.5: two ordinary animals are always counted along.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from training.clone.persona.language import wordings
from training.clone.persona.notes import Line
from training.clone.persona.subject import Animal, about, sentences

_ORDINARY = 2.0
_TRAIT = 3.0
_DENIED = re.compile(r"\b(?:not|never|no|hardly|isn't|doesn't|won't)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Style:
    """Name -> number 0..1; `because`: name -> lines that spoke for or against it."""

    numbers: Mapping[str, float]
    because: Mapping[str, tuple[str, ...]]


def style_of(lines: Iterable[Line], traits: Iterable[str], animal: Animal) -> Style:
    """Of what was written about `animal`."""
    up: dict[str, float] = dict.fromkeys(wordings()["style"], 0.0)
    down = dict(up)
    because: dict[str, list[str]] = {name: [] for name in up}
    for words, weight, source in _told(lines, traits, animal):
        denied = bool(_DENIED.search(words))
        for name, row in wordings()["style"].items():
            for side, other, patterns in ((up, down, row["up"]), (down, up, row["down"])):
                if re.search(rf"\b(?:{patterns})\b", words, re.IGNORECASE):
                    (other if denied else side)[name] += weight
                    because[name].append(source)
    numbers = {n: round((up[n] + _ORDINARY / 2) / (up[n] + down[n] + _ORDINARY), 2) for n in up}
    return Style(numbers, {name: tuple(dict.fromkeys(sources)) for name, sources in because.items()})


def _told(lines: Iterable[Line], traits: Iterable[str], animal: Animal) -> Iterable[tuple[str, float, str]]:
    """(words about the animal, how much they count, where they stand)."""
    yield from ((trait, _TRAIT, "profile.toml") for trait in traits)
    meant, before = False, ("", 0)
    for line in lines:
        meant = meant and not line.speaker and (line.file, line.number - 1) == before
        before = line.file, line.number
        for sentence in sentences(line.text):
            found = about(sentence, animal, meant)
            meant = found.goes_on
            if found.rest:
                yield found.rest, 1.0, line.source
