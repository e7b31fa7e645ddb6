"""Every drop rule, one row each; a stop passes all of them but the robot's id."""

import json
from typing import Any

import pytest

from firmware_bridge.gatekeeper import REMEMBERED, Gatekeeper
from runtime.contracts.body import load_body

NOW_MS = 100_000
BASE = {
    "id": "a",
    "boot_id": "boot",
    "issued_at_ms": NOW_MS - 10,
    "ttl_ms": 500,
    "source": "mind",
    "schema": 1,
}


def keeper() -> Gatekeeper:
    return Gatekeeper("rex", "boot", load_body(), skills={"sit", "walk"}, gaits={"walk"})


def payload(**changes: Any) -> bytes:
    return json.dumps({k: v for k, v in (BASE | changes).items() if v is not None}).encode()


SIT = {"skill": "sit"}
ACCEPTED: list[tuple[str, dict[str, Any]]] = [
    ("skill", SIT),
    ("gait", {"gait": "walk", "duration_ms": 1000}),
    ("pose", {"joints_deg": {"tail": 10.0}, "duration_ms": 300}),
    ("idle", {"enabled": True}),
    ("lease", {}),
    ("halt", {}),
    ("disarm", {}),
    ("arm", {"source": "page"}),
    ("arm", {"source": "button"}),
    ("clear", {"source": "cli"}),
]
DROPPED = [
    ("skill", SIT | {"issued_at_ms": NOW_MS - 501}, "expired", "late: by 1 ms"),
    ("lease", {"issued_at_ms": NOW_MS - 501}, "expired", "late"),
    ("skill", SIT | {"issued_at_ms": NOW_MS + 1_001}, "rejected", "issued in the future"),
    ("skill", SIT | {"boot_id": "before"}, "rejected", "other boot"),
    ("lease", {"boot_id": "before"}, "rejected", "other boot"),
    ("skill", SIT | {"schema": 2}, "rejected", "schema 2 is unknown"),
    ("skill", SIT | {"surprise": 1}, "rejected", "malformed: SkillCommand: surprise"),
    ("skill", {"skill": "fly"}, "rejected", "unknown skill 'fly'"),
    ("gait", {"gait": "sit", "duration_ms": 1000}, "rejected", "unknown gait 'sit'"),
    ("pose", {"joints_deg": {"wing": 0}, "duration_ms": 300}, "rejected", "unknown joint 'wing'"),
    (
        "pose",
        {"joints_deg": {"tail": 71}, "duration_ms": 300},
        "rejected",
        "tail = 71 deg is outside -70..70",
    ),
    ("backflip", {}, "rejected", "unknown act"),
    ("arm", {"source": "voice"}, "rejected", "arm is for page, button and cli, not voice"),
    ("arm", {"source": "mind"}, "rejected", "arm is for"),
    ("clear", {"source": "voice"}, "rejected", "clear is for"),
    ("clear", {"source": "mind"}, "rejected", "clear is for"),
    ("skill", {"id": None, **SIT}, "rejected", "malformed"),
    ("skill", SIT | {"ttl_ms": 60_000}, "rejected", "malformed"),
]


@pytest.mark.parametrize(("act", "changes"), ACCEPTED)
def test_good_commands_pass(act: str, changes: dict[str, Any]) -> None:
    verdict = keeper().judge(f"everpaw/v1/rex/cmnd/{act}", payload(**changes), False, NOW_MS)
    assert (verdict.status, verdict.reason) == ("accepted", "")
    assert verdict.command is not None


@pytest.mark.parametrize(("act", "changes", "status", "reason"), DROPPED)
def test_each_rule_drops_with_its_reason(act: str, changes: dict[str, Any], status: str, reason: str) -> None:
    gate = keeper()
    verdict = gate.judge(f"everpaw/v1/rex/cmnd/{act}", payload(**changes), False, NOW_MS)
    assert verdict.status == status
    assert reason in verdict.reason
    assert verdict.command is None
    assert verdict.told
    assert gate.dropped == 1


@pytest.mark.parametrize("act", [act for act, _ in ACCEPTED])
def test_retained_commands_are_dropped(act: str) -> None:
    changes = dict(ACCEPTED)[act]
    verdict = keeper().judge(f"everpaw/v1/rex/cmnd/{act}", payload(**changes), True, NOW_MS)
    assert (verdict.status, verdict.reason.split(":")[0]) == ("rejected", "retained")


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff\xfe", b"[]", b"null", b"[" * 9_000, b"x" * 20_000])
def test_garbage_is_dropped(raw: bytes) -> None:
    verdict = keeper().judge("everpaw/v1/rex/cmnd/skill", raw, False, NOW_MS)
    assert verdict.status == "rejected"
    assert verdict.command_id == ""


def test_an_id_counts_once() -> None:
    gate = keeper()
    topic = "everpaw/v1/rex/cmnd/skill"
    assert gate.judge(topic, payload(**SIT), False, NOW_MS).status == "accepted"
    again = gate.judge(topic, payload(**SIT), False, NOW_MS)
    assert (again.status, again.reason.split(":")[0]) == ("rejected", "duplicate")
    assert gate.judge(topic, payload(id="b", **SIT), False, NOW_MS).status == "accepted"


def test_remembered_ids_are_bounded_and_leases_do_not_fill_them() -> None:
    gate = keeper()
    gate.judge("everpaw/v1/rex/cmnd/skill", payload(**SIT), False, NOW_MS)
    for number in range(2 * REMEMBERED):
        gate.judge("everpaw/v1/rex/cmnd/lease", payload(id=f"lease{number}"), False, NOW_MS)
    assert gate.judge("everpaw/v1/rex/cmnd/skill", payload(**SIT), False, NOW_MS).status == "rejected"
    for number in range(2 * REMEMBERED):
        gate.judge("everpaw/v1/rex/cmnd/halt", payload(id=f"halt{number}"), False, NOW_MS)
    assert len(gate._seen) == REMEMBERED


@pytest.mark.parametrize(
    "topic", ["everpaw/v1/max/cmnd/skill", "everpaw/v1/max/cmnd/stop", "other/rex/cmnd/stop", "cmnd/stop"]
)
def test_another_robots_commands_are_not_even_answered(topic: str) -> None:
    verdict = keeper().judge(topic, payload(**SIT), False, NOW_MS)
    assert (verdict.status, verdict.told) == ("rejected", False)


@pytest.mark.parametrize(
    "raw",
    [
        payload(),
        payload(issued_at_ms=0),
        payload(issued_at_ms=10**9),
        payload(boot_id="before"),
        payload(schema=99),
        payload(surprise=1),
        payload(source="nobody"),
        b"",
        b"{",
        b"\xff\xfe",
        b"[" * 100_000,
        b"x" * 20_000,
    ],
)
@pytest.mark.parametrize("retained", [False, True])
def test_stop_is_exempt_from_every_rule(raw: bytes, retained: bool) -> None:
    gate = keeper()
    for _ in range(2):  # a duplicate stops as well
        verdict = gate.judge("everpaw/v1/rex/cmnd/stop", raw, retained, NOW_MS)
        assert (verdict.act, verdict.status) == ("stop", "accepted")
    assert gate.dropped == 0
