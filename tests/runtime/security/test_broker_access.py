"""Who gets what on a real mosquitto: tested by what is delivered, not by what is granted."""

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from export.security import main
from runtime import whole
from runtime.broker import find_broker, run_broker
from runtime.bus import Bus, Delivery
from runtime.contracts import messages as m
from runtime.contracts.errors import BusError
from runtime.eyes.watcher import Watcher
from runtime.security import bundle, control
from runtime.security.certificates import Authority, key_pem, new_key, pem
from runtime.security.house import CLIENTS, House
from tests.runtime.security.broker import (
    MOSQUITTO,
    NOT_AUTHORISED,
    NOW,
    TAKEN,
    UNHEARD,
    Peer,
    make_house,
    running,
)

pytestmark = pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    house = make_house(tmp_path_factory.mktemp("house") / "broker", port, "a", "b")
    house.issue("page", "page", ("a",), NOW)
    house.issue("screen", "viewer", (), NOW)
    house.issue("assistant", "home", (), NOW)
    house.issue("late", "robot", ("a",), NOW, timedelta(days=-1))
    with running(house):
        yield house


def peer(house: House, name: str) -> Peer:
    return Peer(bundle.context(house.folder / CLIENTS / name), house.register.port)


def test_a_robot_has_its_own_topics(house: House) -> None:
    with closing(peer(house, "a")) as a, closing(peer(house, "a")) as mind:
        assert mind.subscribe("everpaw/v1/a/cmnd/+") == 1
        assert a.publish("everpaw/v1/a/cmnd/halt", b"own") == TAKEN
        assert mind.next() == ("everpaw/v1/a/cmnd/halt", b"own")


FOREIGN = ["everpaw/v1/b/#", "everpaw/v1/b/state/body", "everpaw/v1/+/state/+", "#", "+/+/b/+/+", "$SYS/#"]


@pytest.mark.parametrize("pattern", FOREIGN)
def test_a_robot_hears_nothing_of_another(house: House, pattern: str) -> None:
    with closing(peer(house, "a")) as a, closing(peer(house, "b")) as b:
        assert a.subscribe(pattern) == NOT_AUTHORISED
        assert a.subscribe("everpaw/v1/a/state/mind") == 1
        assert b.publish("everpaw/v1/b/state/body", b"secret") == UNHEARD
        assert a.publish("everpaw/v1/a/state/mind", b"own") == TAKEN
        assert a.next() == ("everpaw/v1/a/state/mind", b"own")
        assert a.next(0.2) is None


def test_a_robot_says_nothing_as_another(house: House) -> None:
    with closing(peer(house, "a")) as a, closing(peer(house, "b")) as b:
        assert b.subscribe("everpaw/v1/b/#") == 1
        assert a.publish("everpaw/v1/b/cmnd/skill", b"forged") == NOT_AUTHORISED
        assert a.publish("everpaw/v1/b/state/body", b"forged", retain=True) == NOT_AUTHORISED
        assert b.publish("everpaw/v1/b/state/body", b"own") == TAKEN
        assert b.next() == ("everpaw/v1/b/state/body", b"own")
        assert b.next(0.2) is None


def test_the_last_will_cannot_be_of_another(house: House) -> None:
    tls = bundle.context(house.folder / CLIENTS / "a")
    with closing(peer(house, "b")) as b:
        assert b.subscribe("everpaw/v1/b/#") == 1
        for robot in ("b", "a"):
            dying = Peer(tls, house.register.port, will=f"everpaw/v1/{robot}/state/runtime")
            dying.client.loop_stop()
            dying.client.socket().close()
        assert b.publish("everpaw/v1/b/state/body", b"own") == TAKEN
        assert b.next() == ("everpaw/v1/b/state/body", b"own")
        assert b.next(0.3) is None


def test_a_robot_with_anothers_certificate_is_told_so(house: House) -> None:
    with pytest.raises(BusError, match="give us nothing of the robot 'b'"):
        Bus("b", port=house.register.port, certificates=house.folder / CLIENTS / "a").connect(3.0)


