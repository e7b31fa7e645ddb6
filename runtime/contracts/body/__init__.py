"""The body of a pet: its joints, what they may do, and which of them may meet. Angles are degrees.

Signs: a hip swings the leg forward where positive, 0 points straight down; a knee folds the lower leg
backward where positive, 0 is straight; head_pan and tail turn left, head_tilt up. The microcontroller gets
the same table in hundredths of a degree; both sides compare its hash before anything may move.
"""

import hashlib
import json
import tomllib
from functools import cached_property
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from runtime.contracts.errors import PackError
from runtime.contracts.messages import Name

CDEG = 100
"""Hundredths of a degree in a degree, the microcontroller's unit"""
MAX_JOINTS = 32
Pose = dict[str, float]
"""Joint name -> degrees"""
_SIDES = ("left", "right")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", ignored_types=(cached_property,))


class Joint(_Part):
    """One servo. `rest_deg` is where it stands, `safe_deg` where losing torque does no harm."""

    name: Name
    min_deg: Annotated[float, Field(ge=-180, le=180)]
    max_deg: Annotated[float, Field(ge=-180, le=180)]
    rest_deg: float
    safe_deg: float
    max_speed_deg_s: Annotated[float, Field(gt=0, le=2_000)]
    max_accel_deg_s2: Annotated[float, Field(gt=0, le=50_000)]

    @model_validator(mode="after")
    def _ordered(self) -> "Joint":
        for angle_deg in (self.rest_deg, self.safe_deg):
            if not self.min_deg <= angle_deg <= self.max_deg:
                raise ValueError(f"joint {self.name}: {angle_deg} is outside {self.min_deg}..{self.max_deg}")
        return self

    def clamp(self, angle_deg: float) -> float:
        return min(max(angle_deg, self.min_deg), self.max_deg)


Weight = Annotated[int, Field(ge=-8, le=8)]


class Collision(_Part):
    """The weighted sum of these joints must stay at or under `max_deg`, or the parts meet."""

    terms: Annotated[dict[Name, Weight], Field(min_length=1, max_length=4)]
    """Joint -> weight"""
    max_deg: Annotated[float, Field(ge=-2_000, le=2_000)]
    why: str = ""

    @model_validator(mode="after")
    def _counted(self) -> "Collision":
        if not all(self.terms.values()):
            raise ValueError("a collision rule weighs a joint by 0; leave it out")
        return self

    @property
    def words(self) -> str:
        """The joints that meet."""
        *first, last = self.terms
        return f"{', '.join(first)} and {last}" if first else last

    def excess_deg(self, pose: Pose) -> float:
        """How far beyond the rule `pose` is; zero or less where it is allowed."""
        excess = -self.max_deg
        for name, weight in self.terms.items():
            excess += weight * pose[name]
        return excess


class Cutoffs(_Part):
    """When supply, heat, tilt or a blocked joint ends a movement; by default as for two Li-ion cells."""

    supply_cut_mv: Annotated[int, Field(ge=0, le=60_000)] = 6_200
    """Fault below"""
    supply_low_mv: Annotated[int, Field(ge=0, le=60_000)] = 6_600
    """Lie down below"""
    supply_ok_mv: Annotated[int, Field(ge=0, le=60_000)] = 7_000
    """Armed again only from here"""
    temperature_cut_c: Annotated[int, Field(ge=20, le=120)] = 65
    temperature_ok_c: Annotated[int, Field(ge=0, le=120)] = 50
    tilt_deg: Annotated[int, Field(ge=15, le=90)] = 55
    """Roll or pitch beyond is a fall"""
    stall_deg: Annotated[float, Field(gt=0, le=90)] = 20.0
    """A joint that stays this far from where it was told to be is blocked"""
    stall_ms: Annotated[int, Field(ge=50, le=2_000)] = 400

    @model_validator(mode="after")
    def _ordered(self) -> "Cutoffs":
        if not self.supply_cut_mv <= self.supply_low_mv <= self.supply_ok_mv:
            raise ValueError("supply_cut_mv, supply_low_mv, supply_ok_mv must rise")
        if self.temperature_ok_c > self.temperature_cut_c:
            raise ValueError("temperature_ok_c is above temperature_cut_c")
        return self


class Stick(_Part):
    """A head or a tail: a straight rounded piece that turns about its root. Millimetres, degrees."""

    ahead_mm: float
    """Its root, ahead of the middle of the hips"""
    up_mm: float
    """and above them"""
    long_mm: Annotated[float, Field(gt=0, le=1_000)]
    radius_mm: Annotated[float, Field(gt=0, le=200)]
    pan: Name
    """Joint that turns it left"""
    tilt: Name | None = None
    """Joint that lifts it"""
    raised_deg: float = 0.0
    """How far it points up at tilt 0"""
    behind: bool = False
    """It points to the rear"""


