"""The page's words in the reader's language."""

import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

LANGUAGES = ("en", "zh")
"""In the order in which words.toml gives them"""


@cache
def _table() -> dict[str, dict[str, list[str]]]:
    return tomllib.loads((Path(__file__).parent / "words.toml").read_text(encoding="utf-8"))


def chosen(asked: str, accepted: str) -> str:
    """The language of `?lang=`, else the first of the browser's that there is, else English."""
    wanted = [asked, *(part.split(";")[0].strip() for part in accepted.split(","))]
    return next((word[:2].lower() for word in wanted if word[:2].lower() in LANGUAGES), "en")


class Words:
    """`words("status.away")`; a name of no table, as an owner's own skill, stands as it is written."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._column = LANGUAGES.index(language)

    def keys_of(self, text: str, parts: Iterable[str]) -> list[str]:
        """The names, of those parts, under which `text` is told."""
        sought = text.lower()
        return [
            name
            for part in parts
            for name, row in _table()[part].items()
            if sought in row[self._column].lower()
        ]

    def __call__(self, key: str) -> str:
        part, _, word = key.partition(".")
        row = _table()[part].get(word)
        return row[self._column] if row else word.replace("_", " ")
