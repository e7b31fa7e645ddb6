"""A bus inside one process, and a body that takes every command: for rehearsals without broker and bridge."""

from collections import defaultdict
from collections.abc import Callable

from runtime.body import mono_ms
from runtime.bus import Delivery
from runtime.contracts import messages as m
from runtime.contracts.topics import TOPICS, encode


class LoopbackBus:
    """`publish` calls the subscribers at once, on the caller's thread."""

    def __init__(self) -> None:
        self._callbacks: dict[str, list[Callable[[Delivery], None]]] = defaultdict(list)

    def publish(self, name: str, message: m.Message) -> bool:
        row = TOPICS[name]
        if type(message) is not row.model:
            raise TypeError(f"{name} carries {row.model.__name__}, not {type(message).__name__}")
        delivery = Delivery("buddy", name, encode(message), False, row.qos, False)
        for callback in [*self._callbacks[name], *self._callbacks[row.kind]]:
            callback(delivery)
        return True

    def subscribe(self, pattern: str, callback: Callable[[Delivery], None]) -> None:
        self._callbacks[pattern].append(callback)


class WillingBridge:
    """Takes every command; `refuse` makes it reject instead."""

    def __init__(self, bus: LoopbackBus) -> None:
        self._bus = bus
        self.refuse = ""
        bus.subscribe("cmnd", self._on_command)

    def wake(self) -> None:
        self._bus.publish("state/clock", m.Clock(boot_id="b1", mono_ms=mono_ms()))
        self._bus.publish("state/body", m.BodyState(mcu_alive=True, mcu_state="ARMED"))

    def _on_command(self, delivery: Delivery) -> None:
        act = delivery.name.partition("/")[2]
        if act == "lease":
            return
        command = TOPICS[delivery.name].model.model_validate_json(delivery.payload)
        assert isinstance(command, m.Command)
        for status in ("rejected",) if self.refuse else ("accepted", "started", "done"):
            ack = m.Ack(id=command.id, act=act, status=status, reason=self.refuse, mono_ms=mono_ms())
            self._bus.publish("ack/command", ack)