def test_a_page_asks_and_stops_and_no_more(house: House) -> None:
    with closing(peer(house, "a")) as a, closing(peer(house, "page")) as page:
        assert a.subscribe("everpaw/v1/a/#") == 1
        assert page.subscribe("everpaw/v1/a/state/+") == 1
        for topic in ("request/skill", "cmnd/stop"):
            assert page.publish(f"everpaw/v1/a/{topic}") == TAKEN
            assert a.next() == (f"everpaw/v1/a/{topic}", b"x")
        for topic in ("a/cmnd/skill", "a/cmnd/lease", "a/state/body", "b/request/skill", "b/cmnd/stop"):
            assert page.publish(f"everpaw/v1/{topic}") == NOT_AUTHORISED
        assert page.subscribe("everpaw/v1/a/cmnd/+") == NOT_AUTHORISED
        assert page.subscribe("everpaw/v1/b/state/+") == NOT_AUTHORISED
        assert a.next(0.2) is None


def test_a_screen_only_looks(house: House) -> None:
    with closing(peer(house, "b")) as b, closing(peer(house, "screen")) as screen:
        assert screen.subscribe("everpaw/v1/+/state/+") == 1
        assert b.publish("everpaw/v1/b/state/mind", b"shown") == TAKEN
        assert screen.next() == ("everpaw/v1/b/state/mind", b"shown")
        for topic in ("cmnd/stop", "request/skill"):
            assert screen.publish(f"everpaw/v1/b/{topic}") == NOT_AUTHORISED


def test_home_assistant_finds_the_robot_and_commands_nothing(house: House) -> None:
    with closing(peer(house, "a")) as a, closing(peer(house, "assistant")) as assistant:
        assert assistant.subscribe("homeassistant/#") == 1
        assert a.publish("homeassistant/device/everpaw_a/config", b"{}") == TAKEN
        assert assistant.next() == ("homeassistant/device/everpaw_a/config", b"{}")
        assert a.publish("homeassistant/device/everpaw_b/config") == NOT_AUTHORISED
        for topic in ("cmnd/skill", "request/arm", "request/consent", "request/memory", "request/export"):
            assert assistant.publish(f"everpaw/v1/a/{topic}") == NOT_AUTHORISED


def test_nobody_but_the_keeper_changes_roles(house: House) -> None:
    with closing(peer(house, "a")) as a:
        assert a.publish("$CONTROL/dynamic-security/v1", b"{}") == NOT_AUTHORISED
        assert a.subscribe("$CONTROL/dynamic-security/v1/response") == NOT_AUTHORISED


def refused(house: House, tls: ssl.SSLContext | None) -> bool:
    return find_broker(port=house.register.port, tls=tls, timeout_s=2.0) is None


def test_strangers_are_refused(house: House, tmp_path: Path) -> None:
    assert not refused(house, bundle.context(house.folder / CLIENTS / "a"))
    assert refused(house, None), "in clear"
    bare = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    bare.load_verify_locations(house.folder / "ca.crt")
    assert refused(house, bare), "without certificate"
    foreign, key = Authority.make("everpaw house", NOW), new_key()
    forged = foreign.issue("a", key.public_key(), NOW + timedelta(days=9))
    ours = (house.folder / "ca.crt").read_bytes()
    wrong = bundle.write(tmp_path / "wrong", ours, pem(forged), key_pem(key))
    assert refused(house, bundle.context(wrong)), "another authority of the same name"
    assert refused(house, bundle.context(house.folder / CLIENTS / "late")), "ended"


def test_nothing_older_than_tls_1_3(house: House) -> None:
    tls = bundle.context(house.folder / CLIENTS / "a")
    tls.minimum_version = tls.maximum_version = ssl.TLSVersion.TLSv1_2
    assert refused(house, tls)


