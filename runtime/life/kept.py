"""What the pet takes over a restart: its will and its mood, in one JSON file written whole or not at all."""

import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic import dataclasses as checked

from runtime import whole
from runtime.data_folder import data_folder
from runtime.life import will
from runtime.life.acts import STAND
from runtime.life.drives import DRIVES
from runtime.mind.emotion import Feeling

_log = logging.getLogger(__name__)
MAX_BYTES = 100_000


@dataclass(frozen=True, slots=True)
class Kept:
    state: will.State
    feeling: Feeling


def _sound(kept: Kept) -> Kept:
    drives = kept.state.drives
    if set(drives) != set(DRIVES) or not all(0 <= value <= 1 for value in drives.values()):
        raise ValueError(f"drives are {', '.join(DRIVES)}, each 0 to 1")
    if not (abs(kept.feeling.valence) <= 1 and abs(kept.feeling.arousal) <= 1):
        raise ValueError("valence and arousal are -1 to 1")
    return kept


@checked.dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class _File:
    kept: Annotated[Kept, AfterValidator(_sound)]
    schema: Annotated[Literal[1], Field()] = 1


_FILE: TypeAdapter[Any] = TypeAdapter(_File, config=None)


def place(robot_id: str) -> Path:
    """Where one robot's life is kept where the settings name no file."""
    return data_folder(robot_id) / "life.json"


def save(kept: Kept, path: Path) -> None:
    """Beside the file first, then in its place; a full disk leaves the old one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    whole.put(path, _FILE.dump_json(_File(kept), indent=1))


def seed_in(path: Path) -> int | None:
    """The seed of the life that is kept there; None where none can be read."""
    try:
        kept: Kept = _FILE.validate_json(path.read_bytes()[:MAX_BYTES]).kept
    except (OSError, ValidationError, ValueError):
        return None
    return kept.state.seed


def load(path: Path, seed: int) -> Kept | None:
    """None where there is nothing, or the life of another seed; a file that cannot be read is set aside."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ValueError(f"larger than {MAX_BYTES} bytes")
        kept: Kept = _FILE.validate_json(path.read_bytes()).kept
    except FileNotFoundError:
        return None
    except (OSError, ValidationError, ValueError) as error:
        aside = _aside(path)
        _log.warning("%s cannot be read; it is kept as %s and life begins anew (%s)", path, aside, error)
        path.replace(aside)
        return None
    if kept.state.seed != seed:
        _log.warning("%s is the life of seed %d; one of seed %d begins", path, kept.state.seed, seed)
        return None
    return replace(kept, state=replace(kept.state, posture=STAND, doing=""))


def traces(path: Path) -> list[Path]:
    """All files of the life that is kept in `path`: itself, what was set aside, what a kill left."""
    return [found for found in (path, _aside(path), *whole.drafts(path)) if found.exists()]


def _aside(path: Path) -> Path:
    return path.with_name(f"{path.name}.unreadable")
