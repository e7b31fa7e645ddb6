"""One robot's topics as typed messages over MQTT 3.1.1, in clear on the loopback or with certificates.

Threads: paho's own network thread runs every callback; a callback must return soon and may publish and
subscribe. `publish` may be called from any thread and never blocks on the network.

While the broker is away the bus reconnects by itself (0.2 s, doubling to 2 s) and
- QoS 1 messages wait, in order, at most `QUEUE_LIMIT` of them; then new ones are dropped, counted and logged;
- of retained messages only the newest of each topic is kept; all of them are published again at every
  connection, because a broker that was restarted may have forgotten them;
- QoS 0 messages are dropped: a lease or a telemetry sample is worthless a second later.

Telemetry that comes faster than its row's rate is left out, whoever publishes it.
"""

import logging
import socket
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self, cast

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage, MQTTMessageInfo
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from runtime.contracts import topics
from runtime.contracts.errors import BusError, MessageError
from runtime.contracts.messages import Message
from runtime.security import bundle
from runtime.subscriptions import Callback, Delivery, Subscriptions, decode

__all__ = ["Bus", "Callback", "Delivery", "NamedMessage", "decode"]

log = logging.getLogger(__name__)

QUEUE_LIMIT = 1_000
KEEPALIVE_S = 10
_FIRST_RETRY_S, _LAST_RETRY_S = 0.2, 2.0
EARLY = 0.8
"""Of a telemetry row's period: what comes sooner is left out, a late clock tick is not"""
_ANSWER_S = 2.0
"""Longest wait for a SUBACK or PUBACK"""

NamedMessage = tuple[str, Message]


