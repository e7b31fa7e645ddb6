"""Who reads what of a robot's topics: deliveries, and the subscriptions that ask a broker for them."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from runtime.contracts import topics
from runtime.contracts.errors import MessageError
from runtime.contracts.messages import Message

log = logging.getLogger(__name__)
M = TypeVar("M", bound=Message)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message as it came from the wire; the payload is raw, so that its reader may judge broken ones."""

    robot_id: str
    name: str
    """Kind and name, as in `cmnd/skill`; who subscribed to a whole kind may get a name of no registry"""
    payload: bytes
    retained: bool
    qos: int
    duplicate: bool


Callback = Callable[[Delivery], None]


def decode(delivery: Delivery, model: type[M]) -> M:
    """The payload as `model`; MessageError where it is not one."""
    row = topics.TOPICS.get(delivery.name)
    if row is None or row.model is not model:
        expected = row.model.__name__ if row else "nothing known"
        raise MessageError(f"{delivery.name} carries {expected}, not {model.__name__}; ask for {expected}")
    return topics.decode(model, delivery.payload)


class Subscriptions:
    """Readers of the topics of `robot`, "+" for all robots. May be used from any thread."""

    def __init__(self, robot: str) -> None:
        self._robot = robot
        self._callbacks: dict[str, list[Callback]] = {}
        self._lock = threading.Lock()

    def add(self, pattern: str, callback: Callback) -> list[str]:
        """Filters that a whole kind makes needless. MessageError for neither a topic nor a kind."""
        if pattern not in topics.TOPICS and pattern not in {row.kind for row in topics.TOPICS.values()}:
            raise MessageError(
                f"{pattern!r} is neither a topic nor a kind of the registry; see contracts/topics.py"
            )
        with self._lock:
            self._callbacks.setdefault(pattern, []).append(callback)
            return [self._filter(name) for name in self._callbacks if name.startswith(f"{pattern}/")]

    def filters(self) -> list[tuple[str, int]]:
        """(filter, QoS) of all; never none, as the broker's answer tells when a connection is ready."""
        with self._lock:
            patterns = set(self._callbacks)
        # A name is left out where its whole kind is subscribed: brokers may deliver overlaps twice.
        names = [
            f"{p}/+" if "/" not in p else p
            for p in patterns
            if p.split("/")[0] not in patterns or "/" not in p
        ]
        return [(self._filter(n), 1) for n in sorted(names) or ["meta/robot"]]

    def deliver(self, delivery: Delivery) -> None:
        """Hand it to its readers; one that fails is logged, and the others read on."""
        name = delivery.name
        with self._lock:
            callbacks = [c for p in (name, name.split("/")[0]) for c in self._callbacks.get(p, ())]
        for callback in callbacks:
            try:
                callback(delivery)
            except Exception:
                log.exception("a reader of %s failed; the bus goes on", name)

    def _filter(self, name: str) -> str:
        return f"{topics.PREFIX}/{self._robot}/{name}"
