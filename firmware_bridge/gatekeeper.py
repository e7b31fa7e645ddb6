"""Who may move the robot: one command in, one verdict out. No clock, no socket, no motor.

Dropped, with the reason in an acknowledgement: retained, late, duplicate, other-boot, unknown-schema,
malformed or unknown commands, and arming from anyone but page, button or command line. A stop is exempt from
every rule except the robot's id: late, twice, retained or garbled, it stops.
"""

import json
from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from firmware_bridge.lanes import MAY_SEND
from runtime.contracts import messages as m
from runtime.contracts.body import Body
from runtime.contracts.errors import MessageError
from runtime.contracts.topics import MAX_PAYLOAD_BYTES, PREFIX, TOPICS, decode

REMEMBERED = 1_024
"""Ids of commands kept to tell duplicates; a ttl is 10 s at most, so this covers 100 commands a second"""
AHEAD_MS = 1_000
"""A command from further in the future was stamped with another clock"""
HANDS = frozenset({"page", "button", "cli"})
"""Who may arm and clear: hands, never voice or mind"""
_BY_HAND = frozenset({"arm", "clear"})


@dataclass(frozen=True, slots=True)
class Verdict:
    """`status` accepted: act on it. A stop is always accepted; its `command` is None where it was garbled."""

    act: str
    command_id: str
    status: m.AckStatus
    reason: str = ""
    command: m.Command | None = None
    told: bool = True
    """Whether an acknowledgement is owed: not to other robots, nor for every renewal of the lease"""


class Gatekeeper:
    """Judges for one robot and one life of the bridge (`boot_id`)."""

    def __init__(
        self, robot_id: str, boot_id: str, body: Body, skills: Collection[str], gaits: Collection[str]
    ):
        self._prefix = f"{PREFIX}/{robot_id}/"
        self._boot_id = boot_id
        self._body = body
        self._skills, self._gaits = frozenset(skills), frozenset(gaits)
        self._seen: OrderedDict[str, None] = OrderedDict()
        self.dropped = 0

    def judge(self, topic: str, payload: bytes, retained: bool, now_ms: int) -> Verdict:
        """`now_ms` is the robot's monotonic clock."""
        kind, _, act = topic.removeprefix(self._prefix).partition("/")
        if not topic.startswith(self._prefix) or kind != "cmnd":
            return self._drop(act, "", "rejected", "foreign: meant for another robot", told=False)
        command_id = _find_id(payload)
        if act == "stop":
            return Verdict(act, command_id, "accepted", command=_try_stop(payload))
        if f"cmnd/{act}" not in TOPICS:
            return self._drop(act, command_id, "rejected", "unknown act: not in the registry")
        if retained:
            return self._drop(
                act, command_id, "rejected", "retained: commands are never retained; clear the topic"
            )
        try:
            command = decode(TOPICS[f"cmnd/{act}"].model, payload)
        except MessageError as error:
            return self._drop(act, command_id, "rejected", f"malformed: {error}")
        if not isinstance(command, m.Command):
            return self._drop(act, command_id, "rejected", "unknown act: not a command")
        return self._judge_command(act, command, now_ms)

    def _judge_command(self, act: str, command: m.Command, now_ms: int) -> Verdict:
        if command.boot_id != self._boot_id:
            return self._drop(act, command.id, "rejected", "other boot: read boot_id from state/clock again")
        late_ms = now_ms - command.issued_at_ms - command.ttl_ms
        if late_ms > 0:
            return self._drop(act, command.id, "expired", f"late: by {late_ms} ms")
        if command.issued_at_ms - now_ms > AHEAD_MS:
            return self._drop(
                act, command.id, "rejected", "issued in the future: stamp with state/clock's mono_ms"
            )
        if command.source == "autonomy" and act not in MAY_SEND:
            return self._drop(act, command.id, "rejected", f"{act} is not for the pet's own will")
        if act == "lease":
            return Verdict(act, command.id, "accepted", command=command, told=False)
        if self._is_duplicate(command.id):
            return self._drop(act, command.id, "rejected", "duplicate: this id was taken before")
        if act in _BY_HAND and command.source not in HANDS:
            return self._drop(
                act, command.id, "rejected", f"{act} is for page, button and cli, not {command.source}"
            )
        if unknown := self._unknown(command):
            return self._drop(act, command.id, "rejected", unknown)
        return Verdict(act, command.id, "accepted", command=command)

    def _is_duplicate(self, command_id: str) -> bool:
        if command_id in self._seen:
            return True
        self._seen[command_id] = None
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return False

    def _unknown(self, command: m.Command) -> str:
        """Which skill, gait, joint or angle this robot does not have; empty where it has all."""
        if isinstance(command, m.SkillCommand) and command.skill not in self._skills:
            return f"unknown skill {command.skill!r}: the pack has none of that name"
        if isinstance(command, m.GaitCommand) and command.gait not in self._gaits:
            return f"unknown gait {command.gait!r}: the pack has {', '.join(sorted(self._gaits))}"
        if isinstance(command, m.PoseCommand):
            for name, angle in command.joints_deg.items():
                joint = self._body.by_name.get(name)
                if joint is None:
                    return f"unknown joint {name!r}: {self._body.name} has {', '.join(self._body.names)}"
                if not joint.min_deg <= angle <= joint.max_deg:
                    return f"{name} = {angle:g} deg is outside {joint.min_deg:g}..{joint.max_deg:g}"
        return ""

    def _drop(
        self, act: str, command_id: str, status: m.AckStatus, reason: str, *, told: bool = True
    ) -> Verdict:
        self.dropped += 1
        return Verdict(act, command_id, status, reason, told=told)


def _try_stop(payload: bytes) -> m.Command | None:
    try:
        return decode(m.StopCommand, payload)
    except MessageError:
        return None


def _find_id(payload: bytes) -> str:
    """The id of a payload that may be anything; empty where it has none."""
    if len(payload) > MAX_PAYLOAD_BYTES:
        return ""
    try:
        data: Any = json.loads(payload)
    except (ValueError, RecursionError):
        return ""
    found = data.get("id") if isinstance(data, dict) else None
    return found[:64] if isinstance(found, str) else ""
