"""What Home Assistant is told: the device form, real topics, requests that the mind takes, and a clean end.

Where a Home Assistant is installed in the interpreter that EVERPAW_HOME_ASSISTANT names, its schemas judge
each entity and its own template engine reads ours.
"""

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from runtime import robot as assembly
from runtime import starter
from runtime.broker import available_kind, run_broker
from runtime.bus import Bus
from runtime.contracts import messages as m
from runtime.contracts.errors import MessageError
from runtime.contracts.topics import TOPICS, decode, split_topic
from runtime.eyes import home_assistant

PACK = starter.load_pack()
DEVICE: dict[str, Any] = json.loads(home_assistant.payload("rex", assembly.describe(PACK)))
ENTITIES: dict[str, dict[str, Any]] = DEVICE["components"]
OTHER = os.environ.get("EVERPAW_HOME_ASSISTANT", "")
_TOPIC = "_topic"


def test_it_has_the_device_form() -> None:
    assert DEVICE["device"]["identifiers"] == ["everpaw_rex"]
    assert DEVICE["origin"]["name"] == "everpaw"
    assert {entity["platform"] for entity in ENTITIES.values()} == {
        "sensor", "binary_sensor", "button", "select", "text", "number", "switch", "update",
    }  # fmt: skip
    assert len({entity["unique_id"] for entity in ENTITIES.values()}) == len(ENTITIES)
    assert home_assistant.topic("rex") == "homeassistant/device/everpaw_rex/config"


@pytest.mark.parametrize("key", ENTITIES)
def test_topics_are_of_the_registry_and_only_requests_are_written(key: str) -> None:
    for field, value in ENTITIES[key].items():
        if field.endswith(_TOPIC):
            robot, name = split_topic(value)
            assert robot == "rex"
            assert name in TOPICS
            if field == "command_topic":
                assert TOPICS[name].kind == "request"


@pytest.mark.parametrize("key", [k for k, e in ENTITIES.items() if e["platform"] in ("button", "switch")])
def test_what_a_press_sends_is_a_request_the_mind_takes(key: str) -> None:
    entity = ENTITIES[key]
    model = TOPICS[split_topic(entity["command_topic"])[1]].model
    for field in ("payload_press", "payload_on", "payload_off"):
        if field in entity:
            decode(model, entity[field].encode())


@pytest.mark.parametrize(
    ("key", "given", "field"),
    [("skill", "sit", "skill"), ("say", 'a "word"', "text"), ("volume", 0.35, "level")],
)
def test_what_is_chosen_or_typed_becomes_a_request_the_mind_takes(
    key: str, given: object, field: str
) -> None:
    jinja2 = pytest.importorskip("jinja2", reason="its template engine is not installed")
    entity = ENTITIES[key]
    payload = jinja2.Template(entity["command_template"]).render(value=given)
    asked = decode(TOPICS[split_topic(entity["command_topic"])[1]].model, payload.encode())
    assert getattr(asked, field) == given


def test_it_appears_and_is_taken_away_on_a_real_broker() -> None:
    if available_kind() != "mosquitto":
        pytest.skip("mosquitto is not installed")
    topic = home_assistant.topic("rex")
    with run_broker() as broker, Bus("rex", port=broker.port) as bus:
        bus.announce(topic, json.dumps(DEVICE).encode())
        assert json.loads(_retained(broker.port, topic)) == DEVICE
        bus.announce(topic, b"")
        assert _retained(broker.port, topic) == b""
        with pytest.raises(MessageError, match="no topic of another house"):
            bus.announce("everpaw/v1/rex/cmnd/stop", b"{}")


def _retained(port: int, topic: str) -> bytes:
    """What the broker holds there, as any client sees it."""
    import paho.mqtt.client as mqtt

    got: list[bytes] = []
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
    client.on_message = lambda _c, _d, message: got.append(message.payload)
    client.on_connect = lambda c, *_: c.subscribe(topic, 1)
    client.connect("127.0.0.1", port)
    give_up_s = time.monotonic() + 1.0
    while time.monotonic() < give_up_s and not got:
        client.loop(0.05)
    client.disconnect()
    return got[-1] if got else b""


def test_home_assistants_own_schemas_and_templates_take_it(tmp_path: Path) -> None:
    if not OTHER:
        pytest.skip("EVERPAW_HOME_ASSISTANT names no interpreter with Home Assistant in it")
    states = {
        "state/body": m.BodyState(mcu_alive=True, mcu_state="ARMED", activity="sit"),
        "state/mind": m.MindState(awake=True, mood="calm", valence=0.1, arousal=0.2),
    }
    told = {name: json.loads(message.model_dump_json(by_alias=True)) for name, message in states.items()}
    file = tmp_path / "device.json"
    file.write_text(json.dumps({"device": DEVICE, "states": told}))
    judge = Path(__file__).with_name("home_assistant_judge.py")
    done = subprocess.run([OTHER, str(judge), str(file)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-3_000:]
    verdict = json.loads(done.stdout)
    assert sorted(verdict["taken"]) == sorted(ENTITIES)
    assert verdict["values"]["mood"] == "calm"
    assert verdict["values"]["movement"] == "sit"
    assert verdict["values"]["fault"] == "OFF"
    assert json.loads(verdict["commands"]["say"])["text"] == 'a "word"'
