"""Is it really gone? Looks for texts and sealed rows, byte for byte, in every file of a folder."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from runtime.mind.memory.facts import Fact

_LEAST_BYTES = 4
"""Shorter texts ("Bo") turn up in random bytes by chance"""
LEAST_SENTENCE = 12
"""Shorter utterances ("sit down") stand in files that are nobody's secret"""


@dataclass(frozen=True, slots=True)
class Search:
    """What was looked through, and how often something was found."""

    files: int
    size: int
    """Bytes"""
    needles: int
    hits: int


def needles_of(facts: Iterable[Fact]) -> set[bytes]:
    """What must be found nowhere: values and sentences, as UTF-8 and as UTF-16."""
    texts = {text for fact in facts for text in (fact.value, fact.text)}
    spellings = {spelling for text in texts for spelling in (text, text.lower())}
    encoded = {text.encode(code) for text in spellings for code in ("utf-8", "utf-16-le")}
    return {needle for needle in encoded if len(needle) >= _LEAST_BYTES}


def search(folder: Path, needles: Iterable[bytes]) -> Search:
    """All files below `folder`."""
    wanted = list(needles)
    contents = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    hits = sum(content.count(needle) for content in contents for needle in wanted)
    return Search(len(contents), sum(map(len, contents)), len(wanted), hits)
