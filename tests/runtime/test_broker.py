"""Brokers found and run: real processes, one clear error each, nothing left behind."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

import runtime.broker
from runtime.broker import available_kind, find_broker, run_broker
from runtime.contracts.errors import BusError

needs_a_broker = pytest.mark.skipif(available_kind() is None, reason="no broker is installed")


def alive(pid: int) -> bool:
    """A process that is not a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def gone(pid: int, timeout_s: float = 5.0) -> bool:
    give_up_s = time.monotonic() + timeout_s
    while alive(pid) and time.monotonic() < give_up_s:
        time.sleep(0.02)
    return not alive(pid)


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@needs_a_broker
def test_it_runs_is_found_and_leaves_nothing(scratch: Path) -> None:
    with run_broker() as broker:
        assert broker.kind == available_kind()
        found = find_broker(broker.host, broker.port)
        assert found is not None
        assert found.kind == "running"
        assert list(scratch.iterdir()) == []
    assert find_broker(broker.host, broker.port) is None
    assert broker.pid is not None
    assert gone(broker.pid)


def test_amqtt_steps_in() -> None:
    pytest.importorskip("amqtt")
    with run_broker(kind="amqtt") as broker:
        assert broker.kind == "amqtt"


@needs_a_broker
def test_it_listens_on_the_loopback_alone() -> None:
    with run_broker() as broker:
        other = subprocess.run(["hostname", "-I"], capture_output=True, text=True).stdout.split()
        outside = [address for address in other if "." in address]
        if not outside:
            pytest.skip("this machine has no address but the loopback")
        assert find_broker(outside[0], broker.port) is None


@needs_a_broker
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel's death signal is Linux's")
@pytest.mark.parametrize("kind", ["mosquitto", "amqtt"])
def test_it_dies_with_a_parent_that_is_killed(kind: str, scratch: Path) -> None:
    if kind == "amqtt":
        pytest.importorskip("amqtt")
    elif available_kind() != "mosquitto":
        pytest.skip("mosquitto is not installed")
    program = (
        "import time, runtime.broker as b\n"
        f"with b.run_broker(kind={kind!r}) as r: print(r.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert alive(pid)
        os.kill(parent.pid, signal.SIGKILL)
    assert gone(pid)
    assert list(scratch.iterdir()) == []


def test_a_port_in_use_is_one_clear_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(BusError, match=f"port {port} of 127.0.0.1 cannot be used"), run_broker(port):
            pass


def test_no_broker_installed_names_the_lines_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime.broker, "available_kind", lambda: None)
    with pytest.raises(BusError, match="sudo apt install mosquitto, or: pip install"), run_broker():
        pass


def test_what_is_no_broker_is_not_found() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        assert find_broker(port=mute.getsockname()[1], timeout_s=0.2) is None
