"""A real mosquitto with a house's configuration, and raw clients of it."""

import shutil
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty, Queue

from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from runtime.broker import find_broker
from runtime.security import bundle
from runtime.security.house import CLIENTS, KEEPER, House
from runtime.security.register import Register

MOSQUITTO = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin")
TAKEN, UNHEARD, NOT_AUTHORISED = 0, 16, 135
"""Reason codes of MQTT 5; UNHEARD: taken, and nobody is subscribed"""
NOW = datetime.now(UTC)


def make_house(folder: Path, port: int, *robots: str) -> House:
    house = House.make(folder, Register(port=port), NOW)
    for robot in robots:
        house.issue(robot, "robot", (robot,), NOW)
    return house


@contextmanager
def running(house: House) -> Iterator[None]:
    assert MOSQUITTO is not None
    command = [MOSQUITTO, "-c", str(house.folder / "mosquitto.conf")]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            keeper = bundle.context(house.folder / CLIENTS / KEEPER)
            give_up_s = time.monotonic() + 15
            while find_broker(port=house.register.port, tls=keeper) is None:
                assert process.poll() is None, "mosquitto ended"
                assert time.monotonic() < give_up_s, "mosquitto does not answer"
                time.sleep(0.05)
            yield
        finally:
            process.terminate()


class Peer:
    """A client that keeps what it was told: reason codes of MQTT 5, and what was delivered."""

    def __init__(self, tls: ssl.SSLContext, port: int, will: str = "") -> None:
        self.heard: Queue[tuple[str, bytes]] = Queue()
        self.codes: Queue[int] = Queue()
        self.gone = Queue[bool]()
        self.client = Client(CallbackAPIVersion.VERSION2, client_id=f"peer-{id(self)}", protocol=MQTTv5)
        self.client.tls_set_context(tls)
        if will:
            self.client.will_set(will, b"gone", 1)
        self.client.on_message = lambda _c, _d, m: self.heard.put((m.topic, m.payload))
        self.client.on_connect = lambda _c, _d, _f, code, _p: self.codes.put(code.value)
        self.client.on_subscribe = lambda _c, _d, _m, codes, _p: self.codes.put(codes[0].value)
        self.client.on_publish = lambda _c, _d, _m, code, _p: self.codes.put(code.value)
        self.client.on_disconnect = lambda *_: self.gone.put(True)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        assert self.codes.get(timeout=5) == 0

    def subscribe(self, pattern: str) -> int:
        self.client.subscribe(pattern, 1)
        return self.codes.get(timeout=5)

    def publish(self, topic: str, payload: bytes = b"x", *, retain: bool = False) -> int:
        self.client.publish(topic, payload, 1, retain)
        return self.codes.get(timeout=5)

    def next(self, timeout_s: float = 5.0) -> tuple[str, bytes] | None:
        try:
            return self.heard.get(timeout=timeout_s)
        except Empty:
            return None

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()
