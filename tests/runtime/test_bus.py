"""The bus against real brokers: a message's way, births and wills, a broker that dies and returns."""

import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from runtime.broker import Broker, available_kind, run_broker
from runtime.bus import QUEUE_LIMIT, Bus, Delivery, decode
from runtime.contracts import messages as m
from runtime.contracts.errors import BusError, MessageError

if available_kind() is None:
    pytest.skip("neither mosquitto nor amqtt is installed", allow_module_level=True)


@pytest.fixture(scope="module", params=["mosquitto", "amqtt"])
def broker(request: pytest.FixtureRequest) -> Iterator[Broker]:
    if request.param == "mosquitto" and available_kind() != "mosquitto":
        pytest.skip("mosquitto is not installed")
    if request.param == "amqtt":
        pytest.importorskip("amqtt")
    with run_broker(kind=request.param) as running:
        yield running


def bus(broker: Broker, robot_id: str = "rex", **options: object) -> Bus:
    return Bus(robot_id, broker.host, broker.port, **options)  # type: ignore[arg-type]


def halt(number: int) -> m.HaltCommand:
    return m.HaltCommand(id=str(number), boot_id="b", issued_at_ms=number, ttl_ms=1_000, source="mind")


def until(true: Callable[[], bool], timeout_s: float = 10.0) -> bool:
    give_up_s = time.monotonic() + timeout_s
    while not true() and time.monotonic() < give_up_s:
        time.sleep(0.01)
    return true()


def test_a_message_arrives_typed_and_in_order(broker: Broker) -> None:
    got: list[Delivery] = []
    with bus(broker) as sender, bus(broker) as reader:
        reader.subscribe("cmnd/halt", got.append)
        for number in range(100):
            assert sender.publish("cmnd/halt", halt(number))
        assert until(lambda: len(got) == 100)
    assert [decode(d, m.HaltCommand) for d in got] == [halt(n) for n in range(100)]
    assert {(d.robot_id, d.name, d.qos, d.retained) for d in got} == {("rex", "cmnd/halt", 1, False)}


def test_a_kind_and_a_name_of_it_do_not_deliver_twice(broker: Broker) -> None:
    by_name: list[Delivery] = []
    by_kind: list[Delivery] = []
    with bus(broker) as sender, bus(broker) as reader:
        reader.subscribe("cmnd/halt", by_name.append)
        reader.subscribe("cmnd", by_kind.append)
        sender.publish("cmnd/halt", halt(1))
        assert until(lambda: bool(by_name) and bool(by_kind))
        time.sleep(0.1)
    assert (len(by_name), len(by_kind)) == (1, 1)


def test_another_robot_is_not_heard(broker: Broker) -> None:
    got: list[Delivery] = []
    with bus(broker, "rex") as rex, bus(broker, "ada") as ada:
        rex.subscribe("cmnd", got.append)
        ada.publish("cmnd/halt", halt(1))
        ada.flush()
        rex.publish("cmnd/halt", halt(2))
        assert until(lambda: bool(got))
    assert [decode(d, m.HaltCommand).id for d in got] == ["2"]


def test_a_late_reader_gets_what_is_retained(broker: Broker) -> None:
    got: list[Delivery] = []
    with bus(broker, "late") as sender, bus(broker, "late") as reader:
        sender.publish("state/clock", m.Clock(boot_id="b", mono_ms=5))
        sender.flush()
        reader.subscribe("state/clock", got.append)
        assert until(lambda: bool(got))
    assert got[0].retained
    assert decode(got[0], m.Clock).mono_ms == 5


def test_birth_then_goodbye(broker: Broker) -> None:
    seen: list[bool] = []
    birth, will = (("state/bridge", m.Presence(alive=alive)) for alive in (True, False))
    with bus(broker, "birth") as reader:
        reader.subscribe("state/bridge", lambda d: seen.append(decode(d, m.Presence).alive))
        with bus(broker, "birth", birth=birth, will=will):
            assert until(lambda: seen == [True])
        until(lambda: seen == [True, False])
        assert seen == [True, False]


def test_the_will_speaks_for_a_process_that_dies(broker: Broker) -> None:
    seen: list[bool] = []
    with bus(broker, "will") as reader:
        reader.subscribe("state/bridge", lambda d: seen.append(decode(d, m.Presence).alive))
        if (child := os.fork()) == 0:
            dying = bus(
                broker,
                "will",
                birth=("state/bridge", m.Presence(alive=True)),
                will=("state/bridge", m.Presence(alive=False)),
            )
            dying.connect().flush()
            os.kill(os.getpid(), signal.SIGKILL)
        os.waitpid(child, 0)
        until(lambda: seen == [True, False])
        assert seen == [True, False]


