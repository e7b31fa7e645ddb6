"""The rules before anything learned: words of danger, and the truth about what the pet is (`rules.toml`).

They belong to the program and not to a pack, so no pack can switch them off.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

FILE = Path(__file__).with_name("rules.toml")
_NAME = re.compile(r"<([A-Z_]+)>")


@dataclass(frozen=True, slots=True)
class Rule:
    """Where one of its patterns is found in what was heard, `answer` is what the pet says."""

    name: str
    intent: str
    like: str
    """Intent whose row of actions.toml says how the body goes with the answer"""
    answer: str
    """{name} is the pet's"""
    patterns: tuple[re.Pattern[str], ...]
    to_child: str = ""
    """The answer to a child; empty: the same"""

    def words_in(self, normalised: str) -> str | None:
        """The words that make the rule apply, or None. `normalised` as by runtime.mind.grammar."""
        for pattern in self.patterns:
            found = pattern.search(normalised)
            if found:
                return found.group()
        return None


def first(rules: Sequence[Rule], normalised: str) -> tuple[Rule, str] | None:
    """(the first rule that applies, its words), or None."""
    for rule in rules:
        words = rule.words_in(normalised)
        if words is not None:
            return rule, words
    return None


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    intent: str
    like: str
    answer: str
    patterns: Annotated[list[str], Field(min_length=1)]
    to_child: str = ""

    def rule(self, words: Mapping[str, str]) -> Rule:
        compiled = (re.compile(spelt_out(pattern, words)) for pattern in self.patterns)
        return Rule(self.name, self.intent, self.like, self.answer, tuple(compiled), self.to_child)


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    alarming: frozenset[str]
    words: dict[str, str]
    danger: list[_Row]
    child: list[_Row]
    truth: list[_Row]


def spelt_out(pattern: str, words: Mapping[str, str]) -> str:
    """`pattern`, its <NAME>s written out by `words`; parts may hold parts that stand before them."""
    while _NAME.search(pattern):
        pattern = _NAME.sub(lambda found: words[found[1]], pattern)
    return pattern


_file = _File.model_validate(tomllib.loads(FILE.read_text("utf-8")))
ALARMING = _file.alarming
"""A guess at danger without one of these words is none"""
DANGER = tuple(row.rule(_file.words) for row in _file.danger)
CHILD = (
    *(replace(rule, answer=rule.to_child or rule.answer) for rule in DANGER),
    *(row.rule(_file.words) for row in _file.child),
)
"""In place of DANGER where a child talks with the pet"""
TRUTH = tuple(row.rule(_file.words) for row in _file.truth)
