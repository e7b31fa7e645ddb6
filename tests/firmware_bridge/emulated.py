"""A whole emulated board: QEMU's micro:bit with Debian's MicroPython on a pty."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

FIRMWARE = Path("/usr/share/firmware-microbit-micropython/firmware.hex")


def require() -> None:
    if shutil.which("qemu-system-arm") is None or not FIRMWARE.is_file():
        pytest.skip("qemu-system-arm and firmware-microbit-micropython are not installed")


@contextmanager
def microbit() -> Iterator[str]:
    """The pty of a freshly started board."""
    command = ["qemu-system-arm", "-M", "microbit", "-device", f"loader,file={FIRMWARE}"]
    command += ["-serial", "pty", "-display", "none", "-monitor", "none"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        found = re.search(r"/dev/pts/\d+", line)
        assert found, line
        # Held open here, or QEMU would see a hang-up whenever a program closes its end.
        held = os.open(found.group(), os.O_RDWR | os.O_NOCTTY)
        try:
            yield found.group()
        finally:
            os.close(held)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
