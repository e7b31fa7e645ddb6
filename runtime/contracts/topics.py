"""The topic registry: `everpaw/v1/<robot_id>/<kind>/<name>` -> model, QoS, retain, rate.

This table is the only place that knows a topic. `full_topic` and `decode` refuse what is not in it.
"""

import re
from dataclasses import dataclass
from typing import TypeVar

from pydantic import ValidationError

from runtime.contracts import messages as m
from runtime.contracts import reports, requests
from runtime.contracts.errors import MessageError

PREFIX = "everpaw/v1"
MAX_PAYLOAD_BYTES = 16_384
_ROBOT_ID = re.compile(r"[a-z0-9-]{1,32}")

M = TypeVar("M", bound=m.Message)


@dataclass(frozen=True, slots=True)
class Topic:
    """One row of the registry."""

    name: str
    """Kind and name, as in `cmnd/skill`"""
    model: type[m.Message]
    qos: int
    retain: bool = False
    rate_hz: float | None = None
    """Highest rate; None where it follows events"""

    @property
    def kind(self) -> str:
        return self.name.split("/", 1)[0]


TOPICS: dict[str, Topic] = {
    t.name: t
    for t in (
        Topic("cmnd/skill", m.SkillCommand, qos=1),
        Topic("cmnd/pose", m.PoseCommand, qos=1),
        Topic("cmnd/gait", m.GaitCommand, qos=1),
        Topic("cmnd/idle", m.IdleCommand, qos=1),
        Topic("cmnd/lease", m.LeaseCommand, qos=0, rate_hz=10),
        Topic("cmnd/halt", m.HaltCommand, qos=1),
        Topic("cmnd/stop", m.StopCommand, qos=1),
        Topic("cmnd/arm", m.ArmCommand, qos=1),
        Topic("cmnd/disarm", m.DisarmCommand, qos=1),
        Topic("cmnd/clear", m.ClearCommand, qos=1),
        Topic("request/skill", m.SkillRequest, qos=1),
        Topic("request/say", m.SayRequest, qos=1),
        Topic("request/view", m.ViewRequest, qos=0),
        Topic("request/halt", requests.HaltRequest, qos=1),
        Topic("request/arm", requests.HandRequest, qos=1),
        Topic("request/disarm", requests.HandRequest, qos=1),
        Topic("request/clear", requests.HandRequest, qos=1),
        Topic("request/volume", requests.VolumeRequest, qos=1),
        Topic("request/mute", requests.MuteRequest, qos=1),
        Topic("request/consent", requests.ConsentRequest, qos=1),
        Topic("request/memory", requests.MemoryRequest, qos=1),
        Topic("request/lessons", requests.LessonsRequest, qos=1),
        Topic("request/kept", requests.KeptRequest, qos=1),
        Topic("request/erase", requests.EraseRequest, qos=1),
        Topic("request/export", requests.ExportRequest, qos=1),
        Topic("request/update", requests.UpdateRequest, qos=1),
        Topic("request/replay", requests.ReplayRequest, qos=1),
        Topic("ack/command", m.Ack, qos=1),
        Topic("ack/memory", reports.FactsAck, qos=1),
        Topic("ack/lessons", reports.LessonsAck, qos=1),
        Topic("ack/kept", reports.KeptAck, qos=1),
        Topic("ack/erased", reports.ErasedAck, qos=1),
        Topic("ack/export", reports.ExportAck, qos=1),
        Topic("ack/update", reports.UpdateAck, qos=1),
        Topic("event/wake", m.WakeEvent, qos=1),
        Topic("event/turn", m.TurnEvent, qos=1),
        Topic("event/safety", m.SafetyEvent, qos=1),
        Topic("event/privacy", m.PrivacyEvent, qos=1),
        Topic("event/past", reports.PastEvents, qos=1),
        Topic("state/clock", m.Clock, qos=1, retain=True, rate_hz=1),
        Topic("state/bridge", m.Presence, qos=1, retain=True),
        Topic("state/runtime", m.Presence, qos=1, retain=True),
        Topic("state/body", m.BodyState, qos=1, retain=True),
        Topic("state/mind", m.MindState, qos=1, retain=True),
        Topic("state/privacy", reports.PrivacyState, qos=1, retain=True),
        Topic("state/day", reports.DayState, qos=1, retain=True),
        Topic("state/update", reports.UpdateState, qos=1, retain=True),
        Topic("tele/joints", m.JointsTelemetry, qos=0, rate_hz=30),
        Topic("tele/link", m.LinkTelemetry, qos=0, rate_hz=1),
        Topic("tele/host", reports.HostTelemetry, qos=0, rate_hz=1),
        Topic("tele/latency", reports.LatencyTelemetry, qos=0, rate_hz=1),
        Topic("job/update", m.JobState, qos=1, retain=True),
        Topic("meta/robot", m.RobotMeta, qos=1, retain=True),
        Topic("meta/body", reports.BodyMeta, qos=1, retain=True),
    )
}


def check_robot_id(robot_id: str) -> str:
    """Return `robot_id` or raise MessageError."""
    if not _ROBOT_ID.fullmatch(robot_id):
        raise MessageError(f"robot id {robot_id!r} is not allowed; use 1 to 32 of a-z, 0-9 and '-'")
    return robot_id


def full_topic(robot_id: str, name: str) -> str:
    """`everpaw/v1/<robot_id>/<name>` for a registered name, else MessageError."""
    if name not in TOPICS:
        raise MessageError(f"topic {name!r} is not in the registry; known: {', '.join(TOPICS)}")
    return f"{PREFIX}/{check_robot_id(robot_id)}/{name}"


def split_topic(topic: str) -> tuple[str, str]:
    """(robot_id, name) of a topic of some robot of ours; the name may be one the registry does not know."""
    robot_id, _, name = topic.removeprefix(f"{PREFIX}/").partition("/")
    if not topic.startswith(f"{PREFIX}/") or not _ROBOT_ID.fullmatch(robot_id) or "/" not in name:
        raise MessageError(f"topic {topic!r} is none of ours; expected {PREFIX}/<robot_id>/<kind>/<name>")
    return robot_id, name


def encode(message: m.Message) -> bytes:
    """JSON as UTF-8."""
    return message.model_dump_json(by_alias=True).encode()


def decode(model: type[M], payload: bytes) -> M:
    """Payload -> model; MessageError on oversize, broken JSON, unknown schema or a wrong field."""
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise MessageError(f"{model.__name__}: payload of {len(payload)} bytes; at most {MAX_PAYLOAD_BYTES}")
    try:
        message = model.model_validate_json(payload)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "payload"
        raise MessageError(f"{model.__name__}: {where}: {first['msg']}") from error
    if message.schema_version != m.SCHEMA_VERSION:
        raise MessageError(
            f"{model.__name__}: schema {message.schema_version} is unknown; this robot speaks"
            f" {m.SCHEMA_VERSION}"
        )
    return message