def test_a_reader_that_fails_does_not_stop_the_bus(broker: Broker, caplog: pytest.LogCaptureFixture) -> None:
    got: list[Delivery] = []

    def fail(delivery: Delivery) -> None:
        got.append(delivery)
        raise ValueError("a reader's own mistake")

    with bus(broker) as sender, bus(broker) as reader:
        reader.subscribe("cmnd", fail)
        sender.publish("cmnd/halt", halt(1))
        sender.publish("cmnd/halt", halt(2))
        assert until(lambda: len(got) == 2)
    assert "a reader of cmnd/halt failed" in caplog.text


def test_a_callback_may_publish_and_subscribe(broker: Broker) -> None:
    acks: list[Delivery] = []
    with bus(broker) as mind, bus(broker) as body:

        def answer(delivery: Delivery) -> None:
            body.subscribe("cmnd/stop", lambda _: None)
            command = decode(delivery, m.HaltCommand)
            body.publish("ack/command", m.Ack(id=command.id, act="halt", status="done", mono_ms=1))

        mind.subscribe("ack", acks.append)
        body.subscribe("cmnd/halt", answer)
        mind.publish("cmnd/halt", halt(7))
        assert until(lambda: bool(acks))
    assert decode(acks[0], m.Ack).id == "7"


def test_close_leaves_no_thread(broker: Broker) -> None:
    before = threading.active_count()
    with bus(broker) as one, bus(broker) as two:
        two.subscribe("cmnd", lambda _: None)
        one.publish("cmnd/halt", halt(1))
    one.close()
    assert threading.active_count() == before


def test_wrong_messages_are_refused_before_they_leave() -> None:
    unconnected = Bus("rex")
    with pytest.raises(MessageError, match="not in the registry"):
        unconnected.publish("cmnd/bark", halt(1))
    with pytest.raises(MessageError, match="cmnd/stop carries StopCommand, not HaltCommand"):
        unconnected.publish("cmnd/stop", halt(1))
    with pytest.raises(MessageError, match="neither a topic nor a kind"):
        unconnected.subscribe("cmnd/#", lambda _: None)
    with pytest.raises(MessageError, match="carries HaltCommand, not Ack"):
        decode(Delivery("rex", "cmnd/halt", b"{}", False, 1, False), m.Ack)


def test_no_broker_is_one_clear_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(
        BusError, match=rf"no broker at 127\.0\.0\.1:{port} .*start one with: mosquitto -p {port}"
    ):
        Bus("rex", port=port).connect(timeout_s=0.3)


def test_a_host_that_does_not_speak_mqtt() -> None:
    before = threading.active_count()
    with socket.create_server(("127.0.0.1", 0)) as mute:
        with pytest.raises(BusError, match="gave no MQTT answer"):
            Bus("rex", port=mute.getsockname()[1]).connect(timeout_s=0.3)
        assert threading.active_count() == before


def test_a_full_queue_drops_the_new_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    lonely = Bus("rex")
    kept = [lonely.publish("cmnd/halt", halt(n)) for n in range(QUEUE_LIMIT + 3)]
    assert kept == [True] * QUEUE_LIMIT + [False] * 3
    assert lonely.dropped == 3
    assert "cmnd/halt dropped" in caplog.text


def test_without_a_broker_telemetry_is_dropped() -> None:
    lonely = Bus("rex")
    assert not lonely.publish("tele/joints", m.JointsTelemetry(joints_deg={}, mono_ms=1))
    assert lonely.dropped == 1


