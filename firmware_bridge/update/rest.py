"""Is the robot at rest, and does its battery hold out? Asked of its own MQTT topics.

Without a broker or a bridge nothing can move: the board disarms itself when setpoints fail to come.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from firmware_bridge.update.charge import charge_percent
from runtime.bus import Delivery, decode
from runtime.contracts import messages as m
from runtime.contracts.errors import MessageError

ASK_S = 2.5
"""`tele/link` comes once a second"""
_MODELS: dict[str, type[m.Message]] = {
    "state/bridge": m.Presence,
    "state/body": m.BodyState,
    "tele/link": m.LinkTelemetry,
    "meta/robot": m.RobotMeta,
}


@dataclass(frozen=True, slots=True)
class Rest:
    """`reason` says why not to switch now; empty where it may be done."""

    reason: str = ""
    remark: str = ""


class Watch:
    """The newest of what the robot says of itself; subscribe its `take` to the names in `names`."""

    names = tuple(_MODELS)

    def __init__(self, cells: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._cells = cells
        self._clock = clock
        self._seen: dict[str, m.Message] = {}

    def take(self, delivery: Delivery) -> None:
        try:
            self._seen[delivery.name] = decode(delivery, _MODELS[delivery.name])
        except (MessageError, KeyError):
            return

    @property
    def pack_sha256(self) -> str:
        """Of the pack that the mind says it runs; empty where it has said nothing."""
        meta = self._seen.get("meta/robot")
        return meta.pack_sha256 if isinstance(meta, m.RobotMeta) else ""

    def wait(self, true: Callable[[], bool], timeout_s: float) -> bool:
        give_up_s = self._clock() + timeout_s
        while not true():
            if self._clock() > give_up_s:
                return False
            time.sleep(0.05)
        return True

    def ask(self, least_percent: int) -> Rest:
        """Wait for word of body and battery, then judge."""
        self.wait(lambda: {"state/body", "tele/link"} <= self._seen.keys(), ASK_S)
        bridge, body = self._seen.get("state/bridge"), self._seen.get("state/body")
        if not isinstance(bridge, m.Presence) or not bridge.alive or not isinstance(body, m.BodyState):
            return Rest(remark="no bridge is there, so nothing can move")
        if body.mcu_alive and body.mcu_state != "DISARMED":
            return Rest(f"the board is {body.mcu_state}; disarm it and let it rest")
        if body.activity:
            return Rest(f"it is busy with {body.activity!r}")
        return self._battery(least_percent)

    def _battery(self, least_percent: int) -> Rest:
        link = self._seen.get("tele/link")
        if not isinstance(link, m.LinkTelemetry) or link.supply_mv is None:
            return Rest(remark="the battery is not measured")
        percent = charge_percent(link.supply_mv / self._cells)
        if percent < least_percent:
            return Rest(f"the battery holds {percent} %, less than {least_percent} %; charge it")
        return Rest(remark=f"the battery holds {percent} %")
