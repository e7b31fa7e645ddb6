"""A whole robot body on this machine: a real broker, the real bridge process and a simulated microcontroller.

The bridge and the simulator are separate programs, started by name; the mind meets them over MQTT alone.
Every process ends with the block, whatever happened in it.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from runtime.broker import Broker, die_with_parent, run_broker
from runtime.contracts.errors import LinkError
from runtime.contracts.pack import Pack

_START_S = 15.0
_END_S = 5.0


@dataclass(frozen=True, slots=True)
class SimulatedBody:
    broker: Broker
    bridge: subprocess.Popen[bytes]
    microcontroller: subprocess.Popen[bytes]


@contextmanager
def simulated_body(robot_id: str, pack: Pack) -> Iterator[SimulatedBody]:
    """Broker, bridge and microcontroller, armed; BusError or LinkError where one does not come up."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="everpaw-")))
        broker = stack.enter_context(run_broker())
        port = folder / "mcu"
        mcu = stack.enter_context(process("firmware_bridge.sim", "--link", str(port)))
        _wait_for(port, mcu)
        address = f"{broker.host}:{broker.port}"
        bridge = stack.enter_context(
            process(
                *("firmware_bridge.bridge", "--robot-id", robot_id, "--broker", address),
                *("--port", str(port), "--pack", str(pack.folder), "--arm", "--events", str(folder)),
                # The body is none, and whoever opened the pack has judged it.
                *("--set", "pack.allow_unsigned=true"),
            )
        )
        yield SimulatedBody(broker, bridge, mcu)


@contextmanager
def process(module: str, *args: str, quiet: bool = False) -> Iterator[subprocess.Popen[bytes]]:
    """A program of ours, until the block ends or this process does; `quiet`: its talk is not shown."""
    running = subprocess.Popen(
        [sys.executable, "-m", module, *args],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL if quiet else None,
        start_new_session=True,  # Ctrl-C is ours to hand on, in order: mind, bridge, microcontroller
        preexec_fn=die_with_parent(),
    )
    try:
        yield running
    finally:
        running.terminate()
        try:
            running.wait(_END_S)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()


def _wait_for(path: Path, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_S
    while not path.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            raise LinkError("the simulated microcontroller did not come up; its words stand above")
        time.sleep(0.01)
