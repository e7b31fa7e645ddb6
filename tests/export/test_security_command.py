"""`everpaw security`: the broker's side from nothing, and an audit that notices what is wrong."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from export.security import main
from runtime.assembly import connect
from runtime.contracts.config import RobotConfig, load_config
from runtime.contracts.errors import EverpawError, TrustError
from runtime.security import bundle
from runtime.security.audit import audit
from runtime.security.house import CLIENTS, House
from runtime.security.mosquitto import configuration
from tests.runtime.security.broker import MOSQUITTO, running

needs_mosquitto = pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("EVERPAW_KEYS", str(tmp_path / "keys"))
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert main(["init", "--no-passphrase", "--robot", "buddy", "--port", str(port)]) == 0
    return tmp_path / "broker"


def wrong(folder: Path, now: datetime | None = None) -> list[str]:
    found = audit(House.open(folder), now or datetime.now(UTC))
    return [f.name for f in found if not f.well and f.weight == "needed"]


def test_init_makes_key_authority_and_robot_and_can_be_repeated(folder: Path) -> None:
    assert (folder.parent / "keys" / "owner.pem").exists()
    before = (folder / CLIENTS / "buddy" / bundle.CERTIFICATE).read_bytes()
    assert main(["init", "--robot", "buddy", "--robot", "rex", "--host", "pet.local"]) == 0
    assert (folder / CLIENTS / "buddy" / bundle.CERTIFICATE).read_bytes() == before
    assert (folder / CLIENTS / "rex" / bundle.KEY).stat().st_mode & 0o077 == 0
    assert "pet.local" in House.open(folder).register.hosts
    assert wrong(folder) == []


@pytest.mark.parametrize("words", [("--port", "99999"), ("--port", "0"), ("--listen", "pets.local")])
def test_an_address_that_cannot_be_is_never_written(folder: Path, words: tuple[str, str]) -> None:
    before = House.open(folder).register
    with pytest.raises(TrustError, match=words[1]):
        main(["init", "--robot", "buddy", *words])
    assert House.open(folder).register == before


@pytest.mark.parametrize(
    "words", [("pair", "phone", "--pairing-port", "99999"), ("join", "pets.local:many", "--out", "nowhere")]
)
def test_a_port_that_cannot_be_is_one_line(folder: Path, words: tuple[str, ...]) -> None:
    with pytest.raises(TrustError, match=r"99999 cannot be used|no HOST"):
        main([*words])


@pytest.mark.parametrize("words", [("Phone!",), ("phone", "--robot", "B B")])
def test_no_code_is_shown_for_who_cannot_be_let_in(
    folder: Path, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    with pytest.raises(EverpawError, match=words[-1]):
        main(["pair", *words, "--pairing-port", "99999"])
    assert capsys.readouterr().out == ""


def test_the_audit_notices(folder: Path) -> None:
    assert wrong(folder) == []
    (folder / "authority.key").chmod(0o644)
    with pytest.raises(TrustError, match="chmod 600"):
        House.open(folder)
    (folder / "authority.key").chmod(0o600)
    (folder / CLIENTS / "buddy" / bundle.KEY).chmod(0o640)
    assert wrong(folder) == ["keys"]
    (folder / CLIENTS / "buddy" / bundle.KEY).chmod(0o600)
    config = folder / "mosquitto.conf"
    config.write_text(config.read_text().replace("allow_anonymous false", "allow_anonymous true"))
    assert wrong(folder) == ["configuration"]
    main(["init", "--robot", "buddy"])
    rights = json.loads((folder / "dynamic-security.json").read_text())
    rights["roles"][0]["acls"].append({"acltype": "publishClientSend", "topic": "#", "allow": True})
    (folder / "dynamic-security.json").write_text(json.dumps(rights))
    assert wrong(folder) == ["configuration"]
    main(["init", "--robot", "buddy"])
    later = datetime.now(UTC) + timedelta(days=800)
    assert set(wrong(folder, later)) == {"broker", "keeper", "buddy"}
    main(["init", "--robot", "buddy", "--listen", "8.8.8.8"])
    assert wrong(folder) == ["listens at"]


@needs_mosquitto
def test_robot_and_command_line_work_with_certificates(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    house = House.open(folder)
    mine = folder / CLIENTS / "buddy"
    settings = [f"mqtt.port={house.register.port}", f"mqtt.certificates={mine}"]
    with running(house):
        connect(load_config(RobotConfig, None, settings)).close()
        assert main(["audit"]) == 0
        assert "lets in nobody in clear" in capsys.readouterr().out
        assert main(["revoke", "buddy"]) == 0
        assert "no broker" not in capsys.readouterr().err
        assert main(["issue", "buddy"]) == 0
        connect(load_config(RobotConfig, None, settings)).close()
        words = ["bridge", "--port", "sim", *(word for setting in settings for word in ("--set", setting))]
        command = [sys.executable, "-m", "runtime.cli", *words]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as bridge:
            config = load_config(RobotConfig, None, settings)
            try:
                assert bridge_is_alive(config)
            finally:
                bridge.terminate()


def bridge_is_alive(config: RobotConfig) -> bool:
    import threading

    alive = threading.Event()
    with connect(config) as bus:
        bus.subscribe("state/body", lambda delivery: alive.set())
        return alive.wait(15)


def test_pair_and_join_by_hand(folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("spake2")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
    command = [sys.executable, "-m", "runtime.cli", "security", "pair", "phone", "--pairing-port", port]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as pair:
        assert pair.stdout is not None
        code = pair.stdout.readline()
        out = tmp_path / "phone"
        assert main(["join", f"127.0.0.1:{port}", "--code", code, "--out", str(out)]) == 0
        assert pair.wait(10) == 0
    row = House.open(folder).register.valid("phone")
    assert row is not None
    assert row.kind == "page"
    log = (folder / "security.log").read_text()
    assert '"paired"' in log
    assert code.strip() not in log
    with pytest.raises(TrustError, match="a certificate already"):
        main(["join", f"127.0.0.1:{port}", "--code", code, "--out", str(out)])


@pytest.mark.parametrize(("clients", "most"), [(1, 256), (64, 256), (65, 512), (1_000, 4_096)])
def test_a_broker_has_room_for_a_fleet(tmp_path: Path, clients: int, most: int) -> None:
    lines = configuration(tmp_path, "127.0.0.1", 8883, clients).splitlines()
    assert f"max_connections {most}" in lines