class Bus:
    """A connection of one process to the topics of one robot; with `everyone` it hears all robots.

    `birth` (retained) is published at every connection; `will` by the broker when this process dies, and by
    `close`. `client_id` must be unique on the broker; by default it is made up. `certificates`: folder of a
    client's certificate, with which the broker is reached by TLS 1.3 alone (TrustError where it holds none).
    """

    def __init__(
        self,
        robot_id: str,
        host: str = "127.0.0.1",
        port: int = 1883,
        *,
        client_id: str = "",
        will: NamedMessage | None = None,
        birth: NamedMessage | None = None,
        everyone: bool = False,
        certificates: Path | None = None,
    ) -> None:
        self.robot_id = topics.check_robot_id(robot_id)
        self.host, self.port = host, port
        self._subscriptions = Subscriptions("+" if everyone else self.robot_id)
        self.dropped = 0
        """Messages dropped since the start: queue full, or QoS 0 without a broker"""
        self._will = will
        self._retained: dict[str, tuple[bytes, int]] = {}
        """Topic -> (payload, QoS)"""
        self._paced_s: dict[str, float] = {}
        self._lock = threading.Lock()
        self._greeted = threading.Event()
        self._greeting_mid: int | None = None
        self._refusal = ""
        self._answers = threading.Condition()
        self._answered: deque[tuple[str, int | None]] = deque(maxlen=64)
        self._last_mid: int | None = None
        self._thread: threading.Thread | None = None
        self._client = self._make_client(client_id)
        self._secure = certificates is not None
        if certificates is not None:
            self._client.tls_set_context(bundle.context(certificates))
        if birth is not None:
            self.publish(*birth)

    def _make_client(self, client_id: str) -> Client:
        # Never left to the broker: after a half-open connection the same id takes over, and the will comes
        # before the new birth, not after it.
        name = client_id or f"everpaw-{self.robot_id}-{uuid.uuid4().hex[:8]}"
        client = Client(CallbackAPIVersion.VERSION2, client_id=name, clean_session=True)
        client.max_queued_messages_set(QUEUE_LIMIT)
        client.reconnect_delay_set(_FIRST_RETRY_S, _LAST_RETRY_S)  # type: ignore[arg-type]  # floats work
        client.on_socket_open = _send_at_once
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_subscribe = self._on_subscribe
        client.on_publish = self._on_publish
        if self._will is not None:
            will_name, message = self._will
            topic, row = topics.full_topic(self.robot_id, will_name), topics.TOPICS[will_name]
            client.will_set(topic, topics.encode(message), row.qos, row.retain)
        return client

    @property
    def connected(self) -> bool:
        """True while the broker answers and every subscription stands."""
        return self._greeted.is_set()

    def connect(self, timeout_s: float = 3.0) -> Self:
        """Connect, subscribe and publish the birth; BusError when no broker takes us within `timeout_s`."""
        give_up_s = time.monotonic() + timeout_s
        self._client.connect_timeout = timeout_s
        while True:
            try:
                self._client.connect(self.host, self.port, KEEPALIVE_S)
                break
            except (OSError, ValueError) as error:
                if time.monotonic() + _FIRST_RETRY_S > give_up_s or not isinstance(error, ConnectionError):
                    raise BusError(self._unreachable(str(error))) from error
                time.sleep(_FIRST_RETRY_S)
        self._client.loop_start()
        if not self._wait_greeted(give_up_s):
            reason = self._refusal or f"it {self._silence()} in {timeout_s:g} s"
            self._stop_client()
            raise BusError(self._unreachable(reason))
        return self

    def _wait_greeted(self, give_up_s: float) -> bool:
        while not self._greeted.wait(0.02):
            if self._refusal or time.monotonic() > give_up_s:
                return False
        return True

    def _silence(self) -> str:
        # With TLS 1.3 a broker says only after the handshake that it does not take a certificate.
        if self._secure:
            return "did not let us in; does it know our certificate, and is that neither ended nor revoked"
        return "took the connection, but gave no MQTT answer"

    def _unreachable(self, reason: str) -> str:
        if self._secure:
            where = f"{self.host}:{self.port}"
            return f"no broker that trusts us and that we trust at {where} ({reason}); see docs/security.md"
        return (
            f"no broker at {self.host}:{self.port} ({reason}); start one with: mosquitto -p {self.port}"
            " (sudo apt install mosquitto)"
        )

    def publish(self, name: str, message: Message, *, to: str = "") -> bool:
        """Send `message` on `everpaw/v1/<robot_id>/<name>` with the registry's QoS and retain flag.

        `to` names another robot than this bus's own. False when it was dropped (see the module's text).
        MessageError for an unknown name or a wrong model.
        """
        row, topic, payload = self._prepare(name, message, to)
        if row.kind == "tele" and row.rate_hz and self._too_soon(name, row.rate_hz):
            return False
        if row.retain:
            return self._retain(topic, payload, row.qos)
        return self._hand_over(topic, payload, row.qos) is not None

    def send(self, name: str, message: Message) -> Callable[[], bool] | None:
        """As `publish`, for QoS 1; what comes back tells whether the broker has it. None: it was dropped."""
        row, topic, payload = self._prepare(name, message, "")
        info = self._hand_over(topic, payload, row.qos, row.retain)
        return None if info is None else info.is_published

    def announce(self, topic: str, payload: bytes) -> None:
        """Retain `payload` on a topic that is none of ours, for another house; an empty one clears it."""
        if topic.startswith(f"{topics.PREFIX}/") or not set(topic).isdisjoint("+#"):
            raise MessageError(f"{topic!r} is no topic of another house; publish ours by their names")
        self._retain(topic, payload, 1)

    def _retain(self, topic: str, payload: bytes, qos: int) -> bool:
        with self._lock:
            self._retained[topic] = payload, qos
            return not self.connected or self._hand_over(topic, payload, qos, True) is not None

    def _prepare(self, name: str, message: Message, to: str) -> tuple[topics.Topic, str, bytes]:
        topic = topics.full_topic(to or self.robot_id, name)
        row = topics.TOPICS[name]
        if type(message) is not row.model:
            raise MessageError(f"{name} carries {row.model.__name__}, not {type(message).__name__}")
        payload = topics.encode(message)
        if len(payload) > topics.MAX_PAYLOAD_BYTES:
            raise MessageError(f"{name}: {len(payload)} bytes; at most {topics.MAX_PAYLOAD_BYTES}; send less")
        return row, topic, payload

    def _too_soon(self, name: str, rate_hz: float) -> bool:
        now_s = time.monotonic()
        if now_s - self._paced_s.get(name, float("-inf")) < EARLY / rate_hz:
            return True
        self._paced_s[name] = now_s
        return False

    def _hand_over(
        self, topic: str, payload: bytes, qos: int, retain: bool = False
    ) -> MQTTMessageInfo | None:
        """None where the message is lost."""
        info: MQTTMessageInfo = self._client.publish(topic, payload, qos, retain)
        if qos and info.rc == MQTTErrorCode.MQTT_ERR_NO_CONN:
            # paho keeps it and sends it after reconnecting; with this code it would never tell that it did.
            info.rc = MQTTErrorCode.MQTT_ERR_SUCCESS
        if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            self.dropped += 1
            if qos:
                log.warning("%s dropped: %d messages wait for the broker already", topic, QUEUE_LIMIT)
            return None
        if qos:
            self._last_mid = info.mid
        return info

    def subscribe(self, pattern: str, callback: Callback) -> None:
        """Call `callback` for a registered name (`cmnd/skill`) or all of a kind (`cmnd`).

        Once connected it returns when the broker has agreed, except inside a callback, where it cannot wait.
        """
        covered = self._subscriptions.add(pattern, callback)
        if self.connected:
            if covered:
                self._client.unsubscribe(covered)
            _, mid = self._client.subscribe(self._subscriptions.filters())
            if threading.current_thread() is not self._thread:
                self._wait_answer("subscribe", mid, _ANSWER_S)

    def flush(self, timeout_s: float = 1.0) -> bool:
        """Wait until the broker has taken the last QoS 1 message published; False when it has not."""
        return self._last_mid is None or self._wait_answer("publish", self._last_mid, timeout_s)

    def _wait_answer(self, act: str, mid: int | None, timeout_s: float) -> bool:
        with self._answers:
            return self._answers.wait_for(lambda: (act, mid) in self._answered, timeout_s)

    def close(self) -> None:
        """Say goodbye with the will, hand over what still waits (at most a second), end the thread."""
        if self._thread_alive():
            if self._will is not None:
                self.publish(*self._will)
            if self.connected:
                self.flush()
        self._stop_client()

    def _thread_alive(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _stop_client(self) -> None:
        self._client.disconnect()
        with suppress(ValueError):
            self._client.loop_stop()
        self._greeted.clear()

    def __enter__(self) -> Self:
        return self if self._thread_alive() else self.connect()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # Below: on the client's thread.

    def _on_connect(
        self,
        client: Client,
        _data: object,
        _flags: ConnectFlags,
        reason: ReasonCode,
        _props: Properties | None,
    ) -> None:
        self._thread = threading.current_thread()
        if reason.is_failure:
            self._refusal = f"refused: {reason}"
            log.error("%s:%d refused the connection: %s", self.host, self.port, reason)
            return
        self._refusal = ""
        _, self._greeting_mid = client.subscribe(self._subscriptions.filters())

    def _on_subscribe(
        self, client: Client, _data: object, mid: int, codes: list[ReasonCode], _props: Properties | None
    ) -> None:
        for code in codes:
            if code.is_failure:
                log.error("the broker refused a subscription (%s); look at its access rules", code)
        if mid == self._greeting_mid and all(code.is_failure for code in codes):
            self._refusal = f"its access rules give us nothing of the robot {self.robot_id!r}"
        elif mid == self._greeting_mid:
            self._greet()
        self._note_answer("subscribe", mid)

    def _greet(self) -> None:
        # Not in on_connect: paho resends what was in flight after that, and an old retained state would win.
        with self._lock:
            for topic, (payload, qos) in self._retained.items():
                self._hand_over(topic, payload, qos, True)
            self._greeted.set()

    def _on_publish(
        self, _client: Client, _data: object, mid: int, _reason: ReasonCode, _props: Properties
    ) -> None:
        self._note_answer("publish", mid)

    def _note_answer(self, act: str, mid: int) -> None:
        with self._answers:
            self._answered.append((act, mid))
            self._answers.notify_all()

    def _on_disconnect(
        self,
        _client: Client,
        _data: object,
        _flags: DisconnectFlags,
        reason: ReasonCode,
        _props: Properties | None,
    ) -> None:
        with self._lock:
            self._greeted.clear()
        if reason.is_failure:
            log.warning("the broker at %s:%d is gone (%s); reconnecting", self.host, self.port, reason)

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        try:
            robot_id, name = topics.split_topic(message.topic)
        except (MessageError, UnicodeDecodeError) as error:
            log.warning("ignored: %s", error)
            return
        delivery = Delivery(robot_id, name, bytes(message.payload), message.retain, message.qos, message.dup)
        self._subscriptions.deliver(delivery)


def _send_at_once(_client: Client, _data: object, connection: object) -> None:
    # Nagle's algorithm with delayed ACKs makes a QoS 1 round trip 80 ms long.
    cast(socket.socket, connection).setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