@pytest.mark.parametrize("kind", ["mosquitto", "amqtt"])
def test_what_waited_for_a_killed_broker_arrives_in_order(kind: str) -> None:
    if kind == "mosquitto" and available_kind() != "mosquitto":
        pytest.skip("mosquitto is not installed")
    if kind == "amqtt":
        pytest.importorskip("amqtt")
    got: list[str] = []
    states: list[int] = []
    with run_broker(kind=kind) as first:  # type: ignore[arg-type]
        sender, reader = bus(first).connect(), bus(first).connect()
        reader.subscribe("cmnd/halt", lambda d: got.append(decode(d, m.HaltCommand).id))
        sender.publish("cmnd/halt", halt(0))
        sender.publish("state/clock", m.Clock(boot_id="b", mono_ms=0))
        assert until(lambda: got == ["0"])
        assert first.pid
        os.kill(first.pid, signal.SIGKILL)
        assert until(lambda: not sender.connected and not reader.connected)
        for number in range(1, 101):
            assert sender.publish("cmnd/halt", halt(number))
            assert sender.publish("state/clock", m.Clock(boot_id="b", mono_ms=number))
        with run_broker(port=first.port, kind=kind) as second:  # type: ignore[arg-type]
            assert until(lambda: reader.connected and sender.connected)
            with bus(second) as third:
                third.subscribe("state/clock", lambda d: states.append(decode(d, m.Clock).mono_ms))
                sender.publish("cmnd/halt", halt(101))
                assert sender.flush()
                assert until(lambda: got[-1:] == ["101"])
                assert until(lambda: bool(states))
            sender.close()
            reader.close()
    assert states[-1] == 100
    # All of them reach the broker in order; the reader sees those sent after it was back.
    assert got[1:] == [str(n) for n in range(102 - len(got[1:]), 102)]


def test_a_whole_kind_brings_names_of_no_registry_too(broker: Broker) -> None:
    """The bridge must be able to say that it does not know an act."""
    seen: list[Delivery] = []
    with Bus("rex", broker.host, broker.port) as reader, Bus("rex", broker.host, broker.port) as writer:
        reader.subscribe("cmnd", seen.append)
        writer._client.publish("everpaw/v1/rex/cmnd/fly", b"{}", 1).wait_for_publish(2)
        deadline = time.monotonic() + 2
        while not seen and time.monotonic() < deadline:
            time.sleep(0.01)
    assert [(d.robot_id, d.name, d.payload) for d in seen] == [("rex", "cmnd/fly", b"{}")]
    with pytest.raises(MessageError, match="nothing known"):
        decode(seen[0], m.Ack)


def test_who_hears_everyone_hears_each_robot_and_may_write_to_one(broker: Broker) -> None:
    got: list[Delivery] = []
    asked: list[Delivery] = []
    with bus(broker, "rex") as rex, bus(broker, "ada") as ada, bus(broker, "all", everyone=True) as watcher:
        watcher.subscribe("cmnd", got.append)
        ada.subscribe("request/skill", asked.append)
        rex.subscribe("request/skill", asked.append)
        rex.publish("cmnd/halt", halt(1))
        ada.publish("cmnd/halt", halt(2))
        watcher.publish("request/skill", m.SkillRequest(id="s", skill="sit"), to="ada")
        assert until(lambda: len(got) == 2 and bool(asked))
    assert {(d.robot_id, decode(d, m.HaltCommand).id) for d in got} == {("rex", "1"), ("ada", "2")}
    assert [d.robot_id for d in asked] == ["ada"]


def test_what_is_retained_for_another_robot_is_told_as_its_own(broker: Broker) -> None:
    """Kept until there is a broker, as what a restarted one forgot is."""
    got: list[Delivery] = []
    watcher = bus(broker, "watcher")
    watcher.publish("state/runtime", m.Presence(alive=True), to="lassie")
    with bus(broker, "watcher", everyone=True) as reader, watcher:
        reader.subscribe("state/runtime", got.append)
        assert until(lambda: bool(got))
    assert {delivery.robot_id for delivery in got} == {"lassie"}


def test_telemetry_goes_no_faster_than_its_row_allows(broker: Broker) -> None:
    got: list[Delivery] = []
    with bus(broker) as sender, bus(broker) as reader:
        reader.subscribe("tele/joints", got.append)
        began_s, sent = time.monotonic(), 0
        while time.monotonic() - began_s < 0.5:
            sent += sender.publish("tele/joints", m.JointsTelemetry(joints_deg={"tail": 1.0}, mono_ms=1))
        took_s = time.monotonic() - began_s
        assert until(lambda: len(got) == sent)
    assert 1 <= sent <= 1 + took_s * 30 / 0.8


def test_a_receipt_comes_with_the_brokers_word(broker: Broker) -> None:
    with bus(broker) as sender:
        receipt = sender.send("event/safety", m.SafetyEvent(kind="halt", mono_ms=1))
        assert receipt is not None
        assert until(receipt)
