"""What a line tells of the animal for good, by a table of wordings, and the sentence the robot then says.

Rather nothing than something wrong: what is told of one day, of somebody else, in doubt, jest, a question
or in part is passed over. A fact keeps its source; a robot never says what no line told.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from runtime.mind.memory.secrets import is_secret
from runtime.mind.output_rules import Context, check
from runtime.mind.prompt import Prompt
from training.clone.persona.language import compiled, first_person, passed_over, wordings
from training.clone.persona.notes import Line
from training.clone.persona.subject import Animal, about, sentences, value

KINDS = ("likes", "dislikes", "fears", "habits", "places", "people", "sounds")
MOST_LETTERS = 160
_MOST_HEARD = 240
_ASKED_CONFIDENCE = _USUAL_CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Told:
    """A fact of the card: what the robot says, and where that comes from."""

    kind: str
    says: str
    source: str
    """File and line; "owner" for what was written into the card by hand"""
    day: date | None
    confidence: float

    @property
    def key(self) -> str:
        """The same for the same statement, however it is written."""
        return " ".join([self.kind, *re.findall(r"\w+", self.says.lower())])


@dataclass(frozen=True, slots=True)
class _Wording:
    kind: str
    pattern: re.Pattern[str]
    says: str
    confidence: float


def facts_in(lines: list[Line], animal: Animal) -> list[Told]:
    """Every fact that the lines tell of `animal`, in order, each once, from its first line."""
    found: dict[str, Told] = {}
    for told in _all(lines, animal):
        found.setdefault(told.key, told)
    return list(found.values())


def _all(lines: list[Line], animal: Animal) -> Iterator[Told]:
    meant, before = False, ("", 0)
    for line in lines:
        # in a message of its own, and behind a gap, "he" may be anybody
        meant = meant and not line.speaker and (line.file, line.number - 1) == before
        before = line.file, line.number
        for sentence in sentences(line.text):
            found = about(sentence, animal, meant or bool(line.question))
            told = _told(found.rest, line, animal, own=found.own) if found.rest else None
            if told is None and line.question:
                told = _answered(line, sentence.strip(" .!"), animal)
            meant = found.goes_on
            if told is not None and _fit_to_say(told.says, animal):
                yield told


def _told(rest: str, line: Line, animal: Animal, *, own: bool) -> Told | None:
    if len(rest) > _MOST_HEARD or not _for_good(rest):
        return None
    rest = rest if animal.living else _as_present(rest)
    for wording in _table("own" if own else "told"):
        found = wording.pattern.match(rest)
        if found and (what := value(found["v"], line.speaker, animal)):
            return _fact(wording.kind, wording.says, what, found, line, wording.confidence)
    return None


def _for_good(rest: str) -> bool:
    """Neither of one day nor in doubt; "can't stand" is no doubt."""
    certain = passed_over("denied_but_told").sub("", rest, count=1)
    return not passed_over("of_a_day").search(rest) and not passed_over("doubtful").search(certain)


@cache
def _table(name: str) -> tuple[_Wording, ...]:
    rows: list[dict[str, Any]] = wordings()[name]
    return tuple(
        _Wording(
            row["kind"],
            compiled(pattern if row.get("always") or name == "own" else f"<ADVERB>{pattern}"),
            row["says"],
            row.get("confidence", _USUAL_CONFIDENCE),
        )
        for row in rows
        for pattern in row["patterns"]
    )


def _fact(kind: str, says: str, what: str, found: re.Match[str], line: Line, confidence: float) -> Told:
    words = {name: word.lower() for name, word in found.groupdict().items() if word and name != "v"}
    words["verb"] = first_person(words.get("verb", ""))
    return Told(kind, says.format_map({**words, "v": what}), line.source, line.day, confidence)


def _as_present(rest: str) -> str:
    """Of an animal that is remembered: "loved his ball" -> "loves his ball", "used to sleep" -> "sleeps"."""
    past: Mapping[str, str] = wordings()["past"]
    words = rest.split()
    for at, word in enumerate(words[:3]):
        if word.lower() == "used" and words[at + 1 : at + 2] == ["to"] and len(words) > at + 2:
            verb = words[at + 2].lower()
            ending = "es" if re.search(r"(?:ch|sh|ss|x|zz|o)$", verb) else "s"
            return " ".join([*words[:at], verb + ending, *words[at + 3 :]])
        if word.lower() not in ("always", "usually", "often", "really", "just"):
            return " ".join([*words[:at], past.get(word.lower(), word), *words[at + 1 :]])
    return rest


def _answered(line: Line, text: str, animal: Animal) -> Told | None:
    """ "What is he afraid of?" "Thunder." """
    if passed_over("no_answer").match(text) or not _for_good(text):
        return None
    for row in wordings()["asked"]:
        found = re.search(row["question"], line.question, re.IGNORECASE)
        if found is None:
            continue
        said = text if row["kind"] == "people" else text[:1].lower() + text[1:]
        what = value(said, line.speaker, animal)
        begins = compiled(row["begins"], end="") if "begins" in row else None
        if what is None or (begins and not begins.match(what)) or passed_over("clause").search(said):
            return None
        return _fact(row["kind"], row["says"], what, found, line, _ASKED_CONFIDENCE)
    return None


def _fit_to_say(says: str, animal: Animal) -> bool:
    """No secret, and nothing that the rules forbid a robot to say."""
    context = Context(Prompt(animal.name, "", card=(says,)))
    return len(says) <= MOST_LETTERS and not is_secret(says) and check(says, context) is None
