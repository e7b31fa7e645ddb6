"""What the world is told: each command's fate on `ack/command`, what happened to safety on `event/safety`."""

from firmware_bridge.gatekeeper import Verdict
from firmware_bridge.telemetry import Publisher
from runtime.contracts import messages as m


class Answers:
    def __init__(self, bus: Publisher) -> None:
        self._bus = bus

    def ack(self, verdict: Verdict, status: m.AckStatus, now_ms: int, reason: str = "") -> None:
        self.tell(m.Ack(id=verdict.command_id, act=verdict.act, status=status, reason=reason, mono_ms=now_ms))

    def tell(self, ack: m.Ack) -> None:
        self._bus.publish("ack/command", ack)

    def event(self, kind: str, detail: str, now_ms: int) -> None:
        event = {"kind": kind, "detail": detail, "mono_ms": now_ms}
        self._bus.publish("event/safety", m.SafetyEvent.model_validate(event))
