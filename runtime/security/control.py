"""Tells a running mosquitto of a change: roles by its control topic, certificates by SIGHUP.

A client that is only disabled goes on where certificates name the users, so whoever is taken back is deleted.
"""

import json
import os
import queue
import signal
import ssl
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from runtime.contracts.errors import BusError, TrustError
from runtime.contracts.topics import PREFIX
from runtime.security import bundle, mosquitto, roles
from runtime.security.house import CLIENTS, KEEPER, House
from runtime.security.register import Issued

ANSWER_S = 3.0
QUIET_S = 0.5
_ABSENT = ("not found", "already exists")
Order = dict[str, Any]


def entered(row: Issued) -> list[Order]:
    """`row` may connect from this moment; whoever is there under its name is sent away."""
    return [
        *gone(row),
        {"command": "createRole", **roles.role(row.name, row.kind, row.robots)},
        {"command": "createClient", **roles.client(row.name)},
    ]


def gone(row: Issued) -> list[Order]:
    """`row` is sent away and has no rights."""
    return [
        {"command": "deleteClient", "username": row.name},
        {"command": "deleteRole", "rolename": row.name},
    ]


def tell(house: House, orders: Iterable[Order]) -> bool:
    """Carry out `orders` on the broker that runs; False where none does, and the files are all there is.

    BusError where it answers that an order failed.
    """
    reread(house.folder)
    listed = list(orders)
    try:
        answers = _ask(house, listed)
    except (OSError, queue.Empty):
        return False
    for answer in answers:
        why = str(answer.get("error", ""))
        if why and not any(absent in why for absent in _ABSENT):
            raise BusError(f"the broker did not carry out {answer.get('command')} ({why}); restart it")
    return True


def _ask(house: House, orders: list[Order]) -> list[Order]:
    heard: queue.Queue[list[Order]] = queue.Queue()
    client = Client(CallbackAPIVersion.VERSION2, client_id=f"everpaw-{KEEPER}-{os.getpid()}")
    client.tls_set_context(bundle.context(house.folder / CLIENTS / KEEPER))
    topic = roles.CONTROL
    client.on_connect = lambda c, *_: c.subscribe(f"{topic}/response")
    client.on_subscribe = lambda c, *_: c.publish(topic, json.dumps({"commands": orders}))
    client.on_message = lambda _c, _d, message: heard.put(json.loads(message.payload)["responses"])
    client.connect_timeout = ANSWER_S
    client.connect(house.register.here, house.register.port)
    client.loop_start()
    try:
        return heard.get(timeout=ANSWER_S)
    finally:
        client.disconnect()
        with suppress(ValueError):
            client.loop_stop()


def forget(robot: str, host: str, port: int, tls: ssl.SSLContext | None = None) -> int:
    """Take back every retained message of `robot`, also for Home Assistant; how many there were.

    BusError where no broker answers.
    """
    patterns = [(f"{PREFIX}/{robot}/#", 1), (roles.discovery(robot), 1)]
    heard: queue.Queue[str | None] = queue.Queue()
    client = Client(CallbackAPIVersion.VERSION2, client_id=f"everpaw-{KEEPER}-{os.getpid()}")
    if tls is not None:
        client.tls_set_context(tls)
    client.on_connect = lambda c, *_: c.subscribe(patterns)
    client.on_subscribe = lambda *_: heard.put(None)
    client.on_message = lambda _c, _d, message: heard.put(message.topic if message.retain else None)
    client.connect_timeout = ANSWER_S
    try:
        client.connect(host, port)
    except OSError as error:
        raise BusError(f"no broker answers at {host}:{port} ({error})") from error
    client.loop_start()
    try:
        topics = set(_retained(heard))
        for gone in [client.publish(topic, b"", 1, retain=True) for topic in topics]:
            gone.wait_for_publish(ANSWER_S)
        return len(topics)
    finally:
        client.disconnect()
        client.loop_stop()


def _retained(heard: "queue.Queue[str | None]") -> Iterator[str]:
    """Topics, until none came for a moment: a broker sends what is retained right after it subscribed us."""
    wait_s = ANSWER_S
    with suppress(queue.Empty):
        while True:
            topic = heard.get(timeout=wait_s)
            wait_s = QUIET_S
            if topic is not None:
                yield topic


def reread(folder: Path) -> bool:
    """Let the mosquitto that runs with this folder's configuration read its certificates again."""
    try:
        pid = int((folder / mosquitto.PID).read_text())
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError):
        return False
    # A number that a dead broker left may be another program's by now.
    if str((folder / mosquitto.CONFIG).resolve()).encode() not in words:
        return False
    try:
        os.kill(pid, signal.SIGHUP)
    except (PermissionError, ProcessLookupError) as error:
        raise TrustError(f"the broker (process {pid}) cannot be told; type: kill -HUP {pid}") from error
    return True
