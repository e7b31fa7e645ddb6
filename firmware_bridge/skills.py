"""The movements of a pack: `skills/NAME.toml`, checked against the body before anything moves.

Three kinds of file. `kind = "skill"`: key frames, each `take_s` seconds long. `kind = "gait"`: a step that
repeats, told by joints; `kind = "stride"`: the same told by feet, in millimetres. A name without its side
means both (`rear_knee`). PackError names file, frame and cure.
"""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from firmware_bridge.motion import LEGS, Ease, Gait, GaitShape, KeyFrame, KeyFrames, Movement, needed_s
from firmware_bridge.stride import Stride
from runtime.contracts.body import Body, Joint, Pose
from runtime.contracts.errors import PackError
from runtime.contracts.pack import Pack, no_pack

MAX_BYTES = 100_000
MAX_FILES = 500
Seconds = Annotated[float, Field(gt=0, le=20)]
Angles = dict[str, float]


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class FrameEntry(_File):
    take_s: Seconds
    pose: Angles = {}
    ease: Ease = "smooth"


class SkillFile(_File):
    kind: Literal["skill"] = "skill"
    description: str
    frames: Annotated[tuple[FrameEntry, ...], Field(min_length=1, max_length=200)]
    opencat: Annotated[tuple[tuple[int, ...], ...], Field(max_length=200)] = ()
    """The rows of the OpenCat skill that it was imported from"""


class _StepFile(_File):
    """What both kinds of gait tell."""

    description: str
    period_s: Annotated[float, Field(ge=0.2, le=5)]
    duty: Annotated[float, Field(ge=0.4, le=0.95)]
    phase: dict[str, float]
    forward: Annotated[float, Field(ge=-1, le=1)] = 1.0
    turn: Annotated[float, Field(ge=-1, le=1)] = 0.0
    sway: Angles = {}
    walk_s: Seconds = 3.0
    """How long, where the command does not say"""


class GaitFile(_StepFile):
    kind: Literal["gait"]
    stride_deg: Annotated[float, Field(ge=0, le=60)]
    lift_deg: Annotated[float, Field(ge=0, le=80)]
    stance: Angles = {}
    """Where it differs from the body's rest pose"""


class StrideFile(_StepFile):
    """A gait told by its feet, in millimetres; `python -m firmware_bridge.gait_search` writes such files."""

    kind: Literal["stride"]
    stride_mm: Annotated[float, Field(ge=0, le=500)]
    lift_mm: Annotated[float, Field(ge=0, le=200)]
    shift_mm: Annotated[float, Field(ge=-100, le=100)] = 0.0
    shift_phase: Annotated[float, Field(ge=0, le=1)] = 0.0


_FILE: TypeAdapter[SkillFile | GaitFile | StrideFile] = TypeAdapter(
    Annotated[SkillFile | GaitFile | StrideFile, Field(discriminator="kind")]
)


class Skill:
    """A key-frame movement, checked."""

    def __init__(
        self,
        name: str,
        description: str,
        frames: tuple[KeyFrame, ...],
        opencat: tuple[tuple[int, ...], ...] = (),
    ) -> None:
        self.name, self.description, self.frames, self.opencat = name, description, frames, opencat

    def movement(self, body: Body, start: Pose, speed: float = 1.0) -> Movement:
        return KeyFrames(body, start, self.frames, speed)


class GaitSkill:
    """A gait, checked."""

    def __init__(self, name: str, description: str, shape: GaitShape | Stride, walk_s: float) -> None:
        self.name, self.description, self.shape, self.walk_s = name, description, shape, walk_s

    def movement(
        self, body: Body, start: Pose, speed: float = 1.0, turn: float = 0.0, walk_s: float | None = None
    ) -> Movement:
        return Gait(body, start, self.shape, walk_s or self.walk_s, turn, speed)


Library = Mapping[str, Skill | GaitSkill]


def skills_of(pack: Pack, body: Body) -> dict[str, Skill | GaitSkill]:
    """Those that the pack's manifest names; what only lies beside them is never read."""
    return _load(pack.files("skills", ".toml"), pack.folder / "skills", body)


def load_skills(folder: Path, body: Body) -> dict[str, Skill | GaitSkill]:
    """All `*.toml` of `folder` by file name; PackError for the first that this body cannot do."""
    if folder.parent.is_file():
        raise no_pack(folder.parent)
    return _load(sorted(folder.glob("*.toml")), folder, body)


def _load(paths: Sequence[Path], folder: Path, body: Body) -> dict[str, Skill | GaitSkill]:
    if not paths:
        raise PackError(f"{folder} holds no skills; a pack has skills/*.toml: reinstall it")
    if len(paths) > MAX_FILES:
        raise PackError(f"{folder} holds {len(paths)} skills; at most {MAX_FILES}")
    return {path.stem: load_skill(path, body) for path in paths}


