"""Whether the owner allowed the pet to remember: one small file, written only by the owner's own word."""

from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from runtime import whole
from runtime.contracts.errors import FactError

FILE = "consent.json"
How = Literal["said", "typed", "command"]


class Consent(BaseModel):
    """The newest word counts; there is no consent in silence."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    allowed: bool
    history: bool = False
    """What a newer statement replaced is kept as well"""
    how: How
    at: datetime | None = None
    """Wall clock, where it could be trusted"""


def read(folder: Path) -> Consent | None:
    """None where nobody was asked yet; FactError for a file that says nothing clear."""
    path = folder / FILE
    try:
        return Consent.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        raise FactError(
            f"{path} cannot be read ({' '.join(str(error).split())[:120]}); nothing is remembered until "
            "you type: everpaw memory allow (or deny)"
        ) from error


def allowed(folder: Path, by_settings: bool) -> bool:
    """The owner's own word, and where there is none what the settings say."""
    given = read(folder)
    return given.allowed if given else by_settings


def switch(folder: Path, on: bool, at: datetime | None) -> None:
    """Allow or deny by command; whether history is kept stays as it was."""
    before = read(folder)
    write(folder, Consent(allowed=on, history=before.history if before else False, how="command", at=at))


def write(folder: Path, consent: Consent) -> None:
    """Whole or not at all."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        whole.put(folder / FILE, (consent.model_dump_json(indent=1) + "\n").encode())
    except OSError as error:
        raise FactError(f"{folder / FILE} cannot be written ({error.strerror}); check the path") from error
