"""Slot values in free wordings: the grammar's phrases, matched exactly or by likeness."""

from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher

from runtime.mind.wording import skeleton, words_of

MIN_LIKENESS = 0.75
_SYNONYMS = {
    "up": ("louder", "raise", "increase", "ceiling", "can't hear", "sky"),
    "down": ("softer", "lower", "decrease", "quieter", "quietly", "floor", "too loud", "so loud"),
    "around": ("the other way", "about face"),
    "at me": ("me", "my", "eyes"),
}
"""Words of a free wording that mean a value of the same name, tried when the value itself is not there"""


def find_slots(words: Sequence[str], values: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The best phrase for each slot of `values` (slot -> phrases); unlikely ones are left out."""
    found = {slot: _best(words, phrases) for slot, phrases in values.items()}
    return {slot: phrase for slot, phrase in found.items() if phrase is not None}


def _best(words: Sequence[str], phrases: Sequence[str]) -> str | None:
    scored = [(max(_scores(words, phrase), default=0.0), phrase) for phrase in phrases]
    score, phrase = max(scored, key=lambda pair: pair[0], default=(0.0, ""))
    if score >= MIN_LIKENESS:
        return phrase
    text = f" {' '.join(words)} "
    return next((p for p in phrases if any(f" {s} " in text for s in _SYNONYMS.get(p, ()))), None)


def _scores(words: Sequence[str], phrase: str) -> Iterator[float]:
    target = words_of(phrase)
    for start in range(len(words) - len(target) + 1):
        yield _likeness(words[start : start + len(target)], target)


def _likeness(heard: Sequence[str], target: Sequence[str]) -> float:
    """1 for equal words; .9 where the consonants agree and are enough to tell; else the letters in common."""
    if list(heard) == list(target):
        return 1.0
    one, other = ("".join(map(skeleton, side)) for side in (heard, target))
    if one == other and len(one) >= 2:
        return 0.9
    return SequenceMatcher(a=" ".join(heard), b=" ".join(target), autojunk=False).ratio()
