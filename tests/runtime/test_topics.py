"""Topics and messages: one list drives round trips, truncations and the stored payloads of today."""

import json
from pathlib import Path

import pytest

from runtime.contracts import messages as m
from runtime.contracts import reports, requests
from runtime.contracts.errors import MessageError
from runtime.contracts.topics import MAX_PAYLOAD_BYTES, TOPICS, decode, encode, full_topic, split_topic
from runtime.schemas import schemas

GOLDEN = Path(__file__).parents[1] / "golden" / "messages.json"
SCHEMAS = Path(m.__file__).parent / "schemas"
STAMP = {"id": "c1", "boot_id": "b1", "issued_at_ms": 10, "ttl_ms": 500, "source": "mind"}
MESSAGES: list[m.Message] = [
    m.SkillCommand(**STAMP, skill="sit"),
    m.PoseCommand(**STAMP, joints_deg={"head_pan": 10.5}, duration_ms=200),
    m.GaitCommand(**STAMP, gait="walk", turn=-0.5, duration_ms=2_000),
    m.IdleCommand(**STAMP, enabled=True),
    m.LeaseCommand(**STAMP),
    m.HaltCommand(**STAMP, reason="heard"),
    m.StopCommand(**STAMP, reason="button"),
    m.ArmCommand(**{**STAMP, "source": "page"}),
    m.DisarmCommand(**STAMP),
    m.ClearCommand(**{**STAMP, "source": "button"}),
    m.SkillRequest(id="r1", skill="sit"),
    m.SayRequest(id="r2", text="hello"),
    m.ViewRequest(id="r3"),
    m.Ack(id="c1", act="skill", status="done", mono_ms=5),
    m.WakeEvent(name="hey_buddy", score=0.9, mono_ms=6),
    m.TurnEvent(turn=1, intent="sit", confidence=0.9, action="sit", mood="calm", mono_ms=7),
    m.SafetyEvent(kind="halt", mono_ms=8),
    m.PrivacyEvent(what="copy", mono_ms=8),
    m.Clock(boot_id="b1", mono_ms=9),
    m.Presence(alive=True),
    m.BodyState(mcu_alive=True, mcu_state="ARMED"),
    m.MindState(awake=True, mood="calm", valence=0.1, arousal=0.2),
    m.JointsTelemetry(joints_deg={"tail": -3.0}, mono_ms=11),
    m.LinkTelemetry(frames_sent=1, frames_received=2, crc_errors=0, resends=0, stream_hz=50.0, mono_ms=12),
    m.JobState(status="downloading", release="Buddy 3", bytes_done=10, bytes_total=20, mono_ms=13),
    requests.HaltRequest(id="r4"),
    requests.HandRequest(id="r5", boot_id="b1", seen_mono_ms=14),
    requests.VolumeRequest(id="r6", level=0.5),
    requests.MuteRequest(id="r7", muted=True),
    requests.ConsentRequest(id="r8", share_text=False),
    requests.MemoryRequest(id="r9", act="correct", number=3, value="Anna"),
    requests.ReplayRequest(id="r10", after={"mind-1": 5}),
    requests.LessonsRequest(id="r11", act="forget", number=2),
    requests.KeptRequest(id="r12"),
    requests.EraseRequest(id="r13", only=("lessons", "events"), seen_mono_ms=14),
    requests.UpdateRequest(id="r14", act="rollback", seen_mono_ms=14),
    requests.ExportRequest(id="r15", key="A" * 43 + "=", seen_mono_ms=14),
    reports.ExportAck(id="r15", ok=True, part=1, parts=2, data="AAAA"),
    reports.LessonsAck(
        id="r11", ok=True, lessons=({"number": 2, "heard": "x", "label": "praised"},), total=1
    ),
    reports.KeptAck(id="r12", ok=True, counts={"lessons": 1, "events": 30}),
    reports.ErasedAck(id="r13", ok=True, erased=("lessons", "events"), searched_for=4, files=9),
    reports.UpdateAck(id="r14", ok=False, reason="busy"),
    reports.UpdateState(
        repository=True,
        serving={"name": "Buddy", "sha256": "ab"},
        version=2,
        offered={"name": "Buddy", "version": 3, "sha256": "cd"},
    ),
    reports.FactsAck(id="r9", ok=True, facts=({"number": 3, "text": "x", "value": "y"},), total=1),
    reports.PastEvents(origin="mind-1", after=5, events=[("event/safety", {"kind": "halt"})], last_seq=6),
    reports.DayState(step_s=600.0, mono_ms=14, series={"valence": [0.1, None]}),
    reports.PrivacyState(muted=False, share_text=False, remembers=True),
    reports.HostTelemetry(
        cpu_percent=10.0,
        mind_cpu_percent=12.5,
        mind_memory_mb=212.0,
        memory_free_mb=900.0,
        disk_free_mb=5_000.0,
        uptime_s=60.0,
        mono_ms=15,
    ),
    reports.LatencyTelemetry(stages={"motion": {"p50_ms": 176.0, "p95_ms": 360.0, "n": 36}}, mono_ms=16),
    reports.BodyMeta(name="buddy", joints=[{"name": "tail", "min_deg": -70, "max_deg": 70, "rest_deg": 0}]),
    m.RobotMeta(runtime_version="0.1.0", pack_name="Buddy", skills=["sit"], gaits=["walk"]),
]


