"""A mind and a page in one, beside a broker, the bridge and the simulated board as processes."""

import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from runtime import starter
from runtime.broker import Broker
from runtime.bus import Bus, Delivery, decode
from runtime.contracts import messages as m
from runtime.contracts.topics import TOPICS

PACK = Path(starter.__file__).parent
TRIES = 5
PATIENCE_S = 20.0
FINAL = {"done", "rejected", "expired", "preempted", "failed"}


class Owner:
    """Renews the lease from a process of its own, commands, and remembers; `cable` may stand between."""

    def __init__(self, broker: Broker, folder: Path, stack: ExitStack) -> None:
        self._stack, self._broker, self._folder = stack, broker, folder
        self.port, self.log = folder / "mcu", folder / "mcu.log"
        self.sim = self._start("firmware_bridge.sim", "--link", str(self.port), "--log", str(self.log))
        self.wait(self.port.exists)
        self.host_port = self.cable()
        self.acks: list[m.Ack] = []
        self.events: list[m.SafetyEvent] = []
        self.joints: list[dict[str, float]] = []
        self.clock: m.Clock | None = None
        self.body: m.BodyState | None = None
        self.alive: bool | None = None
        self.ahead_ms = 0
        """How far the robot's clock is ahead of ours"""
        self.bus = stack.enter_context(Bus("rex", broker.host, broker.port))
        for name in (
            "ack/command",
            "event/safety",
            "tele/joints",
            "state/clock",
            "state/body",
            "state/bridge",
        ):
            self.bus.subscribe(name, self._on_message)
        self.bridge = self.start_bridge("--arm")

    def cable(self) -> Path:
        """The port that the bridge opens."""
        return self.port

    def start_bridge(self, *args: str) -> subprocess.Popen[bytes]:
        self.clock = self.body = self.alive = None
        address = f"{self._broker.host}:{self._broker.port}"
        words = (
            "--robot-id",
            "rex",
            "--broker",
            address,
            "--port",
            str(self.host_port),
            "--pack",
            str(PACK),
            *args,
        )
        process = self._start("firmware_bridge.bridge", *words)
        self.wait(lambda: self.clock is not None and self.alive is True and self.body is not None)
        return process

    def start_lease(self) -> None:
        assert self.clock is not None
        words = (f"{self._broker.host}:{self._broker.port}", self.clock.boot_id, str(self.ahead_ms))
        self.lease = self._start("tests.firmware_bridge.lease", *words, said=self._folder / "lease")
        self.wait(lambda: (self._folder / "lease").stat().st_size)

    def end_lease(self) -> None:
        self.lease.kill()
        self.lease.wait()

    def _start(self, module: str, *args: str, said: Path | None = None) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", module, *args]
        with (said or Path(os.devnull)).open("wb") as output:
            process = subprocess.Popen(command, stdout=output, start_new_session=True)
        self._stack.callback(_end, process)
        return process

    def _on_message(self, delivery: Delivery) -> None:
        match decode(delivery, TOPICS[delivery.name].model):
            case m.Ack() as ack:
                self.acks.append(ack)
            case m.SafetyEvent() as event:
                self.events.append(event)
            case m.JointsTelemetry() as sample:
                self.joints.append(sample.joints_deg)
            case m.Clock() as clock:
                self.clock = clock
            case m.BodyState() as body:
                self.body = body
            case m.Presence() as presence:
                self.alive = presence.alive

    def wait(self, true: Callable[[], Any], timeout_s: float = PATIENCE_S) -> None:
        give_up_s = time.monotonic() + timeout_s
        while not true():
            assert time.monotonic() < give_up_s, (self.__dict__.get("acks"), self.__dict__.get("body"))
            time.sleep(0.01)

    def wait_state(self, state: str) -> None:
        self.wait(lambda: self.body is not None and self.body.mcu_state == state)

    def send(self, name: str, model: type[m.Command], source: m.Source = "mind", **fields: Any) -> str:
        assert self.clock is not None
        command_id = uuid.uuid4().hex
        command = model(
            id=command_id,
            boot_id=self.clock.boot_id,
            issued_at_ms=time.monotonic_ns() // 1_000_000 + self.ahead_ms,
            ttl_ms=5_000,
            source=source,
            **fields,
        )
        self.bus.publish(name, command)
        return command_id

    def raw(self, name: str, payload: bytes, *, retain: bool = False) -> None:
        self.bus._client.publish(f"everpaw/v1/rex/{name}", payload, 1, retain)

    def statuses(self, command_id: str) -> list[str]:
        return [ack.status for ack in self.acks if ack.id == command_id]

    def reason(self, command_id: str) -> str:
        return [ack.reason for ack in self.acks if ack.id == command_id][-1]

    def ended(self, command_id: str) -> str:
        self.wait(lambda: FINAL & set(self.statuses(command_id)))
        return self.statuses(command_id)[-1]

    def arm(self) -> None:
        assert self.ended(self.send("cmnd/arm", m.ArmCommand, "page")) == "done"
        self.wait_state("ARMED")

    def do(self, name: str, model: type[m.Command], until: set[str], **fields: Any) -> str:
        """Command until it comes to `until`, arming again where a busy machine let the body stop."""
        for _ in range(TRIES):
            if self.body is None or self.body.mcu_state != "ARMED":
                self.wait_state("DISARMED")
                self.arm()
            command_id = self.send(name, model, **fields)
            self.wait(lambda found=command_id: (until | FINAL) & set(self.statuses(found)))  # type: ignore[misc]
            if until & set(self.statuses(command_id)):
                return command_id
            time.sleep(0.2)
        raise AssertionError(self.acks[-5:])

    def board(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
