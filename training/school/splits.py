"""Parts that share nothing: by source where it is told, by the text itself elsewhere."""

import zlib
from collections import Counter
from collections.abc import Sequence

from runtime.contracts.errors import TrainingError
from training.data.cleaning import same
from training.school.examples import Example


def split(examples: Sequence[Example], share: float, seed: int) -> tuple[list[Example], list[Example]]:
    """(the rest, about `share` of them); whatever is of one source, or the same text, stays together.

    Stratified: of every label about the same share is taken, as far as sources allow.
    """
    groups = _together(examples)
    wanted, most = {label: share * n for label, n in _counts(examples).items()}, share * len(examples)
    taken: Counter[str] = Counter()
    rest: list[Example] = []
    part: list[Example] = []
    for key in sorted(groups, key=lambda name: zlib.crc32(f"{seed}:{name}".encode())):
        group = groups[key]
        adds = _counts(group)
        fits = all(taken[label] + n < wanted[label] + 1 for label, n in adds.items())
        fits = fits and len(part) + len(group) <= most + 0.5
        (part if fits else rest).extend(group)
        if fits:
            taken += adds
    if not part or not rest:
        raise TrainingError(
            f"{len(groups)} sources cannot be split into two parts of which one holds {share:.0%}; give more"
        )
    return rest, part


def leaks(one: Sequence[Example], other: Sequence[Example]) -> list[str]:
    """Texts and sources that stand in both."""
    texts = {same(e.text) for e in one} & {same(e.text) for e in other}
    sources = ({e.source for e in one} & {e.source for e in other}) - {""}
    return sorted(texts) + sorted(f"source {name}" for name in sources)


def without_leaks(learned: Sequence[Example], reported: Sequence[Example]) -> tuple[list[Example], int]:
    """`learned` without what `reported` holds too, and how many were taken out.

    A text that two people wrote is taken out; a source on both sides is an error, for nothing but a wrong
    file explains it.
    """
    sources = ({e.source for e in learned} & {e.source for e in reported}) - {""}
    if sources:
        raise TrainingError(
            f"sources on both sides of the split: {sorted(sources)[:5]}; give each source to one side"
        )
    texts = {same(e.text) for e in reported}
    kept = [e for e in learned if same(e.text) not in texts]
    return kept, len(learned) - len(kept)


def _together(examples: Sequence[Example]) -> dict[str, list[Example]]:
    """Groups that a source or a text holds together, however long the chain (union-find)."""
    over: dict[str, str] = {}

    def top(name: str) -> str:
        while over.setdefault(name, name) != name:
            over[name] = name = over[over[name]]
        return name

    for example in examples:
        if example.source:
            over[top(f"s:{example.source}")] = top(f"t:{same(example.text)}")
    groups: dict[str, list[Example]] = {}
    for example in examples:
        groups.setdefault(top(f"t:{same(example.text)}"), []).append(example)
    return groups


def _counts(examples: Sequence[Example]) -> Counter[str]:
    return Counter(label for example in examples for label in example.labels)
