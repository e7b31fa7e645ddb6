"""Home Assistant finds the pet by itself: one retained message in its device form.

Entities read the robot's own topics and write `request/...` alone, never `cmnd/...`. Whether they are
available follows births and last wills of bridge and mind. An empty message in its place takes the whole
device away. Source: Home Assistant's documentation of MQTT discovery, device discovery payload.
"""

import json
from typing import Any

from runtime import __version__
from runtime.contracts import messages as m
from runtime.contracts.topics import full_topic

PREFIX = "homeassistant"
Entity = dict[str, Any]

_ALIVE = "{{ 'online' if value_json.alive else 'offline' }}"
_TRUE = "{{{{ 'ON' if {} else 'OFF' }}}}"
_OFFERED = "{{ (value_json.offered or value_json.serving or {}).get('sha256', '')[:12] }}"
DIAGNOSTIC = {"entity_category": "diagnostic"}

# name, topic, template, more
SENSORS: tuple[tuple[str, str, str, Entity], ...] = (
    ("Mood", "state/mind", "value_json.mood", {"icon": "mdi:emoticon-outline"}),
    ("Of its own will", "state/mind", "value_json.doing", {"icon": "mdi:paw"}),
    ("Movement", "state/body", "value_json.activity or 'none'", {"icon": "mdi:dog-side"}),
    ("Body", "state/body", "value_json.mcu_state or 'silent'", {"icon": "mdi:robot-outline"}),
    (
        "Battery voltage",
        "tele/link",
        "(value_json.supply_mv / 1000) | round(2) if value_json.supply_mv else None",
        {"device_class": "voltage", "unit_of_measurement": "V", "state_class": "measurement"},
    ),
    (
        "Temperature",
        "tele/link",
        "value_json.temperature_c",
        {"device_class": "temperature", "unit_of_measurement": "°C", "state_class": "measurement"},
    ),
    (
        "Words to motion",
        "tele/latency",
        "value_json.stages.motion.p50_ms if value_json.stages.motion is defined else None",
        {"unit_of_measurement": "ms", "state_class": "measurement", **DIAGNOSTIC},
    ),
    (
        "Processor",
        "tele/host",
        "value_json.cpu_percent",
        {"unit_of_measurement": "%", "state_class": "measurement", **DIAGNOSTIC},
    ),
    (
        "Memory",
        "tele/host",
        "value_json.mind_memory_mb",
        {
            "device_class": "data_size",
            "unit_of_measurement": "MB",
            "state_class": "measurement",
            **DIAGNOSTIC,
        },
    ),
)
BINARY: tuple[tuple[str, str, str, Entity], ...] = (
    (
        "Fault",
        "state/body",
        "value_json.fault != '' or value_json.mcu_state == 'FAULT'",
        {"device_class": "problem"},
    ),
    ("Moving", "state/body", "value_json.activity != ''", {"device_class": "moving"}),
    ("Touched", "state/body", "value_json.touched > 0", {"device_class": "occupancy"}),
    ("Lifted", "state/body", "value_json.lifted", {}),
    ("Awake", "state/mind", "value_json.awake", {}),
)
BUTTONS: tuple[tuple[str, str, Entity, str], ...] = (
    ("Hold still", "request/halt", {}, "mdi:hand-back-right"),
    ("Sit", "request/skill", {"skill": "sit"}, "mdi:dog"),
    ("Sleep", "request/skill", {"skill": "sleep"}, "mdi:sleep"),
    ("Wake up", "request/skill", {"skill": "wake_up"}, "mdi:weather-sunny"),
)


def topic(robot: str) -> str:
    """Where Home Assistant looks for the device."""
    return f"{PREFIX}/device/everpaw_{robot}/config"


