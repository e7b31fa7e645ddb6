"""`wordings.toml`, ready to be matched: expressions of the command grammar with holes become patterns.

A hole takes any words of its kind: `subject` whom or what a sentence is about, `whose` somebody's ("my",
"Tom's"), `be` a form of to be, `any` whatever is there. Patterns are matched against `spelled` text.
"""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from runtime.mind.expression import NOTHING, Choice, ExpressionParser, Lexicon, Node, Word
from runtime.mind.memory.tokens import somebody

_FILE = Path(__file__).with_name("wordings.toml")
_WORD = r"[\w'-]+"
_SUBJECT = (
    rf"(?:(?:my|our|your|his|her|their|its|the|this|that)(?: {_WORD}){{1,5}}?"
    rf"|i|we|you|he|she|it|they|(?!(?:i|we|you|he|she|it|they) ){_WORD}(?: {_WORD}){{0,3}}?)"
)
_NUMBER = r"(?:\d+|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|several)"
_COUNT = (
    r"(?:\d{1,3}|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
    r"|(?:thir|four|fif|six|seven|eigh|nine)teen"
    r"|(?:twen|thir|for|fif|six|seven|eigh|nine)ty(?:[ -](?:one|two|three|four|five|six|seven|eight|nine))?)"
)
_MONTHS = (
    r"(?:january|february|march|april|may|june|july|august|september|october|november|december|spring|summer"
    r"|autumn|winter|nineteen|twenty|\d)"
)
_HOLES = {
    "any": r".+?",
    "subject": _SUBJECT,
    "self": r"(?:i|we)",
    "third": r"[a-z]{2,}s",
    "kin": "",  # filled from the lexicon
    "owned": rf"(?:my|our)(?: {_WORD}){{1,5}}?",
    "whose": rf"(?:my|our|your|his|her|their|its|{_SUBJECT}(?:'s|s'))",
    "noun": rf"{_WORD}(?: {_WORD}){{0,3}}?",
    "name": rf"{_WORD}(?: {_WORD}){{0,2}}?",
    "be": r"(?:is|are|was|were|am)",
    "date": rf"(?:on .+|in (?:the )?{_MONTHS}.*)",
    "count": _COUNT,
    "digits": r"\d{1,3}",
    "number": rf"{_NUMBER} .+",
    "somebody": "",  # filled from the lexicon
}
_MARK = r"[,;:.!]?"
"""May follow any word"""
_OPENINGS = (
    r"(?:and|so|well|oh|okay|ok|but|um|uh|hm|hey|hi|hello|now|also|by the way|listen|guess what|i think)"
)
_CLOSINGS = r"(?:again|please|any ?more|as well|too|by the way|okay)"
_CONTRACTIONS = (
    (re.compile(r"\b(i)'m\b", re.I), r"\1 am"),
    (re.compile(r"\b(you|we|they)'re\b", re.I), r"\1 are"),
    (re.compile(r"\b(i|you|we|they)'ve\b", re.I), r"\1 have"),
    (re.compile(r"\b(he|she|it)'s got\b", re.I), r"\1 has got"),
    (re.compile(r"\b(he|she|it|that|this|name|who|what|where|when|how|there|here)'s\b", re.I), r"\1 is"),
    (re.compile(r"\b(\w+)'s (?=called|named|allergic|from|born|\d)", re.I), r"\1 is "),
    (re.compile(r"\bmemorise\b", re.I), "memorize"),
)


@dataclass(frozen=True, slots=True)
class Telling:
    """A relation and the patterns that tell it; the fields are described in wordings.toml."""

    relation: str
    patterns: tuple[re.Pattern[str], ...]
    one: bool = False
    subject: str = "{s}"
    back: str = ""
    asked_only: bool = False


def spelled(text: str) -> str:
    """One line without marks at its ends, short forms written out: "I'm Tom." -> "I am Tom"."""
    said = " ".join(text.replace("’", "'").split()).strip(" .?!,;:")
    for pattern, put in _CONTRACTIONS:
        said = pattern.sub(put, said)
    return said


def bare(text: str, pet: str) -> str:
    """Without what only opens or closes it: "hey Buddy, and where is my hat again?" -> "where is my hat?" """
    said = " ".join(text.replace("’", "'").split())
    call = rf"(?:{re.escape(pet)}|buddy)" if pet else "buddy"
    opening = re.compile(rf"^(?:(?:(?:hey|hi|hello|okay|ok) )?{call}|{_OPENINGS})[,:.!]* ", re.IGNORECASE)
    while (shorter := opening.sub("", said)) != said:
        said = shorter
    closing = re.compile(rf"[, ]+(?:{call}|{_CLOSINGS})([.?!]*)$", re.IGNORECASE)
    while (shorter := closing.sub(r"\1", said)) != said:
        said = shorter
    return re.sub(r"^did you know that (.+?)\?*$", r"\1", said, flags=re.IGNORECASE)


def match(pattern: re.Pattern[str], said: str) -> dict[str, str] | None:
    """What the holes took, where `pattern` fits the whole of `said`."""
    found = pattern.fullmatch(f" {said}")
    return {k: v.strip(" ,;:") for k, v in found.groupdict().items() if v} if found else None


def first_match(patterns: tuple[re.Pattern[str], ...], said: str) -> dict[str, str] | None:
    """What the holes of the first fitting pattern took."""
    return next((found for pattern in patterns if (found := match(pattern, said)) is not None), None)


@cache
def wishes() -> dict[str, tuple[re.Pattern[str], ...]]:
    """Kind of wish -> its wordings."""
    return {kind: _patterns(rows) for kind, rows in _file()["wishes"].items()}


@cache
def part(table: str, key: str = "wordings") -> tuple[re.Pattern[str], ...]:
    """The wordings of `[table] key`."""
    return _patterns(_file()[table][key])


@cache
def tellings() -> tuple[Telling, ...]:
    return tuple(
        Telling(**{k: v for k, v in row.items() if k != "say"}, patterns=_patterns(row["say"]))
        for row in _file()["tells"]
    )


@cache
def _file() -> dict[str, Any]:
    return tomllib.loads(_FILE.read_text(encoding="utf-8"))


@cache
def _lexicon() -> Lexicon:
    macros = {name: tuple(phrases) for name, phrases in _file()["macros"].items()}
    return Lexicon({kind: (kind,) for kind in _HOLES}, macros)


def _patterns(expressions: list[str]) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(_pattern(_parsed(one)), re.IGNORECASE) for one in expressions)


def _parsed(expression: str) -> Node:
    return ExpressionParser(expression, _lexicon(), _FILE.name).parse()


def _pattern(node: Node) -> str:
    """Every word with the space before it."""
    if isinstance(node, Word):
        if not node.slot:
            return f" {re.escape(node.text)}{_MARK}"
        return f" (?P<{node.slot}>{_hole(node.value)}){_MARK}"
    if isinstance(node, Choice):
        options = "|".join(_pattern(option) for option in node.options if option is not NOTHING)
        return f"(?:{options}){'?' if NOTHING in node.options else ''}"
    return "".join(_pattern(inner) for inner in node.parts)


def _hole(kind: str) -> str:
    someone = "|".join(sorted(somebody(), key=len, reverse=True))
    if kind == "somebody":
        return rf"(?:{_WORD} )?(?:{someone})"
    if kind == "kin":
        return rf"(?:my|our)(?: {_WORD})? (?:{someone})(?: [A-Z][a-z]+)?"
    return _HOLES[kind]
