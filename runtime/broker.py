"""Finds an MQTT broker, or runs one of its own on a free loopback port for as long as it is needed.

mosquitto is the robot's broker; amqtt, in a process of its own, is the fallback for a demo. A broker started
here takes anybody, but listens on 127.0.0.1 alone, keeps nothing on disk and dies with its parent.
"""

import argparse
import ctypes
import getpass
import json
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from runtime.contracts.config import MqttSettings
from runtime.contracts.errors import BusError
from runtime.contracts.topics import MAX_PAYLOAD_BYTES
from runtime.security import bundle

LOOPBACK = "127.0.0.1"
START_TIMEOUT_S = 15.0
_PR_SET_PDEATHSIG = 1
_PROBE = b"everpaw-probe"
_HELLO = b"\x10\x19\x00\x04MQTT\x04\x02\x00\x0a\x00\x0d" + _PROBE
"""CONNECT of MQTT 3.1.1, clean session"""
_CURE = "type: sudo apt install mosquitto, or: pip install 'everpaw[broker]'"

OwnKind = Literal["mosquitto", "amqtt"]


@dataclass(frozen=True, slots=True)
class Broker:
    """Where a broker listens, and whether it was running already or is one of ours."""

    host: str
    port: int
    kind: Literal["running", "mosquitto", "amqtt"]
    pid: int | None = None


def broker_address(text: str) -> tuple[str, int]:
    """HOST:PORT as argparse hands it over."""
    host, _, number = text.rpartition(":")
    if not number.isdigit() or not 0 < int(number) < 65_536:
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT")
    return host or LOOPBACK, int(number)


def find_broker(
    host: str = LOOPBACK, port: int = 1883, timeout_s: float = 1.0, tls: ssl.SSLContext | None = None
) -> Broker | None:
    """The broker that answers an MQTT CONNECT at `host:port`, or None."""
    try:
        with ExitStack() as stack:
            connection = stack.enter_context(socket.create_connection((host, port), timeout_s))
            if tls is not None:
                connection = stack.enter_context(tls.wrap_socket(connection, server_hostname=host))
            connection.sendall(_HELLO)
            answer = connection.recv(4)
    except OSError:
        return None
    return Broker(host, port, "running") if answer[:1] == b"\x20" else None


def find_broker_of(settings: MqttSettings, timeout_s: float = 1.0) -> Broker | None:
    """The broker that the settings name, or None; TrustError for certificates that cannot be used."""
    tls = bundle.context(settings.certificates) if settings.certificates else None
    return find_broker(settings.host, settings.port, timeout_s, tls)


def available_kind() -> OwnKind | None:
    """Which broker `run_broker` would start."""
    if _mosquitto() is not None:
        return "mosquitto"
    return "amqtt" if find_spec("amqtt") is not None else None


@contextmanager
def run_broker(port: int | None = None, kind: OwnKind | None = None) -> Iterator[Broker]:
    """Run a broker on `port` (default: a free one) of 127.0.0.1 until the block ends.

    BusError when none is installed, when the port is taken or when the broker does not come up. Call it from
    a thread that lives as long as the broker shall: Linux counts the starting thread as its parent.
    """
    chosen = kind or available_kind()
    if chosen is None:
        raise BusError(f"no MQTT broker is installed; {_CURE}")
    if port is not None:
        require_free(port)
    number = port or free_port()
    process = _start(chosen, number)
    try:
        yield Broker(LOOPBACK, number, chosen, process.pid)
    finally:
        _end(process)


def _mosquitto() -> str | None:
    # Debian puts it where only root's PATH leads.
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


def _command(kind: OwnKind, port: int, folder: Path) -> list[str]:
    """Write the configuration into `folder`; the command line that runs it."""
    config = folder / f"{kind}.conf"
    if kind == "amqtt":
        if find_spec("amqtt") is None:
            raise BusError(f"amqtt is not installed; {_CURE}")
        config.write_text(json.dumps(_amqtt_config(port)))  # JSON is YAML
        return [sys.executable, "-m", "amqtt.scripts.broker_script", "-c", str(config)]
    binary = _mosquitto()
    if binary is None:
        raise BusError(f"mosquitto is not installed; {_CURE}")
    config.write_text(
        f"listener {port} {LOOPBACK}\n"
        # Started by root it would change to its own user, and a change of user forgets PR_SET_PDEATHSIG.
        f"user {getpass.getuser()}\n"
        "allow_anonymous true\n"
        "set_tcp_nodelay true\n"
        "persistence false\n"
        f"message_size_limit {4 * MAX_PAYLOAD_BYTES}\n"
        "log_dest stderr\n"
        "log_type error\n"
        "log_type warning\n"
    )
    return [binary, "-c", str(config)]


def _amqtt_config(port: int) -> dict[str, object]:
    return {
        "listeners": {"default": {"type": "tcp", "bind": f"{LOOPBACK}:{port}"}},
        "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
    }


def _start(kind: OwnKind, port: int) -> subprocess.Popen[bytes]:
    # The folder goes as soon as the broker has read it, so that not even SIGKILL leaves one behind.
    with tempfile.TemporaryDirectory(prefix="everpaw-broker-") as name:
        folder = Path(name)
        command = _command(kind, port, folder)
        with (folder / "log").open("wb") as output:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd="/",
                start_new_session=True,  # Ctrl-C goes to the parent, which ends the broker last
                preexec_fn=die_with_parent(),
            )
        try:
            _wait_until_up(process, kind, port, folder)
        except BaseException:
            _end(process)
            raise
    return process


def die_with_parent() -> Callable[[], None] | None:
    """For the child: ask the kernel for SIGKILL at the parent's death. Linux only; None elsewhere."""
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None)
    return lambda: libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _wait_until_up(process: subprocess.Popen[bytes], kind: OwnKind, port: int, folder: Path) -> None:
    give_up_s = time.monotonic() + START_TIMEOUT_S
    while find_broker(port=port, timeout_s=0.5) is None:
        if process.poll() is not None or time.monotonic() > give_up_s:
            said = (folder / "log").read_text(errors="replace").strip().splitlines()
            last = said[-1] if said else "it said nothing"
            raise BusError(f"{kind} did not start on {LOOPBACK}:{port} ({last}); try another port")
        time.sleep(0.02)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(2)
        return
    process.kill()
    process.wait()


def free_port() -> int:
    """One of this computer's loopback that nobody listens on."""
    with socket.create_server((LOOPBACK, 0)) as server:
        return int(server.getsockname()[1])


def require_free(port: int, host: str = LOOPBACK) -> None:
    """BusError where nothing can listen on that port of that address of this computer."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except (OSError, OverflowError) as error:
        raise BusError(
            f"port {port} of {host} cannot be used ({error}); stop what uses it or name another port"
        ) from error