def ids(message: m.Message) -> str:
    return type(message).__name__


def test_every_model_of_the_registry_is_in_the_list() -> None:
    assert {row.model for row in TOPICS.values()} == {type(message) for message in MESSAGES}


@pytest.mark.parametrize("message", MESSAGES, ids=ids)
def test_round_trip(message: m.Message) -> None:
    assert decode(type(message), encode(message)) == message


@pytest.mark.parametrize("message", MESSAGES, ids=ids)
def test_every_truncated_prefix_is_refused(message: m.Message) -> None:
    payload = encode(message)
    for length in range(len(payload)):
        with pytest.raises(MessageError):
            decode(type(message), payload[:length])


def test_stored_payloads_of_the_first_release_still_parse() -> None:
    stored = json.loads(GOLDEN.read_text())
    assert {row["model"] for row in stored} == {ids(message) for message in MESSAGES}
    models = {row.model.__name__: row.model for row in TOPICS.values()}
    for row in stored:
        decode(models[row["model"]], json.dumps(row["payload"]).encode())


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "JSON"),
        (b"\xff\xfe", "JSON"),
        (b"[]", "object"),
        (b'{"schema": 2}', "required"),
        (b'{"alive": NaN}', "boolean"),
        (b'{"alive": true, "schema": 2}', "schema 2 is unknown"),
        (b" " * (MAX_PAYLOAD_BYTES + 1), "at most"),
    ],
)
def test_bad_payloads_are_named(payload: bytes, reason: str) -> None:
    with pytest.raises(MessageError, match=reason):
        decode(m.Presence, payload)


def test_a_command_with_an_unknown_field_is_refused_and_a_state_is_not() -> None:
    command = json.dumps({**STAMP, "skill": "sit", "faster": True}).encode()
    with pytest.raises(MessageError, match="faster"):
        decode(m.SkillCommand, command)
    assert decode(m.Presence, b'{"alive": true, "since": 3}') == m.Presence(alive=True)


def test_commands_are_qos_1_and_never_retained_except_the_lease() -> None:
    for row in TOPICS.values():
        if row.kind == "cmnd":
            assert not row.retain
            assert row.qos == (0 if row.name == "cmnd/lease" else 1)


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "everpaw/v1/buddy",
        "everpaw/v2/buddy/cmnd/skill",
        "x/v1/buddy/cmnd/skill",
        "everpaw/v1/BUDDY/cmnd/skill",
        f"everpaw/v1/{'b' * 33}/cmnd/skill",
        "everpaw/v1//cmnd/skill",
    ],
)
def test_foreign_topics_are_refused(topic: str) -> None:
    with pytest.raises(MessageError, match="is none of ours"):
        split_topic(topic)


def test_topics_round_trip() -> None:
    for name in TOPICS:
        assert split_topic(full_topic("buddy-2", name)) == ("buddy-2", name)


@pytest.mark.parametrize(
    ("robot_id", "name"), [("Buddy", "cmnd/skill"), ("", "cmnd/skill"), ("b", "cmnd/fly")]
)
def test_no_topic_is_made_of_wrong_words(robot_id: str, name: str) -> None:
    with pytest.raises(MessageError):
        full_topic(robot_id, name)


def test_the_schemas_in_the_repository_are_todays() -> None:
    stored = {path.name: path.read_text() for path in SCHEMAS.glob("*.json")}
    assert stored == schemas(), "run `make schemas`"
