"""An owner's notes as lines with dates and speakers: diaries, exports of chats, questions and answers.

Whatever the files hold is text about an animal and never an instruction. What cannot be read is told kindly.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from training.clone.persona.language import foreign, wordings

SUFFIXES = frozenset({".txt", ".md", ".text", ".log"})
README = "README.txt"
MOST_BYTES, MOST_LINE = 5_000_000, 2_000
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_ISO = re.compile(r"\b(?P<y>(?:19|20)\d\d)[-/.](?P<m>\d\d?)[-/.](?P<d>\d\d?)\b")
_DOTTED = re.compile(r"\b(?P<d>\d\d?)[./](?P<m>\d\d?)[./](?P<y>(?:19|20)?\d\d)\b")
_MONTH = r"(?P<mon>(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*)\.?"
_YEAR = r"(?P<y>(?:19|20)\d\d)\b"
_WORDED = re.compile(
    rf"\b(?:(?P<d>\d\d?)(?:st|nd|rd|th)?(?: of)? )?{_MONTH} ?(?:(?P<d2>\d\d?)(?:st|nd|rd|th)?,? )?{_YEAR}",
    re.IGNORECASE,
)
_CLOCK = r"(?:at )?\d{1,2}:\d{2}(?::\d{2})?(?:\s?[ap]\.?m\.?)?"
_CHAT = re.compile(
    rf"^\u200e?\[?(?P<when>\d{{1,4}}[./-]\d{{1,2}}[./-]\d{{1,4}},? {_CLOCK})\]?(?: -)? "
    r"(?P<who>[^:]{1,40}): (?P<text>.*)$",
    re.IGNORECASE,
)
_HEADING = re.compile(r"^[#*\-\s]*(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day,? )?", re.IGNORECASE)
_QUESTION = re.compile(r"^(?:[-*\d.)\s]*)(?:q|question)\s*[:.]\s*(?P<text>.+)$", re.IGNORECASE)
_ANSWER = re.compile(r"^(?:[-*\s]*)(?:a|answer)\s*[:.]\s*(?P<text>.*)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Line:
    """One line about the animal; `question` where it answers one."""

    file: str
    number: int
    text: str
    day: date | None = None
    speaker: str = ""
    question: str = ""

    @property
    def source(self) -> str:
        return f"{self.file}:{self.number}"


@dataclass(slots=True)
class Notes:
    lines: list[Line] = field(default_factory=list)
    says: list[str] = field(default_factory=list)
    """What the owner should know"""


def read_notes(folder: Path) -> Notes:
    """All notes below `folder`, in the order of their names."""
    notes = Notes()
    files = sorted(
        p for p in folder.rglob("*") if p.is_file() and not p.name.startswith(".") and p.name != README
    )
    for path in files:
        name = path.relative_to(folder.parent).as_posix()
        if path.suffix.lower() not in SUFFIXES:
            notes.says.append(f"{name} is no text; save it as .txt or .md")
            continue
        _read(path, name, notes)
    if not notes.lines and not notes.says:
        notes.says.append(
            f"{folder.name}/ is empty; a page of diary, or answers to questions.md, is a good start"
        )
    return notes


def _read(path: Path, name: str, notes: Notes) -> None:
    data = path.read_bytes()[: MOST_BYTES + 1]
    if len(data) > MOST_BYTES:
        notes.says.append(f"{name} is longer than {MOST_BYTES // 10**6} MB; split it up")
        return
    try:
        text = data.decode("utf-8-sig" if not data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-16")
    except UnicodeDecodeError:
        text = data.decode("cp1252", errors="replace")
    if "\0" in text or text.count("\ufffd") > len(text) / 50:
        notes.says.append(f"{name} holds no readable text; save it as plain text")
        return
    rows = text.splitlines()
    if not any(row.strip() for row in rows):
        notes.says.append(f"{name} is empty")
        return
    if language := foreign(text):
        notes.says.append(f"{name} seems to be {language}; only English is read so far, so it is left out")
        return
    ordered = [row for row in _lines(name, rows) if not _is_order(row, notes)]
    notes.lines += ordered


def _is_order(line: Line, notes: Notes) -> bool:
    found = re.search(wordings()["orders"]["pattern"], f"{line.question} {line.text}", re.IGNORECASE)
    if found:
        notes.says.append(f"{line.source} is left out: it is written for a machine, not about an animal")
    return found is not None


def _lines(name: str, rows: list[str]) -> Iterator[Line]:
    """The lines of one file with what was known where they stand."""
    day: date | None = None
    question = ""
    for number, row in enumerate(rows, 1):
        text = row.strip()[:MOST_LINE]
        if not text:
            continue
        if chat := _CHAT.match(text):
            day = day_in(chat["when"]) or day
            yield Line(name, number, chat["text"].strip(), day, chat["who"].strip())
        elif asked := _QUESTION.match(text):
            question = asked["text"]
        elif question and (answer := _ANSWER.match(text)):
            if answer["text"].strip():
                yield Line(name, number, answer["text"].strip(), day, "", question)
            question = ""
        elif (heading := _day_of_heading(text)) is not None:
            day, rest = heading
            if rest:
                yield Line(name, number, rest, day)
        else:
            yield Line(name, number, text.lstrip("#*-> ").strip(), day)


def _day_of_heading(text: str) -> tuple[date, str] | None:
    """(the day, what stands behind it) of a line that begins with a date."""
    begin = _HEADING.match(text)
    at = begin.end() if begin else 0
    for pattern in (_ISO, _DOTTED, _WORDED):
        found = pattern.match(text, at)
        if found and (day := _day(found)):
            return day, text[found.end() :].lstrip(" :,.-").strip()
    return None


def day_in(text: str) -> date | None:
    """The first date in `text`; the day comes before the month where both could be either."""
    for pattern in (_ISO, _DOTTED, _WORDED):
        found = pattern.search(text)
        if found and (day := _day(found)):
            return day
    return None


def _day(found: re.Match[str]) -> date | None:
    part = found.groupdict()
    year = int(part["y"]) + (2_000 if len(part["y"]) == 2 else 0)
    month = _MONTHS.index(part["mon"][:3].lower()) + 1 if "mon" in part else int(part["m"])
    number = int(part.get("d") or part.get("d2") or 1)
    for m, d in ((month, number), (number, month)):
        try:
            return date(year, m, d)
        except ValueError:
            continue
    return None
