"""`profile.toml`: who the animal is, in its owner's words. What it says goes before anything measured."""

import json
import tomllib
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from runtime.contracts.errors import CloneError

PROFILE = "profile.toml"
MAX_BYTES = 100_000
Words = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]


class Profile(BaseModel):
    """One animal. `life` is `memory` where it has died: the clone then speaks of it in the past."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64)]
    species: Literal["dog", "cat", "other"]
    breed: Words = ""
    born: date | None = None
    sex: Literal["female", "male", ""] = ""
    traits: Annotated[tuple[Words, ...], Field(max_length=50)] = ()
    life: Literal["living", "memory"] = "living"
    owner: Words = ""
    """First name of its person: who "I" is in the notes"""
    consent: Words = ""
    """Who made photos, recordings and notes, and that they may be used"""
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[A-Z]{2})?$")] = "en"

    @classmethod
    def load(cls, folder: Path) -> "Profile":
        """The profile of a pet's folder; CloneError says which line cannot be right."""
        path = folder / PROFILE
        try:
            raw = path.read_bytes()
            if len(raw) > MAX_BYTES:
                raise CloneError(f"{path}: {len(raw)} bytes; a profile has at most {MAX_BYTES}")
            return cls.model_validate(tomllib.loads(raw.decode()))
        except FileNotFoundError as error:
            raise CloneError(
                f"{folder} has no {PROFILE}; make one with: everpaw clone init {folder}"
            ) from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise CloneError(f"{path} is not TOML ({error}); mend that line") from error
        except ValidationError as error:
            raise CloneError(f"{path}: {first_fault(error)}; mend that line") from error

    @property
    def toml(self) -> str:
        """As a file that an owner can edit."""
        return "".join(f"{key} = {_toml(value)}\n" for key, value in self if value not in (None, "", ()))


def first_fault(error: ValidationError) -> str:
    """The first thing that is wrong: where, and what."""
    first = error.errors()[0]
    return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"


def _toml(value: Any) -> str:
    """Strings, lists of strings and dates; a JSON string of these is a TOML string too."""
    return value.isoformat() if isinstance(value, date) else json.dumps(value, ensure_ascii=False)
