"""A pack may ask for less than the body can do, never for more: `limits.toml` beside its skills."""

import tomllib
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from runtime.contracts.body import Body, Joint
from runtime.contracts.errors import PackError
from runtime.contracts.messages import Name
from runtime.contracts.pack import Pack

FILE_NAME = "limits.toml"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class JointTightening(_Part):
    """What is left out stays as the body has it."""

    min_deg: float | None = None
    max_deg: float | None = None
    max_speed_deg_s: Annotated[float, Field(gt=0)] | None = None
    max_accel_deg_s2: Annotated[float, Field(gt=0)] | None = None


class Tightening(_Part):
    """Joint -> narrower limits; a name may leave out its side (`rear_knee`)."""

    joints: dict[Name, JointTightening] = {}


def tightened(body: Body, tightening: Tightening) -> Body:
    """The body with narrower limits; PackError where one would be wider or shuts out rest or safe pose."""
    changed: dict[str, Joint] = {}
    for name, wanted in tightening.joints.items():
        if not body.expand(name):
            raise PackError(f"{FILE_NAME}: unknown joint {name!r}; {body.name} has {', '.join(body.names)}")
        for exact in body.expand(name):
            changed[exact] = _narrower(changed.get(exact, body.by_name[exact]), wanted)
    joints = [changed.get(joint.name, joint).model_dump() for joint in body.joints]
    try:
        return Body.model_validate(body.model_dump() | {"joints": joints})
    except ValidationError as error:
        raise PackError(f"{FILE_NAME}: {error.errors()[0]['msg']}; ask for less") from error


def _narrower(joint: Joint, wanted: JointTightening) -> Joint:
    given = wanted.model_dump(exclude_none=True)
    for field, value in given.items():
        held = getattr(joint, field)
        if value < held if field == "min_deg" else value > held:
            raise PackError(
                f"{FILE_NAME}: {joint.name}.{field} = {value:g} is wider than the body's {held:g};"
                " a pack may only tighten"
            )
    return joint.model_copy(update=given)


def tightened_by(body: Body, pack: Pack) -> Body:
    """The body as the pack wants it: as it is where the manifest names no limits.toml."""
    return load_tightened(body, pack.path(FILE_NAME)) if FILE_NAME in pack.manifest.files else body


def load_tightened(body: Body, path: Path) -> Body:
    """The body with the narrower limits of this file; PackError names what is wrong with it."""
    try:
        wanted = Tightening.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PackError(f"{path} cannot be read ({error}); mend it or reinstall the pack") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise PackError(f"{path}: {where}: {first['msg']}; mend that entry") from error
    return tightened(body, wanted)
