"""Is it English? And English verbs as an animal says them of itself: "spins" -> "spin"."""

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

_LEAST_WORDS = 5
_OTHER_SCRIPT = 0.4
_IRREGULAR = {
    "is": "am",
    "has": "have",
    "does": "do",
    "goes": "go",
    "lies": "lie",
    "dies": "die",
    "was": "was",
}


@cache
def wordings() -> dict[str, Any]:
    """`wordings.toml`."""
    return tomllib.loads(Path(__file__).with_name("wordings.toml").read_text(encoding="utf-8"))


@cache
def passed_over(name: str) -> re.Pattern[str]:
    """A pattern of `[passed_over]`."""
    return re.compile(wordings()["passed_over"][name], re.IGNORECASE)


def compiled(pattern: str, begin: str = "^", end: str = "$") -> re.Pattern[str]:
    """A pattern of the file with its parts filled in."""
    for name, part in wordings()["parts"].items():
        pattern = pattern.replace(f"<{name}>", part)
    return re.compile(f"{begin}{pattern}{end}", re.IGNORECASE)


def foreign(text: str) -> str:
    """The language, if it is not English, or "another script"; "" where it is English or cannot be told."""
    letters = [c for c in text if c.isalpha()]
    if letters and sum(ord(c) > 0x24F for c in letters) > _OTHER_SCRIPT * len(letters):
        return "in another script"
    words = re.findall(r"[^\W\d_]+", text.lower())
    known = {language: frozenset(list_.split()) for language, list_ in wordings()["languages"].items()}
    counted = {language: sum(word in words_ for word in words) for language, words_ in known.items()}
    english = counted.pop("English")
    likely = max(counted, key=lambda language: counted[language])
    return likely if len(words) >= _LEAST_WORDS and counted[likely] > 2 * english + 1 else ""


def first_person(verb: str) -> str:
    """ "chases" -> "chase", "carries" -> "carry"; any other form stays."""
    small = verb.lower()
    if small in _IRREGULAR:
        return _IRREGULAR[small]
    if re.search(r"[^aeiou]ies$", small):
        return small[:-3] + "y"
    if re.search(r"(?:ch|sh|ss|x|zz|o)es$", small):
        return small[:-2]
    return small[:-1] if re.search(r"[^s]s$", small) else small