def load_skill(path: Path, body: Body) -> Skill | GaitSkill:
    entry = _read(path)
    if isinstance(entry, GaitFile):
        return GaitSkill(path.stem, entry.description, _shape(entry, path, body), entry.walk_s)
    if isinstance(entry, StrideFile):
        return GaitSkill(path.stem, entry.description, _stride(entry, path, body), entry.walk_s)
    return Skill(path.stem, entry.description, _frames(entry, path, body), entry.opencat)


def _read(path: Path) -> SkillFile | GaitFile | StrideFile:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise PackError(f"{path}: {path.stat().st_size} bytes; a skill has at most {MAX_BYTES}")
        data: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        return _FILE.validate_python({"kind": "skill"} | data)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise PackError(f"{path} cannot be read ({error}); mend it or reinstall the pack") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise PackError(f"{path}: {where}: {first['msg']}; mend that entry") from error


def _expanded(angles: Angles, where: str, body: Body) -> Pose:
    """Names without a side become both; later, more exact names win."""
    pose: Pose = {}
    for name, angle in sorted(angles.items(), key=lambda item: item[0] in body.by_name):
        joints = body.expand(name)
        if not joints:
            raise PackError(f"{where}: unknown joint {name!r}; {body.name} has {', '.join(body.names)}")
        pose |= dict.fromkeys(joints, angle)
    return pose


def _check_limits(pose: Pose, where: str, body: Body) -> None:
    for name, angle in pose.items():
        joint = body.by_name[name]
        if not joint.min_deg <= angle <= joint.max_deg:
            limits = f"{joint.min_deg:g}..{joint.max_deg:g}"
            raise PackError(f"{where}: {name} = {angle:g} deg is outside {limits}; bring it inside")
    for rule in body.collisions:
        # A joint that is not named yet may be anywhere: where it makes the most room.
        roomy = {name: _roomiest(body.by_name[name], weight) for name, weight in rule.terms.items()}
        if rule.terms.keys() & pose.keys() and rule.excess_deg(roomy | pose) > 0:
            raise PackError(f"{where}: {rule.words} would meet: {rule.why}; move them apart")


def _roomiest(joint: Joint, weight: int) -> float:
    return joint.min_deg if weight > 0 else joint.max_deg


def _frames(entry: SkillFile, path: Path, body: Body) -> tuple[KeyFrame, ...]:
    known: Pose = {}
    frames = []
    for number, frame in enumerate(entry.frames, 1):
        where = f"{path}: frame {number}"
        pose = _expanded(frame.pose, where, body)
        _check_limits(known | pose, where, body)
        for name, angle in pose.items():
            least_s = needed_s(body.by_name[name], angle - known.get(name, angle), frame.ease, headroom=1.0)
            if frame.take_s < least_s - 1e-9:
                raise PackError(
                    f"{where}: {name} is too fast: {abs(angle - known[name]):g} deg in {frame.take_s:g} s;"
                    f" take at least {least_s:.2f} s"
                )
        known |= pose
        frames.append(KeyFrame(frame.take_s, pose, frame.ease))
    return tuple(frames)


def _shape(entry: GaitFile, path: Path, body: Body) -> GaitShape:
    _check_phase(entry.phase, path)
    shape = GaitShape(
        period_s=entry.period_s,
        duty=entry.duty,
        phase=entry.phase,
        stride_deg=entry.stride_deg,
        lift_deg=entry.lift_deg,
        forward=entry.forward,
        turn=entry.turn,
        stance=body.rest | _expanded(entry.stance, f"{path}: stance", body),
        sway=_expanded(entry.sway, f"{path}: sway", body),
    )
    _check_step(shape, path, body)
    return shape


def _stride(entry: StrideFile, path: Path, body: Body) -> Stride:
    _check_phase(entry.phase, path)
    given = entry.model_dump(exclude={"kind", "description", "walk_s", "sway"})
    stride = Stride(body=body, sway=_expanded(entry.sway, f"{path}: sway", body), **given)
    _check_step(stride, path, body)
    return stride


def _check_phase(phase: dict[str, float], path: Path) -> None:
    if set(LEGS) != set(phase):
        raise PackError(f"{path}: phase names {', '.join(phase)}; give one each to {', '.join(LEGS)}")


def _check_step(shape: GaitShape | Stride, path: Path, body: Body) -> None:
    for turn in (-1.0, 0.0, 1.0):
        for step in range(100):
            _check_limits(shape.pose(step / 100, turn, 1.0), f"{path}: at {step} % of a step", body)
    if (share := shape.peak_share(body)) > 1.0:
        raise PackError(f"{path}: too fast: a joint would need {share:.0%} of its speed; lengthen period_s")
