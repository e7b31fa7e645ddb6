"""Every payload that travels over MQTT, as frozen pydantic models.

Commands forbid unknown fields, because a field that is not understood may change what a movement does.
Everything else ignores them, so that an old reader survives a newer robot. Times are milliseconds of the
robot's own monotonic clock, published in `state/clock`; no wall clock is shared.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

SCHEMA_VERSION = 1

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{1,48}$")]
Unit = Annotated[float, Field(ge=0, le=1)]
Source = Literal["mind", "voice", "page", "button", "cli", "autonomy"]
"""autonomy: the pet's own will between orders; the bridge lets every other source go before it"""
AckStatus = Literal["accepted", "started", "done", "rejected", "expired", "preempted", "failed"]
McuState = Literal["BOOT", "DISARMED", "ARMED", "STOPPING", "FAULT"]


class Message(BaseModel):
    """Base of all payloads."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True, allow_inf_nan=False)
    schema_version: int = Field(default=SCHEMA_VERSION, alias="schema")


class Command(Message):
    """Base of all `cmnd/` payloads; the bridge drops late, duplicate and other-boot ones and says why."""

    model_config = ConfigDict(extra="forbid")
    id: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    boot_id: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    issued_at_ms: Annotated[int, Field(ge=0)]
    ttl_ms: Annotated[int, Field(gt=0, le=10_000)]
    source: Source


class SkillCommand(Command):
    """Play a named key-frame movement of the pack."""

    skill: Name
    speed: Annotated[float, Field(ge=0.25, le=2.0)] = 1.0
    amplitude: Annotated[float, Field(ge=0.5, le=1.5)] = 1.0
    """Of the head's and tail's swings; the mood's colour. What meets a limit is said in the `accepted` ack"""


class PoseCommand(Command):
    """Move the named joints to angles (degrees); joints not named stay."""

    joints_deg: Annotated[dict[Name, float], Field(min_length=1, max_length=32)]
    duration_ms: Annotated[int, Field(ge=20, le=10_000)]


class GaitCommand(Command):
    """Walk: a named gait for a time. `turn` is -1 (right) to 1 (left)."""

    gait: Name
    turn: Annotated[float, Field(ge=-1, le=1)] = 0.0
    speed: Annotated[float, Field(ge=0.25, le=2.0)] = 1.0
    duration_ms: Annotated[int, Field(ge=100, le=60_000)]


class IdleCommand(Command):
    """How the small movements under every pose look: breath, glances, weight from side to side, bearing.

    Parameters only; the bridge makes the movement, within the body's limits.
    """

    enabled: bool
    listening: bool = False
    """Somebody speaks to the pet: a movement of its own will ends where it is and none begins, head and tail
    are quiet, the breath goes on. Ends with the next command that says otherwise, or after 30 s"""
    breath_hz: Annotated[float, Field(ge=0.1, le=0.6)] = 0.3
    breath_depth: Unit = 0.6
    alertness: Unit = 0.5
    """How often and how far it glances; 0 is asleep"""
    head_deg: Annotated[float, Field(ge=-12, le=12)] = 0.0
    """How much higher (happy) or lower (sad) the head is carried"""
    crouch_deg: Annotated[float, Field(ge=0, le=6)] = 0.0
    """How far the legs give while it stands"""
    seed: int = 0


class LeaseCommand(Command):
    """Renewed by the mind at 10 Hz; when it lapses the bridge stops streaming."""


class HaltCommand(Command):
    """Hold the pose, flush the queue, stay ARMED."""

    reason: Annotated[str, StringConstraints(max_length=200)] = ""


class StopCommand(Command):
    """Latch FAULT. Exempt from every drop rule except the robot's id."""

    reason: Annotated[str, StringConstraints(max_length=200)] = ""


class ArmCommand(Command):
    """Allow movement; never from voice or mind."""


class DisarmCommand(Command):
    """Rest, then torque off."""


class ClearCommand(Command):
    """Clear a latched FAULT to DISARMED; never from voice or mind."""


class Request(Message):
    """Base of `request/` payloads: from who lacks the robot's clock. The mind checks and stamps them."""

    id: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    source: Literal["page", "button", "cli"] = "page"


class SkillRequest(Request):
    skill: Name


class SayRequest(Request):
    text: Annotated[str, StringConstraints(min_length=1, max_length=200)]


class ViewRequest(Request):
    """A viewer looks; `tele/joints` flows while this is renewed."""

    for_ms: Annotated[int, Field(gt=0, le=10_000)] = 3_000


class Ack(Message):
    """What became of a command. The voice says "done" only after `done`."""

    id: str
    act: str
    status: AckStatus
    reason: str = ""
    mono_ms: int


class Clock(Message):
    """The robot's monotonic clock; a new boot_id marks all older commands as foreign."""

    boot_id: str
    mono_ms: int


class Presence(Message):
    """Birth and last will of one process."""

    alive: bool


