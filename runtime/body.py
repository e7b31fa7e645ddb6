"""The mind's hand on the body: stamps commands, renews the lease, follows what became of each command.

The lease thread asks `healthy` before every renewal, so a frozen mind stops the robot like a dead one.
Mind and bridge live on one machine and share its monotonic clock; the boot id comes from `state/clock`.
"""

import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from runtime.bus import Bus, Delivery, decode
from runtime.contracts import messages as m
from runtime.contracts.errors import BusError
from runtime.life.colour import PLAIN, Bearing, Colour

LEASE_PERIOD_S = 0.1
LEASE_TTL_MS = 250
COMMAND_TTL_MS = 1_000
FINAL = frozenset({"done", "rejected", "expired", "preempted", "failed"})
_REMEMBERED = 256


def mono_ms() -> int:
    """Milliseconds of this machine's monotonic clock: the robot's time."""
    return time.monotonic_ns() // 1_000_000


class Body:
    """Commands out, acknowledgements in. Thread-safe."""

    def __init__(self, bus: Bus, *, source: m.Source = "mind") -> None:
        self._bus = bus
        self._source = source
        self._healthy: Callable[[], bool] = lambda: False
        self._boot_id = ""
        self._acks: OrderedDict[str, list[m.Ack]] = OrderedDict()
        self._changed = threading.Condition()
        self._ended = threading.Event()
        self.state = m.BodyState(mcu_alive=False, mcu_state=None)
        self.colour: Callable[[], Colour] = lambda: PLAIN
        """How movements look in the mood of the moment"""
        bus.subscribe("state/clock", self._on_clock)
        bus.subscribe("state/body", self._on_state)
        bus.subscribe("ack/command", self._on_ack)
        self._lease = threading.Thread(target=self._renew, name="lease", daemon=True)

    def wait_until_ready(self, timeout_s: float, *, armed: bool = False) -> None:
        """Until the bridge's clock is known (and the body armed), else BusError."""

        def ready() -> bool:
            return bool(self._boot_id) and (not armed or self.state.mcu_state == "ARMED")

        with self._changed:
            if not self._changed.wait_for(ready, timeout_s):
                raise BusError(
                    f"no {'armed ' if armed else ''}body answered in {timeout_s:.0f} s "
                    f"(microcontroller: {self.state.mcu_state or 'silent'}); is `everpaw bridge` running?"
                )

    def start_lease(self, healthy: Callable[[], bool]) -> None:
        """Renew the lease from here on, as long as `healthy` says so."""
        self._healthy = healthy
        self._lease.start()

    @property
    def boot_id(self) -> str:
        """Of the bridge that listens; empty before it was heard."""
        return self._boot_id

    def skill(self, skill: str, speed: float = 1.0, *, own_will: bool = False) -> str:
        """Command a movement by name, in the mood's colour; returns the command's id."""
        colour, source = self.colour(), self._who(own_will)
        speed = _within_contract(speed * colour.speed)
        return self._command(
            m.SkillCommand, "cmnd/skill", skill=skill, speed=speed, amplitude=colour.amplitude, source=source
        )

    def gait(
        self,
        gait: str,
        *,
        turn: float = 0.0,
        speed: float = 1.0,
        duration_ms: int = 3_000,
        own_will: bool = False,
    ) -> str:
        return self._command(
            m.GaitCommand,
            "cmnd/gait",
            gait=gait,
            turn=turn,
            speed=_within_contract(speed * self.colour().speed),
            duration_ms=duration_ms,
            source=self._who(own_will),
        )

    def idle(
        self, enabled: bool, *, listening: bool = False, bearing: Bearing | None = None, seed: int = 0
    ) -> str:
        """How the small movements look from here on."""
        how: dict[str, Any] = {"enabled": enabled, "listening": listening, "seed": seed}
        how |= asdict(bearing) if bearing else {}
        return self._command(m.IdleCommand, "cmnd/idle", source=self._who(True), **how)

    def _who(self, own_will: bool) -> m.Source:
        return "autonomy" if own_will else self._source

    def halt(self, reason: str) -> str:
        """Hold at once and forget the queue; the body stays armed."""
        return self._command(m.HaltCommand, "cmnd/halt", reason=reason)

    def stop(self, reason: str) -> str:
        """Latch a fault: only the page, a button or `--arm` brings the body back."""
        return self._command(m.StopCommand, "cmnd/stop", reason=reason)

    def arm(self, source: m.Source) -> str:
        """Allow movement; `source` must be a hand: page, button or cli. The bridge refuses all others."""
        return self._command(m.ArmCommand, "cmnd/arm", source=source)

    def wait(self, command_id: str, statuses: frozenset[str], timeout_s: float) -> m.Ack | None:
        """The first acknowledgement with one of `statuses`, or None when none came in time."""

        def find() -> m.Ack | None:
            return next((a for a in self._acks.get(command_id, []) if a.status in statuses), None)

        with self._changed:
            self._changed.wait_for(lambda: find() is not None, timeout_s)
            return find()

    def close(self) -> None:
        self._ended.set()
        if self._lease.is_alive():
            self._lease.join(timeout=1)

    def _command(
        self, model: type[m.Command], topic: str, ttl_ms: int = COMMAND_TTL_MS, **fields: Any
    ) -> str:
        stamp: dict[str, Any] = {
            "id": uuid.uuid4().hex,
            "boot_id": self._boot_id or "unknown",
            "issued_at_ms": mono_ms(),
            "ttl_ms": ttl_ms,
            "source": self._source,
        }
        command = model(**(stamp | fields))
        with self._changed:
            self._acks[command.id] = []
            while len(self._acks) > _REMEMBERED:
                self._acks.popitem(last=False)
        self._bus.publish(topic, command)
        return command.id

    def _renew(self) -> None:
        while not self._ended.wait(LEASE_PERIOD_S):
            if self._boot_id and self._healthy():
                lease = m.LeaseCommand(
                    id=uuid.uuid4().hex,
                    boot_id=self._boot_id,
                    issued_at_ms=mono_ms(),
                    ttl_ms=LEASE_TTL_MS,
                    source=self._source,
                )
                self._bus.publish("cmnd/lease", lease)

    def _on_clock(self, delivery: Delivery) -> None:
        clock = decode(delivery, m.Clock)
        with self._changed:
            self._boot_id = clock.boot_id
            self._changed.notify_all()

    def _on_state(self, delivery: Delivery) -> None:
        state = decode(delivery, m.BodyState)
        with self._changed:
            self.state = state
            self._changed.notify_all()

    def _on_ack(self, delivery: Delivery) -> None:
        ack = decode(delivery, m.Ack)
        with self._changed:
            if ack.id in self._acks:
                self._acks[ack.id].append(ack)
                self._changed.notify_all()


def _within_contract(speed: float) -> float:
    return min(max(speed, 0.25), 2.0)
