"""What somebody wants of the memory: to allow, tell, forget, confirm; and what they put right."""

from dataclasses import dataclass

from runtime.mind.memory.wordings import first_match, part, spelled, wishes


@dataclass(frozen=True, slots=True)
class Wish:
    """`kind` as in wordings.toml; `topic`: what it is about, as said, "" for nothing named."""

    kind: str
    topic: str = ""


@dataclass(frozen=True, slots=True)
class Correction:
    """What may put right what was said last. `begins`: it starts with "no", "actually" or the like."""

    begins: bool
    rest: str
    """After that start"""
    value: str = ""
    """The right value, where the sentence gives one"""
    old: str = ""
    """The wrong value, where the sentence names it"""
    plain: bool = False
    """A correction even without such a start: "her name is Hanna" """


def wish_of(text: str) -> Wish | None:
    """What `text` wants of the memory; None for anything else."""
    said = spelled(text)
    for kind, patterns in wishes().items():
        found = first_match(patterns, said)
        if found is not None:
            return Wish(kind, found.get("topic", ""))
    return None


def correction_of(text: str) -> Correction:
    """How `text` puts right what was said last, if it does."""
    said = spelled(text)
    begun = first_match(part("corrections", "begins"), said)
    rest = begun["rest"] if begun else said
    if right := first_match(part("corrections", "plain"), rest):
        return Correction(begun is not None, rest, right["value"], right.get("old", ""), plain=True)
    right = first_match(part("corrections", "values"), rest) or {}
    return Correction(begun is not None, rest, right.get("value", ""))