class Geometry(_Part):
    """Lengths for gaits and their checks; no limit follows from it, so the limits' hash leaves it out."""

    upper_mm: Annotated[float, Field(gt=0, le=1_000)]
    lower_mm: Annotated[float, Field(gt=0, le=1_000)]
    length_mm: Annotated[float, Field(gt=0, le=2_000)]
    """From front to rear hips"""
    width_mm: Annotated[float, Field(gt=0, le=1_000)]
    """From left to right feet"""
    leg_radius_mm: Annotated[float, Field(ge=0, le=100)]
    mass_g: Annotated[float, Field(gt=0, le=50_000)]
    mass_ahead_mm: float = 0.0
    """Centre of mass, ahead of the middle of the hips"""
    friction: Annotated[float, Field(gt=0, le=2)] = 0.6
    """Between foot and floor"""
    belly_mm: Annotated[float, Field(ge=0, le=500)] = 20.0
    """Underside of the trunk, below the hips"""
    torque_nmm: Annotated[float, Field(gt=0, le=100_000)] = 300.0
    """A leg servo's, stalled"""
    sticks: dict[Name, Stick] = {}
    """Head and tail, for what may meet the legs"""
    apart_mm: Annotated[float, Field(ge=0, le=50)] = 2.0
    """Room that must stay between two parts"""


class Body(_Part):
    """Joints in the order in which they travel on the wire, and the rules between them."""

    name: Name
    joints: Annotated[tuple[Joint, ...], Field(min_length=1, max_length=MAX_JOINTS)]
    collisions: tuple[Collision, ...] = ()
    cutoffs: Cutoffs = Cutoffs()
    falling: dict[Name, float] = {}
    """Pose that falls softly, where it differs from the safe one"""
    low_battery: dict[Name, float] = {}
    """Pose to lie down in, where it differs from the safe one"""
    geometry: Geometry | None = None

    @model_validator(mode="after")
    def _consistent(self) -> "Body":
        if len(set(self.names)) != len(self.names):
            raise ValueError("a joint name stands twice")
        for rule in self.collisions:
            for name in rule.terms:
                if name not in self.names:
                    raise ValueError(f"a collision rule names unknown joint {name!r}")
            if max(rule.excess_deg(self.rest), rule.excess_deg(self.safe)) > 0:
                raise ValueError(f"rest or safe pose breaks the rule of {rule.words}")
        for stick in self.geometry.sticks.values() if self.geometry else ():
            if {stick.pan, stick.tilt} - {None, *self.names}:
                raise ValueError(f"geometry.sticks names unknown joint {stick.pan!r} or {stick.tilt!r}")
        for word, pose in (("falling", self.falling), ("low_battery", self.low_battery)):
            if unknown := [name for name in pose if not self.expand(name)]:
                raise ValueError(f"{word} names unknown joint {unknown[0]!r}")
            if fault := self.violation(self.reflex_pose(pose)):
                raise ValueError(f"the pose {word} cannot be taken: {fault}")
        return self

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(joint.name for joint in self.joints)

    @cached_property
    def by_name(self) -> dict[str, Joint]:
        return {joint.name: joint for joint in self.joints}

    @cached_property
    def ends(self) -> dict[str, tuple[float, float]]:
        """Joint -> both ends of its range; 50 times a second this is asked."""
        return {joint.name: (joint.min_deg, joint.max_deg) for joint in self.joints}

    @property
    def rest(self) -> Pose:
        return {joint.name: joint.rest_deg for joint in self.joints}

    @property
    def safe(self) -> Pose:
        return {joint.name: joint.safe_deg for joint in self.joints}

    def reflex_pose(self, pose: dict[str, float]) -> Pose:
        """The safe pose with the angles of `pose`, whose names may leave out the side."""
        exact: Pose = {}
        for name, angle_deg in sorted(pose.items(), key=lambda item: item[0] in self.by_name):
            exact |= dict.fromkeys(self.expand(name), angle_deg)
        return self.safe | exact

    @cached_property
    def limits_hash(self) -> str:
        """16 hex digits over everything that keeps a movement harmless."""
        canonical = self.model_dump_json(
            exclude={"name": True, "geometry": True, "collisions": {"__all__": {"why"}}}
        )
        text = json.dumps(json.loads(canonical), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def expand(self, name: str) -> tuple[str, ...]:
        """Joints that `name` stands for: itself, or both sides where it leaves the side out (`rear_knee`)."""
        if name in self.by_name:
            return (name,)
        end, _, part = name.partition("_")
        return tuple(n for n in (f"{end}_{side}_{part}" for side in _SIDES) if n in self.by_name)

    def clamp(self, pose: Pose) -> Pose:
        """`pose` with every joint moved into its own range."""
        ends = self.ends
        return {name: min(max(angle, ends[name][0]), ends[name][1]) for name, angle in pose.items()}

    def violation(self, pose: Pose) -> str:
        """The first limit or collision rule that a whole `pose` breaks, in words; empty where none."""
        for joint in self.joints:
            if not joint.min_deg - 1e-6 <= pose[joint.name] <= joint.max_deg + 1e-6:
                angle = pose[joint.name]
                return f"{joint.name} = {angle:.1f} deg is outside {joint.min_deg:g}..{joint.max_deg:g}"
        for rule in self.collisions:
            if rule.excess_deg(pose) > 1e-6:
                return f"{rule.words} would meet ({rule.excess_deg(pose):.1f} deg too far)"
        return ""


def load_body(path: Path | None = None) -> Body:
    """The body described at `path` (Buddy's where None); PackError says which line cannot be right."""
    path = path or Path(__file__).parent / "buddy.toml"
    try:
        return Body.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise PackError(
            f"cannot read the body {path} ({error.strerror}); give an existing TOML file"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PackError(f"{path} is not TOML ({error}); mend that line") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "body"
        raise PackError(f"{path}: {where}: {first['msg']}; mend the body description") from error
