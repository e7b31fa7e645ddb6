"""Runs where Home Assistant (2025 or newer) is installed: its own core and MQTT integration on a real broker.

Each line on stdin is a JSON list: ["look"] or ["do", domain, service, data]. The answer is a line: devices,
states by entity, entities by unique id. Nothing is installed, and its web server is on the loopback.
"""

import asyncio
import json
import sys
import tempfile
from pathlib import Path
from types import MappingProxyType

from homeassistant import auth, bootstrap, config_entries, loader
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.helpers import device_registry, entity_registry
from homeassistant.setup import async_setup_component


async def moved_in(folder: Path, broker: int, web: int) -> HomeAssistant:
    (folder / "configuration.yaml").touch()
    hass = HomeAssistant(str(folder))
    hass.config.skip_pip = True
    loader.async_setup(hass)
    hass.config_entries = config_entries.ConfigEntries(hass, {})
    await bootstrap.async_load_base_functionality(hass)
    hass.auth = await auth.auth_manager_from_config(hass, [{"type": "homeassistant"}], [])
    hass.set_state(CoreState.running)
    await async_setup_component(hass, "http", {"http": {"server_host": "127.0.0.1", "server_port": web}})
    entry = config_entries.ConfigEntry(
        version=1,
        minor_version=2,
        domain="mqtt",
        title="MQTT",
        source="user",
        unique_id=None,
        options={},
        data={"broker": "127.0.0.1", "port": broker},
        discovery_keys=MappingProxyType({}),
        subentries_data=None,
    )
    await hass.config_entries.async_add(entry)
    return hass


async def live(broker: int, web: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        hass = await moved_in(Path(folder), broker, web)
        loop = asyncio.get_running_loop()
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            what, *rest = json.loads(line)
            if what == "do":
                domain, service, data = rest
                await hass.services.async_call(domain, service, data, blocking=True)
            entities = entity_registry.async_get(hass).entities.values()
            seen = {
                "devices": [device.name for device in device_registry.async_get(hass).devices.values()],
                "states": {state.entity_id: state.state for state in hass.states.async_all()},
                "entities": {entity.unique_id: entity.entity_id for entity in entities},
            }
            print(json.dumps(seen), flush=True)
        await hass.async_stop(force=True)


asyncio.run(live(int(sys.argv[1]), int(sys.argv[2])))
