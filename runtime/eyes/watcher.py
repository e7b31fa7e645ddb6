"""All robots of one broker: their newest words, their events, and requests back to them.

Threads: the bus's own thread takes messages and calls the listeners there; asking is safe from any thread.
"""

import argparse
import logging
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from runtime.broker import broker_address
from runtime.bus import EARLY, Bus, Delivery
from runtime.contracts import messages as m
from runtime.contracts import requests as r
from runtime.contracts.errors import MessageError
from runtime.contracts.reports import ErasedAck, PastEvents
from runtime.contracts.topics import TOPICS, decode
from runtime.event_log import EventLog
from runtime.eyes.pet import WATCHED, Pet

log = logging.getLogger(__name__)

Listener = Callable[[Pet, str, m.Message], None]
MAX_ROBOTS = 2_000
BURST_S = 1.0
MAX_PACED = 5 * MAX_ROBOTS
"""Kinds of telemetry of each"""
REPLAY_PAUSE_S = 2.0
"""A robot whose events have a gap is asked at most so often"""


class Watcher:
    """`log_file` keeps events beyond this process; the robots' own journals fill what it missed.

    `certificates` is the folder that `everpaw security` made for whoever watches, for a broker with TLS.
    """

    def __init__(
        self, host: str, port: int, log_file: Path | None = None, certificates: Path | None = None
    ) -> None:
        self.pets: dict[str, Pet] = {}
        self.events = EventLog(log_file)
        self.bus = Bus("watcher", host, port, everyone=True, certificates=certificates)
        self._listeners: list[Listener] = []
        self._lock = threading.Lock()
        self._asked_s: dict[str, float] = {}
        self._due_s: dict[tuple[str, str], float] = {}
        """When the next telemetry of a robot is due by its row's rate"""
        self._due: set[str] = set()
        """Robots that are to be asked as soon as the pause is over"""

    def start(self, timeout_s: float = 5.0) -> "Watcher":
        """BusError where there is no broker."""
        for kind in WATCHED:
            self.bus.subscribe(kind, self._take)
        self.bus.connect(timeout_s)
        return self

    def close(self) -> None:
        self.bus.close()
        self.events.close()

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with every message, on the bus's thread; what comes back ends that."""
        with self._lock:
            self._listeners = [*self._listeners, listener]

        def end() -> None:
            with self._lock:
                self._listeners = [other for other in self._listeners if other is not listener]

        return end

    def ask(self, robot: str, name: str, **fields: object) -> str:
        """Publish `request/...`; the request's id."""
        model = TOPICS[name].model
        asked = model.model_validate({"id": uuid.uuid4().hex, "source": "page", **fields})
        self.bus.publish(name, asked, to=robot)
        return str(getattr(asked, "id", ""))

    def by_hand(self, robot: str, act: str) -> str:
        """`request/arm`, `disarm` or `clear`, with the robot's clock as it was last heard."""
        clock = self._clock(robot)
        return self.ask(robot, f"request/{act}", boot_id=clock.boot_id, seen_mono_ms=clock.mono_ms)

    def ask_now(self, robot: str, name: str, **fields: object) -> str:
        """A request that counts for a minute of the robot's clock."""
        return self.ask(robot, name, seen_mono_ms=self._clock(robot).mono_ms, **fields)

    def stop(self, robot: str, reason: str = "page") -> str:
        """`cmnd/stop`: the only command a page sends itself, because nothing may stand before it."""
        clock = self._clock(robot)
        command = m.StopCommand(
            id=uuid.uuid4().hex,
            boot_id=clock.boot_id,
            issued_at_ms=clock.mono_ms,
            ttl_ms=5_000,
            source="page",
            reason=reason,
        )
        self.bus.publish("cmnd/stop", command, to=robot)
        return command.id

    def _clock(self, robot: str) -> m.Clock:
        pet = self.pets.get(robot)
        clock = pet.of("state/clock", m.Clock) if pet else None
        return clock or m.Clock(boot_id="unknown", mono_ms=0)

    def catch_up(self, robot: str) -> None:
        """Ask for the events that are missing here; within the pause, with the robot's next word after it."""
        now_s = time.monotonic()
        self._due.add(robot)
        if now_s - self._asked_s.get(robot, float("-inf")) >= REPLAY_PAUSE_S:
            self._asked_s[robot] = now_s
            self._due.discard(robot)
            self.bus.publish(
                "request/replay",
                r.ReplayRequest(id=uuid.uuid4().hex, after=self.events.known(robot)),
                to=robot,
            )

    # Below: on the bus's thread.

    def _take(self, delivery: Delivery) -> None:
        row = TOPICS.get(delivery.name)
        if row is None or not delivery.payload:
            self._forget(delivery)
            return
        if row.kind == "tele" and row.rate_hz and self._too_soon(delivery, row.rate_hz):
            return
        try:
            message = decode(row.model, delivery.payload)
        except MessageError as error:
            log.debug("%s of %s is not shown: %s", delivery.name, delivery.robot_id, error)
            return
        pet = self.pets.get(delivery.robot_id)
        if pet is None:
            if len(self.pets) >= MAX_ROBOTS:
                return
            pet = self.pets[delivery.robot_id] = Pet(delivery.robot_id)
        was_online = pet.online
        new = self._note(pet, delivery.name, message)
        if new:
            pet.take(delivery.name, message, retained=delivery.retained, wall_s=time.time())
        # A birth: one of its processes is back, or the broker is, and what it told meanwhile was not heard.
        born = isinstance(message, m.Presence) and message.alive
        if born or (pet.online and not was_online) or pet.robot in self._due:
            self.catch_up(pet.robot)
        if new:
            for listener in self._listeners:
                listener(pet, delivery.name, message)

    def _too_soon(self, delivery: Delivery, rate_hz: float) -> bool:
        """It comes faster than its row allows: left alone unread, so that a crowd cannot drown the rest.

        The generic cell rate algorithm (ITU-T I.371): what a busy line held up and brings at once is taken.
        """
        key, now_s = (delivery.robot_id, delivery.name), time.monotonic()
        due_s = max(self._due_s.get(key, now_s), now_s)
        if due_s - now_s > BURST_S:
            return True
        if len(self._due_s) < MAX_PACED or key in self._due_s:
            self._due_s[key] = due_s + EARLY / rate_hz
        return False

    def _note(self, pet: Pet, name: str, message: m.Message) -> bool:
        """False for an event that was there before."""
        if isinstance(message, ErasedAck) and message.ok:
            pet.forget(message.erased)
            if "events" in message.erased:
                self.events.forget(pet.robot)
        elif isinstance(message, PastEvents):
            self.events.accept(pet.robot, message, time.time())
        elif isinstance(message, m.Event):
            new = self.events.add(pet.robot, name, message, time.time())
            if self.events.has_gap(pet.robot, message):
                self.catch_up(pet.robot)
            return new
        return True

    def _forget(self, delivery: Delivery) -> None:
        """A retained topic was cleared: the robot's presence, and it is gone from the fleet."""
        if delivery.name == "state/bridge" and not delivery.payload:
            self.pets.pop(delivery.robot_id, None)


def add_broker(parser: argparse.ArgumentParser) -> None:
    """`--broker` and `--certificates`, for `watcher_of`."""
    parser.add_argument("--broker", default="127.0.0.1:1883", metavar="HOST:PORT", type=broker_address)
    parser.add_argument(
        "--certificates",
        type=Path,
        metavar="FOLDER",
        help="who we are, for a broker with TLS (everpaw security)",
    )


def watcher_of(args: argparse.Namespace, log_file: Path | None = None) -> Watcher:
    """A started watcher; BusError where there is no broker."""
    host, port = args.broker
    return Watcher(host, port, log_file, args.certificates).start()
