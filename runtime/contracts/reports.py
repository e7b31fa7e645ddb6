"""What a robot tells of itself for who watches over it: this computer, latencies, its body, events of before.

No field holds words or sound but `FactsAck`, which is sent only with consent (`privacy.share_text`).
"""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from runtime.contracts.messages import Message, Name


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
