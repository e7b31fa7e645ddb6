"""The table from intents to acts: `actions.toml` of a pack."""

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from runtime.contracts.errors import PackError

MAX_BYTES = 1_000_000
UNKNOWN = "unknown"
"""The row for what was not understood"""
Nature = Literal["posture", "sound", "movement", "locomotion"]
"""posture, sound: on the spot and easily taken back, so it may begin before the sentence is over; movement:
longer or wilder, waits for the end; locomotion: carries the pet away, waits for the end and a silence"""
Words = Literal["order", "small talk", "open talk", "fixed"]
"""What sort of thing the pet was told, which decides who words its answer; fixed: never a language model"""
T = TypeVar("T", bound=BaseModel)


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Act(_Entry):
    """One thing the body is asked to do. `name` is the skill's or gait's, or "halt"."""

    kind: Literal["skill", "gait", "halt"]
    name: Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,48}$")]
    turn: Annotated[float, Field(ge=-1, le=1)] = 0.0
    """-1 (right) to 1 (left); gaits only"""
    duration_ms: Annotated[int, Field(ge=100, le=60_000)] = 3_000
    """Gaits only"""
    nature: Nature = "movement"
    """Where the table says nothing: locomotion for a gait, movement for a skill"""

    @model_validator(mode="before")
    @classmethod
    def _from_table(cls, data: Any) -> Any:
        """`{ skill = "sit" }` as the file writes it."""
        if not isinstance(data, dict):
            return data
        if "gait" in data or data.get("kind") == "gait":
            if data.get("nature", "locomotion") != "locomotion":
                raise ValueError("a gait carries the pet away: its nature is locomotion")
            data = {**data, "nature": "locomotion"}
        if "kind" in data:
            return data
        kinds = [kind for kind in ("skill", "gait", "halt") if kind in data]
        if len(kinds) != 1:
            raise ValueError("an act has exactly one of skill, gait, halt")
        rest = dict(data)
        name = rest.pop(kinds[0])
        return {"kind": kinds[0], "name": "halt" if name is True else name, **rest}


class ActionRow(_Entry):
    """What one intent does."""

    do: Act | None = None
    words: Words = "order"
    slots: dict[str, dict[str, Act]] = {}
    sound: str | None = None
    valence: Annotated[float, Field(ge=-1, le=1)] = 0.0
    arousal: Annotated[float, Field(ge=-1, le=1)] = 0.0

    def act(self, said: dict[str, str]) -> Act | None:
        """The act for the slot values that were said."""
        for slot, by_value in self.slots.items():
            if said.get(slot) in by_value:
                return by_value[said[slot]]
        return self.do


class _Table(_Entry):
    rows: dict[str, ActionRow]


def load_actions(path: Path) -> dict[str, ActionRow]:
    """Intent -> row; PackError names what is wrong."""
    return validated(_Table, {"rows": read_toml(path)}, path).rows


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML file of a pack, bounded in size; PackError where it cannot be read."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise PackError(f"{path}: {path.stat().st_size} bytes; at most {MAX_BYTES}")
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise PackError(f"{path} cannot be read ({error}); mend it or reinstall the pack") from error


def validated(model: type[T], data: dict[str, Any], path: Path) -> T:
    """`data` as `model`; PackError names the first field that is wrong."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise PackError(f"{path}: {where}: {first['msg']}; mend that entry") from error
