"""What a robot tells of itself for who watches over it: this computer, latencies, its body, events of before.

No field holds words or sound but those of `FactsAck` and `LessonsAck`, which are sent only with consent
(`privacy.share_text`).
"""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from runtime.contracts.messages import Message, Name
from runtime.contracts.requests import Erasable


class HostTelemetry(Message):
    """The robot's computer and the mind's process on it."""

    cpu_percent: float
    """Of all cores"""
    mind_cpu_percent: float
    """Of one core, children included"""
    mind_memory_mb: float
    memory_free_mb: float
    disk_free_mb: float
    temperature_c: float | None = None
    """The warmest sensor; None where there is none"""
    uptime_s: float
    """Of the mind"""
    events_waiting: int = 0
    """Not yet taken by the broker"""
    messages_dropped: int = 0
    mono_ms: int


class StageLatency(Message):
    """One stage over the last turns, milliseconds."""

    p50_ms: float
    p95_ms: float
    n: int


class LatencyTelemetry(Message):
    """From the end of the last word to each stage, over the last turns; `wake` from the end of the name."""

    stages: dict[Name, StageLatency]
    mono_ms: int


class DayState(Message):
    """Figures of the last day, means over steps; retained, so that a page which is opened late has them."""

    step_s: Annotated[float, Field(gt=0)]
    mono_ms: int
    """The robot's clock at the end of the newest step"""
    series: Annotated[dict[Name, Annotated[list[float | None], Field(max_length=288)]], Field(max_length=16)]
    """Name -> values, the newest last; None where there was none"""


class PrivacyState(Message):
    """What is open to ears and eyes."""

    muted: bool
    share_text: bool
    remembers: bool
    volume: float = 1.0
    silent: bool = False
    """Seen, not only asked for: while muted nothing but zeros goes on from the microphone"""
    lessons: bool = False
    """Turns are kept to learn from"""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class JointMeta(_Part):
    name: Name
    min_deg: float
    max_deg: float
    rest_deg: float


class StickMeta(_Part):
    """A head or a tail; see runtime.contracts.body.Stick."""

    ahead_mm: float
    up_mm: float
    long_mm: float
    radius_mm: float
    pan: Name
    tilt: Name | None = None
    raised_deg: float = 0.0
    behind: bool = False


class GeometryMeta(_Part):
    upper_mm: float
    lower_mm: float
    length_mm: float
    width_mm: float
    leg_radius_mm: float
    belly_mm: float = 20.0
    sticks: dict[Name, StickMeta] = {}


class BodyMeta(Message):
    """The body behind the bridge, as far as a picture of it needs; retained."""

    name: Name
    joints: Annotated[list[JointMeta], Field(max_length=32)]
    geometry: GeometryMeta | None = None
    firmware: str = ""
    """Version and first letters of its hash, as the board says; empty before it was heard"""
    limits_hash: str = ""


class PastEvents(Message):
    """Events of one journal, the oldest first, without the words that were said."""

    origin: str
    after: int
    """Between this number and the first one here the journal holds nothing"""
    events: Annotated[list[tuple[str, dict[str, Any]]], Field(max_length=64)]
    """(topic's name, payload)"""
    last_seq: int
    """The newest number in that journal"""


class FactRow(_Part):
    number: int
    text: str
    value: str
    person: str = ""


class FactsAck(Message):
    """Answer to `request/memory`."""

    id: str
    ok: bool
    reason: str = ""
    facts: tuple[FactRow, ...] = ()
    total: int = 0


class LessonRow(_Part):
    """A turn that is kept to learn from, its texts cut where they are long."""

    number: int
    heard: str
    intent: str = ""
    """What was made of it; empty: not understood"""
    label: str = ""
    """praised, scolded, corrected, or nothing of the kind"""
    meant: str = ""
    """Where corrected: the words that say it"""
    meant_intent: str = ""


class LessonsAck(Message):
    """Answer to `request/lessons`, the newest first."""

    id: str
    ok: bool
    reason: str = ""
    lessons: tuple[LessonRow, ...] = ()
    total: int = 0


class KeptAck(Message):
    """Answer to `request/kept`: how much there is of each class that can be erased."""

    id: str
    ok: bool
    reason: str = ""
    counts: dict[Erasable, int] = Field(default_factory=dict)


class ExportAck(Message):
    """One part of what `request/export` asked for, or why there is none."""

    id: str
    ok: bool
    reason: str = ""
    """`late`, `busy`, `not_here`, or what could not be read"""
    part: Annotated[int, Field(ge=0)] = 0
    """From 0; joined in this order the parts are one sealed zip (runtime.privacy.copies)"""
    parts: Annotated[int, Field(ge=0)] = 0
    data: str = ""
    """Base64"""


class ErasedAck(Message):
    """What became of `request/erase`; told when it is done."""

    id: str
    ok: bool
    reason: str = ""
    erased: tuple[Erasable, ...] = ()
    searched_for: int = 0
    """Texts and sealed rows that were looked for afterwards, and found nowhere"""
    files: int = 0


class PackRow(_Part):
    """A pack on the robot's disk; `sha256` is its identity."""

    name: str
    sha256: str


class OfferRow(_Part):
    """What the channel offered when it was looked at last."""

    name: str
    version: int
    sha256: str
    notes: str = ""
    """By its maker"""


class UpdateState(Message):
    """What is installed, what is offered, what the way back leads to; retained."""

    repository: bool
    """The settings name one"""
    serving: PackRow | None = None
    version: int | None = None
    """Of the channel's release that was kept last"""
    previous: PackRow | None = None
    offered: OfferRow | None = None
    refused: str = ""
    """Why what is offered failed here before"""


class UpdateAck(Message):
    """Whether `request/update` is begun; what becomes of it is `job/update`'s to tell."""

    id: str
    ok: bool
    reason: str = ""
    """`late`, or `busy`: another job is under way"""
