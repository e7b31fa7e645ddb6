"""`everpaw privacy verify`: is what is kept as it is promised to be?"""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from runtime.contracts.config import PrivacySettings
from runtime.contracts.errors import EverpawError, FactError
from runtime.contracts.messages import WORDS
from runtime.finding import Finding
from runtime.mind.memory import consent, proof, store
from runtime.privacy.holdings import Holdings, sentences

_DAY_S = 86_400.0


def verify(held: Holdings, settings: PrivacySettings, absent: Sequence[str] = ()) -> Iterator[Finding]:
    """A finding a line. `absent`: texts that must be in no file of the data."""
    yield _closed(held)
    yield _sealed(held)
    yield from _events(held, settings)
    yield _lessons(held, settings)
    yield _consented(held, settings)
    if absent:
        yield _absent(held, absent)


def _closed(held: Holdings) -> Finding:
    files = _files(held)
    # A mark without content tells nobody anything.
    open_ = [path for path in files if path.stat().st_mode & 0o077 and path.stat().st_size]
    cure = f"chmod 600 {' '.join(map(str, open_[:5]))}"
    return Finding("rights", not open_, f"{len(files)} files, {len(open_)} that others may read", cure)


def _sealed(held: Holdings) -> Finding:
    """Every row opens, and no text of a fact or a lesson stands in clear."""
    try:
        facts, lessons = held.facts(), held.book()
    except FactError as error:
        return Finding("sealed", False, str(error), "see docs/privacy.md")
    texts = proof.needles_of(facts) | sentences(lessons.values())
    found = [proof.search(place, texts) for place in (held.memory, held.lessons) if place.is_dir()]
    hits = sum(one.hits for one in found)
    seen = f"{len(facts)} facts and {len(lessons)} lessons open; {hits} of {len(texts)} texts stand in clear"
    return Finding("sealed", not hits, seen, "everpaw privacy erase, and tell us how it came about")


def _events(held: Holdings, settings: PrivacySettings) -> Iterator[Finding]:
    oldest_s, count, words = time.time(), 0, 0
    cure = "everpaw privacy erase --only events"
    try:
        for journal in held.journals:
            for row in held.events(journal):
                count += 1
                words += any(row["payload"].get(name) for name in WORDS)
                oldest_s = min(oldest_s, row["payload"].get("at_s") or oldest_s)
    except EverpawError as error:
        yield Finding("events", False, str(error), cure)
        return
    yield Finding("events", not words, f"{count} events, {words} with words", cure)
    days = (time.time() - oldest_s) / _DAY_S
    seen = f"the oldest is {days:.0f} days old, {settings.keep_days} at most"
    # A journal is tidied when a robot starts, so a day's grace is not a breach.
    yield Finding("kept no longer", days <= settings.keep_days + 1, seen, "start the robot, which tidies")


def _lessons(held: Holdings, settings: PrivacySettings) -> Finding:
    try:
        dated = [lesson.at.timestamp() for lesson in held.book().values() if lesson.at]
    except FactError as error:
        return Finding("lessons", False, str(error), "everpaw privacy erase --only lessons")
    days = (time.time() - min(dated)) / _DAY_S if dated else 0.0
    seen = f"the oldest lesson is {days:.0f} days old, {settings.keep_days} at most"
    return Finding("lessons", days <= settings.keep_days + 1, seen, "start the robot, which tidies")


def _consented(held: Holdings, settings: PrivacySettings) -> Finding:
    """Nothing is kept that nobody ever agreed to."""
    agreed = {change.what for change in held.switches.changes() if change.on}
    given = consent.read(held.memory)
    kept = [
        name
        for name, there, by in (
            ("memory", store.exists(held.memory), given is not None or "memory" in agreed),
            ("lessons", store.exists(held.lessons), settings.lessons or "lessons" in agreed),
        )
        if there and not by
    ]
    seen = (
        f"{', '.join(kept)} without a record of consent" if kept else "every class has its consent on record"
    )
    return Finding("consent", not kept, seen, "everpaw privacy allow, or erase --only " + " ".join(kept))


def _absent(held: Holdings, absent: Sequence[str]) -> Finding:
    wanted = {text.encode(code) for text in absent if text for code in ("utf-8", "utf-16-le")}
    hits = sum(proof.search(place, wanted).hits for place in held.places)
    return Finding("absent", not hits, f"{len(absent)} texts, {hits} hits", "everpaw privacy erase")


def _files(held: Holdings) -> list[Path]:
    return sorted({path for place in held.places for path in place.rglob("*") if path.is_file()})