def test_a_forged_broker_is_refused_by_the_robot(house: House, tmp_path: Path) -> None:
    other = make_house(tmp_path / "other", house.register.port, "a")
    with pytest.raises(BusError, match="trusts us"):
        Bus("a", port=house.register.port, certificates=other.folder / CLIENTS / "a").connect(1.0)


def test_a_revoked_certificate_is_out_at_once_and_for_good(house: House) -> None:
    place = house.issue("thief", "robot", ("a",), NOW)
    row = house.register.valid("thief")
    assert row is not None
    assert control.tell(house, control.entered(row))
    with closing(peer(house, "thief")) as thief:
        assert thief.publish("everpaw/v1/a/state/mind") == UNHEARD
        house.revoke("thief")
        assert control.tell(house, control.gone(row))
        assert thief.gone.get(timeout=5)
    assert refused(house, bundle.context(place))


def test_a_rotated_robot_goes_on_and_its_old_certificate_does_not(house: House, tmp_path: Path) -> None:
    old = tmp_path / "old"
    for name in (bundle.AUTHORITY, bundle.CERTIFICATE, bundle.KEY):
        whole.put(old_file(old, name), (house.folder / CLIENTS / "b" / name).read_bytes())
    new = house.rotate("b", NOW)
    row = house.register.valid("b")
    assert row is not None
    assert control.tell(house, control.entered(row))
    assert refused(house, bundle.context(old))
    heard: list[Delivery] = []
    with Bus("b", port=house.register.port, certificates=new) as bus:
        bus.subscribe("state/runtime", heard.append)
        bus.publish("state/runtime", m.Presence(alive=True))
        assert bus.flush()
    assert [delivery.name for delivery in heard] == ["state/runtime"]


def test_a_robot_that_is_forgotten_leaves_nothing_retained(house: House) -> None:
    left = ("everpaw/v1/b/state/body", "everpaw/v1/b/meta/robot", "homeassistant/device/everpaw_b/config")
    with closing(peer(house, "a")) as a, closing(peer(house, "b")) as b:
        for topic in left:
            assert b.publish(topic, b"old", retain=True) in (TAKEN, UNHEARD)
        assert a.publish("everpaw/v1/a/state/body", b"mine", retain=True) in (TAKEN, UNHEARD)
        keeper = bundle.context(house.folder / CLIENTS / "keeper")
        assert control.forget("b", "127.0.0.1", house.register.port, keeper) >= len(left)
        assert b.subscribe("everpaw/v1/b/#") == 1
        assert b.next(0.5) is None
        assert a.subscribe("everpaw/v1/a/#") == 1
        assert a.next() == ("everpaw/v1/a/state/body", b"mine"), "and of nobody else"
    with closing(peer(house, "assistant")) as assistant:
        assert assistant.subscribe("homeassistant/#") == 1
        assert assistant.next(0.5) is None
    assert control.forget("b", "127.0.0.1", house.register.port, keeper) == 0


def test_a_robot_of_an_open_broker_is_forgotten_by_page_and_broker(tmp_path: Path) -> None:
    with run_broker() as broker, closing(Watcher(broker.host, broker.port).start()) as watcher:
        with Bus("rex", port=broker.port) as bus:
            bus.publish("state/bridge", m.Presence(alive=True))
            assert bus.flush()
        until(lambda: "rex" in watcher.pets)
        assert main(["forget", "rex", "--broker", f"127.0.0.1:{broker.port}"]) == 0
        until(lambda: "rex" not in watcher.pets)
    with pytest.raises(BusError, match="no broker answers"):
        control.forget("rex", "127.0.0.1", broker.port)


def until(true: Callable[[], bool]) -> None:
    give_up_s = time.monotonic() + 10
    while not true():
        assert time.monotonic() < give_up_s
        time.sleep(0.05)


def old_file(folder: Path, name: str) -> Path:
    folder.mkdir(exist_ok=True)
    return folder / name