class BodyState(Message):
    """What the microcontroller says of itself, as the bridge last heard it."""

    mcu_alive: bool
    mcu_state: McuState | None
    fault: str = ""
    activity: str = ""
    """Name of the movement under way, empty when none"""
    activity_source: Source | None = None
    """Whose movement that is"""
    commands_dropped: int = 0
    unfit: str = ""
    """Why the board's senses forbid arming, empty where they do not"""
    touched: int = 0
    """Bits of the places that are touched"""
    lifted: bool = False


class MindState(Message):
    """How the pet feels and what it is about, for whoever wants to show it."""

    awake: bool
    mood: Name
    valence: Annotated[float, Field(ge=-1, le=1)]
    arousal: Annotated[float, Field(ge=-1, le=1)]
    drives: dict[Name, Unit] = {}
    """What it wants, 0 (content) to 1; empty where it has no life of its own"""
    doing: str = ""
    """The act of its own will under way or begun last"""
    why: str = ""
    """Why it chose that, or why it keeps still"""
    quiet: bool = False
    """Quiet hours, or it was told to settle"""


class Event(Message):
    """Base of all `event/` payloads. Origin and number make one of its kind: who gets it twice knows."""

    origin: Annotated[str, StringConstraints(max_length=32)] = ""
    """Which process's journal keeps it; empty where none does"""
    seq: Annotated[int, Field(ge=0)] = 0
    """Counts from 1 in that journal; a gap tells a reader what to ask for by `request/replay`"""
    at_s: float | None = None
    """Wall clock of the robot, seconds since 1970; None where that was never set"""


class WakeEvent(Event):
    name: str
    score: float
    mono_ms: int
    latency_ms: float | None = None
    """From the end of the sound that was taken for the name"""


WORDS = frozenset({"heard", "said"})
"""Fields of events that quote people; no journal, log or recording holds them without consent"""


class TurnEvent(Event):
    """One turn of conversation. `heard` and `said` stay null unless consent `share_text` is on."""

    turn: int
    intent: str | None
    confidence: float | None
    action: str | None
    mood: Name
    heard: str | None = None
    said: str | None = None
    early: Literal["", "kept", "taken back", "reaction"] = ""
    """What became of a movement begun before the sentence was over"""
    timings_ms: dict[str, float] = {}
    mono_ms: int


class SafetyEvent(Event):
    """Something held, stopped or refused a movement."""

    kind: Literal["halt", "stop", "fault", "lease_lapsed", "link_lost", "armed", "disarmed", "cleared"]
    detail: str = ""
    mono_ms: int


class PrivacyEvent(Event):
    """What is open to ears and eyes was changed, or a copy of all that is kept was handed over."""

    what: Literal["muted", "share_text", "lessons", "memory", "copy"]
    on: bool = True
    mono_ms: int


class JointsTelemetry(Message):
    """Angles after the firmware's clamp and slew, degrees."""

    joints_deg: dict[Name, float]
    mono_ms: int


class LinkTelemetry(Message):
    """Counters of the serial link since the bridge started, and what the board counts and feels."""

    frames_sent: int
    frames_received: int
    crc_errors: int
    resends: int
    stream_hz: float
    mono_ms: int
    baud: int = 0
    frames_unsent: int = 0
    """Not taken by a full line"""
    orders_given_up: int = 0
    reopened: int = 0
    round_trip_ms: float | None = None
    """Median of the last heartbeats"""
    clock_offset_ms: float | None = None
    """The robot's clock less the board's; for logs only"""
    wrong_proofs: int = 0
    board_crc_errors: int | None = None
    setpoints_clamped: int | None = None
    setpoints_refused: int | None = None
    setpoints_stale: int | None = None
    late_ticks: int | None = None
    supply_mv: int | None = None
    temperature_c: int | None = None


JobStatus = Literal[
    "checking",
    "offered",
    "downloading",
    "verifying",
    "waiting",
    "switching",
    "trial",
    "done",
    "up_to_date",
    "not_yet",
    "refused",
    "rolled_back",
    "failed",
]


class JobState(Message):
    """An update, as it goes on; retained, so that who looks later knows what became of it."""

    status: JobStatus
    """`offered`: there is one, and nobody asked to take it; `not_yet`: the robot is not of the share that the
    release is for; `waiting`: it is not at rest"""
    release: Annotated[str, StringConstraints(max_length=200)] = ""
    pack_sha256: str = ""
    bytes_done: int = 0
    bytes_total: int = 0
    code: str = ""
    """One word where something went wrong: `expired`, `rollback`, `wrong_key`, `unhealthy`, ..."""
    detail: Annotated[str, StringConstraints(max_length=1_000)] = ""
    mono_ms: int


class RobotMeta(Message):
    """Versions and capabilities; retained."""

    runtime_version: str
    pack_name: str
    pack_sha256: str = ""
    """Identity of the pack that serves"""
    skills: list[Name]
    gaits: list[Name]
    engines: dict[str, str] = {}
    """Model -> where it runs, and why"""
    languages: list[str] = []
