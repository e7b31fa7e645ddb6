"""Habits and calls of the card that a robot can do: movement, sound and occasion for its own will.

By a table (`quirks.toml`) from the sentence of the card alone: a line that was deleted there is no act.
"""

import json
import re
import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from runtime.life.quirks import Quirk

_FILE = Path(__file__).with_name("quirks.toml")
_SAYS = re.compile(
    r"^I (?:(?:always|usually|often|love to|like to) )?(?P<verb>[a-z]+)\b(?P<when>.*)$", re.IGNORECASE
)
MOST = 16


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(_FILE.read_text(encoding="utf-8"))


def quirks_of(sentences: Iterable[str]) -> tuple[Quirk, ...]:
    """Of those sentences that tell a deed and an occasion which a robot has, in their order."""
    found = (quirk_of(says) for says in sentences)
    return tuple(quirk for quirk in found if quirk is not None)[:MOST]


def quirk_of(says: str) -> Quirk | None:
    """None where its deed or its occasion is nothing for a robot."""
    sentence = _SAYS.match(says)
    if sentence is None:
        return None
    verb, when = sentence["verb"].lower(), sentence["when"].lower()
    deed = next((row for row in _table()["deed"] if verb in row["verbs"]), None)
    rows = [row for row in _table()["occasion"] if re.search(rf"\b(?:{row['pattern']})\b", when)]
    if deed is None or not rows:
        return None
    hours = dict.fromkeys(hour for row in rows for hour in row.get("hours", []))
    after = dict.fromkeys(what for row in rows for what in row.get("after", []))
    return Quirk(
        says=says,
        movements=tuple(deed["movements"]),
        sounds=tuple(deed.get("sounds", ())),
        hours=tuple(hours)[:4],
        after=tuple(after)[:8],
    )


def told(quirk: Quirk) -> str:
    """What the robot does of it, in words for its owner."""
    times = [f"about {int(hour)}:{round(hour % 1 * 60):02d}" for hour in quirk.hours]
    after = [_table()["called"][what] for what in quirk.after]
    deed = " or ".join(name.replace("_", " ") for name in quirk.movements[:1])
    sound = f" with a {quirk.sounds[0].replace('_', ' ')}" if quirk.sounds else ""
    return f"{deed}{sound}: {', '.join([*times, *after])}"


def toml(quirks: Iterable[Quirk]) -> str:
    """As `[[quirk]]` tables of a persona."""
    parts = []
    for quirk in quirks:
        rows = quirk.model_dump(mode="json", exclude_defaults=True)
        lines = "".join(f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in rows.items())
        parts.append(f"[[quirk]]\n{lines}\n")
    return "".join(parts)
