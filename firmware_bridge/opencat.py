"""OpenCat's skills: read and written byte for byte, as Petoi documents the format.

A skill is a list of signed bytes. The first is the number of frames: 1 a posture (16 angles), above 1 a gait
(8 angles a frame, the walking joints), below 0 a behaviour (20 numbers a frame: 16 angles, speed, delay,
trigger axis, trigger angle). Roll, pitch and the angle ratio follow; a behaviour then says what it repeats.
Angles are degrees divided by the ratio.
"""

import re
import struct
from dataclasses import dataclass
from typing import Literal

from runtime.contracts.errors import PackError

JOINTS = 16
WALKING = 8
BEHAVIOUR_FRAME = JOINTS + 4
Kind = Literal["posture", "gait", "behaviour"]
_WIDTH: dict[Kind, int] = {"posture": JOINTS, "gait": WALKING, "behaviour": BEHAVIOUR_FRAME}
_NAMED = r"\b(?:int8_t|(?:signed\s+)?char)\s+(?:PROGMEM\s+)?(\w+)\s*\[\s*\d*\s*\]\s*"
_ARRAY = re.compile(_NAMED + r"(?:PROGMEM\s*)?=\s*\{([^{}]*)\}\s*;")
_KEPT = re.compile(_NAMED + r"PROGMEM\b")
_NYBBLE = re.compile(r"^\s*#\s*define\s+NYBBLE\b", re.MULTILINE)
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)


@dataclass(frozen=True, slots=True)
class OpenCatSkill:
    """`frames` are rows of raw numbers; `loop` is (first frame, last frame, times) of a behaviour."""

    name: str
    kind: Kind
    roll: int
    pitch: int
    ratio: int
    frames: tuple[tuple[int, ...], ...]
    loop: tuple[int, int, int] | None = None

    def angles_deg(self, number: int) -> dict[int, int]:
        """Joint index -> degrees of one frame; a gait names the walking joints 8 to 15."""
        row = self.frames[number]
        first = JOINTS - WALKING if self.kind == "gait" else 0
        many = WALKING if self.kind == "gait" else JOINTS
        return {first + i: row[i] * self.ratio for i in range(many)}


def from_bytes(name: str, data: bytes) -> OpenCatSkill:
    """PackError where the bytes are no skill, cut, or too many."""
    values = struct.unpack(f"{len(data)}b", data)
    if len(values) < 4 or values[0] == 0:
        raise PackError(f"{name}: {len(values)} bytes are no OpenCat skill; copy the whole array")
    count, roll, pitch, ratio = values[:4]
    kind: Kind = "behaviour" if count < 0 else "posture" if count == 1 else "gait"
    head = 7 if kind == "behaviour" else 4
    width, frames = _WIDTH[kind], abs(count)
    if len(values) != head + frames * width:
        raise PackError(
            f"{name}: a {kind} of {frames} frames has {head + frames * width} bytes, not {len(values)};"
            " copy the whole array"
        )
    rows = tuple(values[at : at + width] for at in range(head, len(values), width))
    loop = (values[4], values[5], values[6]) if kind == "behaviour" else None
    return OpenCatSkill(name, kind, roll, pitch, ratio, rows, loop)


def to_bytes(skill: OpenCatSkill) -> bytes:
    """The same bytes again; PackError where a number does not fit a signed byte or a row its kind."""
    count = -len(skill.frames) if skill.kind == "behaviour" else len(skill.frames)
    values = [count, skill.roll, skill.pitch, skill.ratio, *(skill.loop or ())]
    for number, row in enumerate(skill.frames, 1):
        if len(row) != _WIDTH[skill.kind]:
            raise PackError(f"{skill.name}: frame {number} has {len(row)} numbers, not {_WIDTH[skill.kind]}")
        values += row
    if (skill.kind == "posture") != (len(skill.frames) == 1 and skill.kind != "behaviour"):
        raise PackError(f"{skill.name}: a {skill.kind} cannot have {len(skill.frames)} frames")
    if (skill.kind == "behaviour") != (skill.loop is not None):
        raise PackError(f"{skill.name}: a loop belongs to a behaviour, and to nothing else")
    if wrong := [value for value in values if not -128 <= value <= 127]:
        raise PackError(f"{skill.name}: {wrong[0]} does not fit a signed byte; raise the angle ratio")
    return struct.pack(f"{len(values)}b", *values)


def parse(text: str) -> list[OpenCatSkill]:
    """Every array of a C header; other lines are left out. PackError names the skill that is wrong."""
    plain = _COMMENT.sub("", text)
    if _NYBBLE.search(plain):
        raise PackError("these are skills of a Nybble, whose hind legs are built otherwise; take a Bittle's")
    found: dict[str, OpenCatSkill] = {}
    for name, body in _ARRAY.findall(plain):
        skill = _skill(name, body)
        if found.setdefault(name, skill) != skill:
            raise PackError(f"{name} stands there twice, each time otherwise; leave the one that is meant")
    if unread := [name for name in _KEPT.findall(plain) if name not in found]:
        raise PackError(f"{unread[0]}: its array is not closed, or none of plain numbers; copy all of it")
    return list(found.values())


def _skill(name: str, body: str) -> OpenCatSkill:
    try:
        values = [int(word) for word in body.replace(",", " ").split()]
        data = struct.pack(f"{len(values)}b", *values)
    except (ValueError, struct.error) as error:
        raise PackError(f"{name}: {error}; an OpenCat skill holds signed bytes") from error
    return from_bytes(name, data)


def header(skills: list[OpenCatSkill]) -> str:
    """A C header with these skills, one frame a line; `parse` reads it back."""
    lines = []
    for skill in skills:
        rows = [" ".join(f"{value}," for value in row) for row in rows_of(skill)]
        lines += [f"const int8_t {skill.name}[] PROGMEM = {{", *rows, "};"]
    return "\n".join(lines) + "\n"


def rows_of(skill: OpenCatSkill) -> list[tuple[int, ...]]:
    """Its bytes as Petoi writes them: head, loop, a frame a line; PackError as `to_bytes`."""
    data = to_bytes(skill)
    values = struct.unpack(f"{len(data)}b", data)
    head, width = 7 if skill.loop else 4, _WIDTH[skill.kind]
    frames = [values[at : at + width] for at in range(head, len(values), width)]
    return [values[:4], *([values[4:7]] if skill.loop else []), *frames]
