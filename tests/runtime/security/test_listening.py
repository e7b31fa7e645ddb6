"""What a default start opens to others: one broker on the loopback, and nothing else."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from runtime import starter
from runtime.broker import available_kind
from runtime.bus import Bus
from runtime.simulated import simulated_body
from tests.family import family

SS = shutil.which("ss") or shutil.which("ss", path="/usr/sbin:/sbin")
pytestmark = [
    pytest.mark.skipif(SS is None, reason="ss (iproute2) is not installed"),
    pytest.mark.skipif(available_kind() is None, reason="no broker is installed"),
]


def listeners(pids: set[int]) -> set[tuple[str, str]]:
    """(protocol, address) of everything that `ss -lntup` shows of these processes."""
    assert SS is not None
    shown = subprocess.run([SS, "-lntupH"], capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in shown.splitlines() if any(f"pid={pid}," in line for pid in pids)]
    return {(row[0], row[4]) for row in rows}


def test_a_default_start_listens_on_the_loopback_alone(tmp_path: Path) -> None:
    with simulated_body("buddy", starter.load_pack()) as body:
        settings = ["--set", f"mqtt.port={body.broker.port}", "--set", "audio.source=silence"]
        command = [sys.executable, "-m", "runtime.cli", "run", *settings, "--set", "audio.sink=silence"]
        with subprocess.Popen(command, env=os.environ | {"XDG_DATA_HOME": str(tmp_path)}) as mind:
            try:
                wait_for_the_mind(body.broker.port)
                started = mind.pid, body.bridge.pid, body.microcontroller.pid, body.broker.pid
                ours = {pid for one in started for pid in family(one)}
                assert listeners(ours) == {("tcp", f"127.0.0.1:{body.broker.port}")}
            finally:
                mind.terminate()


def wait_for_the_mind(port: int) -> None:
    told: list[bytes] = []
    with Bus("buddy", port=port) as bus:
        bus.subscribe("state/privacy", lambda delivery: told.append(delivery.payload))
        give_up_s = time.monotonic() + 60
        while not told:
            assert time.monotonic() < give_up_s, "the mind does not come up"
            time.sleep(0.1)
