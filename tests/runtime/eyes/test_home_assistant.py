"""What Home Assistant is told: the device form, real topics, requests that the mind takes, and a clean end.

Where a Home Assistant is installed in the interpreter that EVERPAW_HOME_ASSISTANT names, its schemas judge
each entity, its own template engine reads ours, and, from 2025 on, its core lives on a broker beside a robot:

    python3.13 -m venv ha && ha/bin/pip install homeassistant 'paho-mqtt<3'
    EVERPAW_HOME_ASSISTANT=ha/bin/python python -m pytest tests/runtime/eyes/test_home_assistant.py
"""

import json
import os
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from runtime import assembly, starter
from runtime.broker import available_kind, free_port, run_broker
from runtime.bus import Bus
from runtime.contracts import messages as m
from runtime.contracts.errors import MessageError
from runtime.contracts.reports import UpdateState
from runtime.contracts.topics import TOPICS, decode, encode, split_topic
from runtime.eyes import home_assistant
from tests.runtime.dashboard.puppet import NEW, UPDATES, Puppet

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


@pytest.mark.parametrize(
    ("state", "newest"),
    [
        (UPDATES, NEW[:12]),
        (UPDATES.model_copy(update={"offered": None}), "555555555555"),
        (UpdateState(repository=False), ""),
    ],
    ids=["offered", "none offered", "nothing known"],
)
def test_an_update_is_seen_where_one_is_offered(state: UpdateState, newest: str) -> None:
    jinja2 = pytest.importorskip("jinja2", reason="its template engine is not installed")
    pack = ENTITIES["pack"]
    assert split_topic(pack["latest_version_topic"])[1] == "state/update"
    told = json.loads(encode(state))
    assert jinja2.Template(pack["latest_version_template"]).render(value_json=told) == newest


def test_it_appears_and_is_taken_away_on_a_real_broker() -> None:
    if available_kind() != "mosquitto":
        pytest.skip("mosquitto is not installed")
    topic = home_assistant.topic("rex")
    with run_broker() as broker, Bus("rex", port=broker.port) as bus:
        bus.announce(topic, json.dumps(DEVICE).encode())
        assert json.loads(_retained(broker.port, topic, until=bool)) == DEVICE
        bus.announce(topic, b"")
        assert _retained(broker.port, topic, until=lambda held: not held) == b""
        with pytest.raises(MessageError, match="no topic of another house"):
            bus.announce("everpaw/v1/rex/cmnd/stop", b"{}")


def _retained(port: int, topic: str, until: Callable[[bytes], bool]) -> bytes:
    """What the broker holds there, as any client sees it: as it should be, or after ten looks as it is."""
    for _ in range(10):
        if until(held := _look(port, topic)):
            break
    return held


def _look(port: int, topic: str) -> bytes:
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


class House:
    """A real Home Assistant in a process of its own."""

    def __init__(self, broker: int) -> None:
        script = Path(__file__).with_name("home_assistant_house.py")
        command = [OTHER, str(script), str(broker), str(free_port())]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True
        )
        self.seen: dict[str, Any] = {}

    def ask(self, *what: object) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(what) + "\n")
        self.process.stdin.flush()
        self.seen = json.loads(self.process.stdout.readline())
        return self.seen

    def do(self, key: str, service: str, **data: object) -> None:
        entity = self.seen["entities"][f"everpaw_rex_{key}"]
        self.ask("do", entity.partition(".")[0], service, {"entity_id": entity, **data})

    def state(self, key: str) -> str:
        return str(self.seen["states"][self.seen["entities"][f"everpaw_rex_{key}"]])

    def until(self, true: Callable[[], bool], puppet: Puppet) -> None:
        give_up_s = time.monotonic() + 120
        while True:
            puppet.tick()
            self.ask("look")
            if true():
                return
            assert time.monotonic() < give_up_s, self.seen
            time.sleep(0.5)

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(30)


def _release() -> int:
    """The year of the Home Assistant that is there; 0 without one."""
    if not OTHER:
        return 0
    line = "import homeassistant.const as c; print(c.MAJOR_VERSION)"
    return int(subprocess.run([OTHER, "-c", line], capture_output=True, text=True, check=True).stdout)


def test_a_real_home_assistant_shows_asks_and_forgets(tmp_path: Path) -> None:
    if _release() < 2025:
        pytest.skip("EVERPAW_HOME_ASSISTANT names no interpreter with Home Assistant 2025 or newer in it")
    if available_kind() is None:
        pytest.skip("no broker is installed")
    with (
        run_broker() as broker,
        closing(Puppet(broker.port, tmp_path / "memory", "rex")) as puppet,
        closing(House(broker.port)) as house,
    ):
        puppet.bus.announce(home_assistant.topic("rex"), json.dumps(DEVICE).encode())
        house.until(lambda: len(house.seen["states"]) == len(ENTITIES), puppet)
        assert house.seen["devices"] == [PACK.manifest.name]
        told = {"battery_voltage": "7.6", "words_to_motion": "176.0", "mood": "happy", "memory": "212.0"}
        house.until(lambda: all(house.state(key) == state for key, state in told.items()), puppet)
        assert house.state("fault") == "off"
        puppet.asked.clear()
        house.do("sit", "press")
        house.do("skill", "select_option", option="wag")
        house.do("say", "set_value", value='a "word"')
        house.do("volume", "set_value", value=0.35)
        house.do("microphone_muted", "turn_on")
        house.until(
            lambda: house.state("microphone_muted") == "on" and house.state("volume") == "0.35", puppet
        )
        assert [asked.skill for asked in puppet.of(m.SkillRequest)] == ["sit", "wag"]  # type: ignore[attr-defined]
        assert [asked.text for asked in puppet.of(m.SayRequest)] == ['a "word"']  # type: ignore[attr-defined]
        puppet.body("FAULT", fault="stop")
        house.until(lambda: house.state("fault") == "on", puppet)
        puppet.bus.publish("state/bridge", m.Presence(alive=False))
        house.until(lambda: set(house.seen["states"].values()) == {"unavailable"}, puppet)
        puppet.bus.announce(home_assistant.topic("rex"), b"")
        house.until(lambda: house.seen == {"devices": [], "states": {}, "entities": {}}, puppet)
