"""What a robot may hold of people: one table, for `everpaw privacy show` and the docs."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DataClass:
    """One kind of data: where it lies, what lets it be kept, and when it goes."""

    name: str
    where: str
    consent: str
    kept: str


CLASSES = (
    DataClass("sound", "memory of the process only", "none is needed", "seconds, unless `everpaw record`"),
    DataClass("words", "memory of the process only", "share_text, for topics", "the last 50 turns"),
    DataClass("memory", "memory/, sealed", "memory", "until forgotten or erased"),
    DataClass("lessons", "lessons/, sealed", "lessons", "privacy.keep_days"),
    DataClass("events", "events-*.sqlite, no words", "none is needed", "privacy.keep_days, 10,000 at most"),
    DataClass("persona", "persona.toml, of a soul that moved in", "its owner brought it", "until erased"),
    DataClass("life", "life.json, no words", "none is needed", "until erased"),
    DataClass("consents", "consents.json, memory/consent.json", "they are it", "until erased"),
    DataClass("telemetry", "nowhere; no words on topics", "none is needed", "by whoever listens"),
    DataClass("security log", "security.log, with the broker", "none is needed", "1 MB; names and times"),
)
