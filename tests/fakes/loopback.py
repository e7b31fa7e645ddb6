"""The loopback bus of the rehearsals, with a memory of what was sent."""

from runtime import loopback
from runtime.contracts import messages as m
from runtime.loopback import WillingBridge

__all__ = ["LoopbackBus", "WillingBridge"]


class LoopbackBus(loopback.LoopbackBus):
    def __init__(self) -> None:
        super().__init__()
        self.sent: list[tuple[str, m.Message]] = []

    def publish(self, name: str, message: m.Message) -> bool:
        self.sent.append((name, message))
        return super().publish(name, message)

    def of(self, name: str) -> list[m.Message]:
        return [message for sent, message in self.sent if sent == name]
