"""The persona card: the facts with their sources, the style numbers; a text file that belongs to the owner.

`PET/card.toml` holds one fact a line. The card, not any model's weights, is what the robot knows of itself.
Of what was once offered to the owner only salted digests are kept, so that a line that was deleted stays away
and leaves no word behind.
"""

import hashlib
import json
import secrets
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from runtime.contracts.errors import CloneError
from training.clone.persona.facts import KINDS, Told

CARD = "card.toml"
OWNER = "owner"
MAX_BYTES = 1_000_000
_HEAD = """# What {name} is like. The robot knows of itself what stands here, and nothing else.
# Delete a line and build again, and it is forgotten. Change what it `says`, or add a line of your own:
#   {{ says = "I love snow." }}
# `from` is the line of the notes that told it, `sure` how sure it is that this was meant.

"""


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Row(_Entry):
    says: Annotated[str, Field(min_length=2, max_length=240)]
    source: Annotated[str, Field(alias="from")] = OWNER
    day: date | None = None
    sure: Annotated[float, Field(ge=0, le=1)] = 1.0


class _File(_Entry):
    salt: str = ""
    offered: frozenset[str] = frozenset()
    style: dict[str, Annotated[float, Field(ge=0, le=1)]] = {}
    card: dict[str, list[Row]] = {}


@dataclass(frozen=True, slots=True)
class Card:
    """`style`: number 0..1 by name, 0.5 is ordinary."""

    facts: tuple[Told, ...]
    style: Mapping[str, float] = field(default_factory=dict)
    new: tuple[str, ...] = ()
    """What it says that its owner has not seen in a card yet"""

    @property
    def sentences(self) -> list[str]:
        """What the robot says of itself, one of each kind before the second of any."""
        by_kind = {kind: [fact.says for fact in self.facts if fact.kind == kind] for kind in KINDS}
        longest = max(map(len, by_kind.values()), default=0)
        return [says[at] for at in range(longest) for says in by_kind.values() if at < len(says)]


def merged(told: Sequence[Told], style: Mapping[str, float], path: Path) -> Card:
    """What the notes tell, where the owner's card at `path` lets it stand; CloneError names a wrong line."""
    if not path.exists():
        return Card(tuple(told), style, tuple(fact.says for fact in told))
    file = _read(path)
    rows = [_told(kind, row) for kind, listed in file.card.items() for row in listed]
    kept = {fact.key for fact in rows}
    tells = {fact.key for fact in told}
    offered = {fact.key for fact in [*told, *rows] if _digest(fact.key, file.salt) in file.offered}
    # a line that was offered lives as long as the notes still tell it; the owner's own lives by itself
    standing = [fact for fact in rows if fact.key not in offered or fact.key in tells]
    fresh = [fact for fact in told if fact.key not in offered and fact.key not in kept]
    return Card((*standing, *fresh), {**style, **file.style}, tuple(fact.says for fact in fresh))


def write(card: Card, told: Iterable[Told], name: str, path: Path) -> None:
    """The card as a file for the owner; `told`: all that the notes tell, offered from now on."""
    before = _read(path) if path.exists() else _File()
    salt = before.salt or secrets.token_hex(8)
    offered = before.offered | {_digest(fact.key, salt) for fact in told}
    lines = [_HEAD.format(name=name), "[style]  # 0 to 1; 0.5 is ordinary\n"]
    lines += [f"{key} = {value:.2f}\n" for key, value in sorted(card.style.items())]
    lines.append("\n[card]\n")
    for kind in KINDS:
        rows = "".join(f"  {_line(fact)},\n" for fact in card.facts if fact.kind == kind)
        lines.append(f"{kind} = [\n{rows}]\n")
    top = f"# What was offered before, without its words; leave it as it is.\nsalt = {_text(salt)}\n"
    listed = ", ".join(_text(digest) for digest in sorted(offered))
    text = f"{lines[0]}{top}offered = [{listed}]\n\n{''.join(lines[1:])}"
    draft = path.with_name(f".{path.name}.new")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


def _read(path: Path) -> _File:
    try:
        raw = path.read_bytes()
        if len(raw) > MAX_BYTES:
            raise CloneError(f"{path} has {len(raw)} bytes; a card has at most {MAX_BYTES}")
        file = _File.model_validate(tomllib.loads(raw.decode()))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CloneError(f"{path} is not TOML ({error}); mend that line") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise CloneError(f"{path}: {where}: {first['msg']}; mend that line") from error
    if unknown := set(file.card) - set(KINDS):
        raise CloneError(f"{path}: {min(unknown)!r} is no kind of fact; there are {', '.join(KINDS)}")
    return file


def _told(kind: str, row: Row) -> Told:
    return Told(kind, row.says, row.source, row.day, row.sure)


def _digest(key: str, salt: str) -> str:
    return hashlib.sha256(f"{salt} {key}".encode()).hexdigest()[:20]


def _line(fact: Told) -> str:
    parts: dict[str, Any] = {"says": _text(fact.says)}
    if fact.source != OWNER:
        parts |= {"from": _text(fact.source), "sure": f"{fact.confidence:.2f}"}
    if fact.day:
        parts["day"] = fact.day.isoformat()
    return "{ " + ", ".join(f"{key} = {value}" for key, value in parts.items()) + " }"


def _text(words: str) -> str:
    return json.dumps(words, ensure_ascii=False)
