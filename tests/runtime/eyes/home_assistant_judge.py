"""Runs where Home Assistant is installed: its own schema for each entity, its own templates for ours.

Releases before the device form know entities one by one, so each gets what the device form shares among all.
"""

import asyncio
import importlib
import json
import sys
from pathlib import Path

from homeassistant.core import HomeAssistant
from homeassistant.helpers.template import Template

SHARED = ("device", "availability", "availability_mode", "qos")


async def judge(file: str) -> dict[str, object]:
    job = json.loads(Path(file).read_text())
    device, states = job["device"], job["states"]
    hass = HomeAssistant("/tmp")
    taken, values, commands = [], {}, {}
    for key, entity in device["components"].items():
        own = {name: value for name, value in entity.items() if name != "platform"}
        shared = {
            name: device[name] for name in SHARED if not (name == "qos" and entity["platform"] == "update")
        }
        module = importlib.import_module(f"homeassistant.components.mqtt.{entity['platform']}")
        module.DISCOVERY_SCHEMA({**shared, **own})
        taken.append(key)
        name = "/".join(entity.get("state_topic", "").split("/")[-2:])
        if name in states:
            variables = {"value_json": states[name], "value": json.dumps(states[name])}
            values[key] = Template(entity["value_template"], hass).async_render(variables, parse_result=False)
        if "command_template" in entity:
            template = Template(entity["command_template"], hass)
            commands[key] = template.async_render({"value": 'a "word"'}, parse_result=False)
    await hass.async_stop(force=True)
    return {"taken": taken, "values": values, "commands": commands}


print(json.dumps(asyncio.run(judge(sys.argv[1]))))
