"""The table of what the pet never says (`forbidden.toml`). It belongs to the program and not to a pack."""

import re
import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from runtime.mind.rules import spelt_out

FILE = Path(__file__).with_name("forbidden.toml")
Instead = Literal["", "ask_robot", "beyond", "help"]
"""What is said in place of a sentence; see the file"""


class Forbidden(BaseModel):
    """One row."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    instead: Instead
    patterns: Annotated[tuple[str, ...], Field(min_length=1)]
    unless_denied: bool = False
    unless_told: bool = False


class Words(BaseModel):
    """Lists that the rules beside the table need; see the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    numbers: frozenset[str]
    no_names: frozenset[str]
    small_words: frozenset[str]
    its_own: frozenset[str]


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    lists: Words
    words: dict[str, str]
    row: list[Forbidden]

    def compiled(self, row: Forbidden) -> tuple[re.Pattern[str], ...]:
        return tuple(re.compile(spelt_out(pattern, self.words), re.IGNORECASE) for pattern in row.patterns)


_file = _File.model_validate(tomllib.loads(FILE.read_text("utf-8")))
WORDS = _file.lists
TABLE = tuple((row, _file.compiled(row)) for row in _file.row)
"""Each row with its patterns"""
