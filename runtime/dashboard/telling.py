"""An event in the reader's words, and back: which of the robot's own words a search may mean."""

from collections.abc import Iterable
from typing import Any

from runtime.dashboard.words import Words
from runtime.event_log import Row

_STAMPS = frozenset({"schema_version", "origin", "seq", "at_s", "mono_ms", "timings_ms"})
SEARCHED = ("events", "safety", "switched", "skills", "moods", "faults")
"""Parts of words.toml that events are told with"""


def kind_of(w: Words, row: Row) -> str:
    return w(f"events.{row.name.partition('/')[2]}")


def what_of(w: Words, row: Row) -> str:
    """What happened, on one line."""
    match row.name, row.payload:
        case "event/safety", {"kind": str(kind)}:
            detail = row.payload.get("detail") or ""
            return _joined(w(f"safety.{kind}"), w(f"faults.{detail}") if detail else "")
        case "event/wake", {"name": str(name), "score": float(score)}:
            return _joined(f"“{name}”", f"{100 * score:.0f} %")
        case "event/privacy", {"what": str(what)}:
            return w(f"switched.{what}{'' if row.payload.get('on', True) else '_off'}")
        case "event/turn", payload:
            return _turn(w, payload)
        case _, payload:
            kept = {k: v for k, v in payload.items() if k not in _STAMPS and v not in ("", None)}
            return ", ".join(f"{key} {value}" for key, value in kept.items())


def _turn(w: Words, payload: dict[str, Any]) -> str:
    intent = payload.get("intent")
    understood = w(f"skills.{intent}") if intent else w("talk.not_understood")
    confidence = payload.get("confidence")
    sure = f"{100 * confidence:.0f} %" if intent and isinstance(confidence, float) else ""
    mood = payload.get("mood")
    return _joined(understood, sure, w(f"moods.{mood}") if mood else "")


def _joined(*parts: str) -> str:
    return " · ".join(part for part in parts if part)


def meant(w: Words, word: str) -> Iterable[str]:
    """The robot's own words for what `word` finds on the page."""
    return w.keys_of(word, SEARCHED)