def payload(robot: str, meta: m.RobotMeta) -> bytes:
    """The whole device as JSON."""
    parts = [*_sensors(robot), *_binary(robot), *_buttons(robot, meta), *_controls(robot, meta)]
    device = {
        "identifiers": [f"everpaw_{robot}"],
        "name": meta.pack_name,
        "manufacturer": "everpaw",
        "model": meta.pack_name,
        "sw_version": meta.runtime_version,
    }
    told = {
        "device": device,
        "origin": {"name": "everpaw", "sw_version": __version__},
        "availability": [
            {"topic": full_topic(robot, name), "value_template": _ALIVE}
            for name in ("state/bridge", "state/runtime")
        ],
        "availability_mode": "all",
        "qos": 1,
        "components": {part["unique_id"].removeprefix(f"everpaw_{robot}_"): part for part in parts},
    }
    return json.dumps(told, ensure_ascii=False).encode()


def _entity(robot: str, platform: str, name: str, **fields: Any) -> Entity:
    key = name.lower().replace(" ", "_")
    return {"platform": platform, "unique_id": f"everpaw_{robot}_{key}", "name": name, **fields}


def _sensors(robot: str) -> list[Entity]:
    found = [
        _entity(
            robot, "sensor", name, state_topic=full_topic(robot, t), value_template=f"{{{{ {v} }}}}", **more
        )
        for name, t, v, more in SENSORS
    ]
    # The posture of the twin, joint by joint, while somebody looks.
    joints = full_topic(robot, "tele/joints")
    template = "{{ value_json.joints_deg | count }}"
    attributes = {
        "json_attributes_topic": joints,
        "json_attributes_template": "{{ value_json.joints_deg | tojson }}",
    }
    posture = _entity(robot, "sensor", "Twin", state_topic=joints, value_template=template, **attributes)
    return [*found, posture | {"icon": "mdi:rotate-3d-variant", **DIAGNOSTIC}]


def _binary(robot: str) -> list[Entity]:
    return [
        _entity(
            robot,
            "binary_sensor",
            name,
            state_topic=full_topic(robot, t),
            value_template=_TRUE.format(test),
            **more,
        )
        for name, t, test, more in BINARY
    ]


def _buttons(robot: str, meta: m.RobotMeta) -> list[Entity]:
    return [
        _entity(
            robot,
            "button",
            name,
            command_topic=full_topic(robot, t),
            payload_press=_request(**fields),
            icon=icon,
        )
        for name, t, fields, icon in BUTTONS
        if fields.get("skill", "") in ("", *meta.skills)
    ]


def _request(**fields: Any) -> str:
    return json.dumps({"id": "home-assistant", "source": "button", **fields})


def _control(robot: str, platform: str, name: str, topic: str, field: str, **more: Any) -> Entity:
    """It asks for `topic` with what Home Assistant was given as `field`."""
    template = f'{_request()[:-1]}, "{field}": {{{{ value | tojson }}}}}}'
    command = {"command_topic": full_topic(robot, topic), "command_template": template}
    return _entity(robot, platform, name, **command, **more)


def _controls(robot: str, meta: m.RobotMeta) -> list[Entity]:
    privacy = full_topic(robot, "state/privacy")
    skills = {"options": sorted(meta.skills), "icon": "mdi:dog-service"}
    volume = {"state_topic": privacy, "value_template": "{{ value_json.volume }}"}
    mute = _entity(
        robot,
        "switch",
        "Microphone muted",
        command_topic=full_topic(robot, "request/mute"),
        payload_on=_request(muted=True),
        payload_off=_request(muted=False),
        state_topic=privacy,
        value_template="{{ 'on' if value_json.muted else 'off' }}",
        state_on="on",
        state_off="off",
    )
    return [
        _control(robot, "select", "Skill", "request/skill", "skill", **skills),
        _control(robot, "text", "Say", "request/say", "text", min=1, max=200),
        _control(robot, "number", "Volume", "request/volume", "level", **volume, min=0, max=1, step=0.05),
        mute,
        _update(robot),
    ]


def _update(robot: str) -> Entity:
    """Which pack serves, and which one is offered; installing it is for the owner's page alone."""
    offered = full_topic(robot, "state/update")
    return _entity(
        robot,
        "update",
        "Pack",
        state_topic=full_topic(robot, "meta/robot"),
        value_template="{{ value_json.pack_sha256[:12] }}",
        latest_version_topic=offered,
        latest_version_template=_OFFERED,
        title="everpaw pack",
    )
