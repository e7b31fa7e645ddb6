"""A Petoi Bittle as a body: `everpaw petoi`. WITHOUT our firmware's safety guarantee.

OpenCat's serial line has no checksum, no sequence and no link-loss stop, and its limits are not ours: if this
computer or the cable dies, the robot stays as it is, with torque. What can be done from here is done: our
guard runs in this process, behind the same link as a real board, so limits, slew, deadline and stop hold
against everything but the death of this process and of the cable.
"""

import argparse
import os
import sys
from contextlib import suppress
from pathlib import Path

import serial

from firmware_bridge.bittle import bittle_of
from firmware_bridge.port import cannot_open
from firmware_bridge.ports import resolve
from firmware_bridge.sim import Ended, SimulatedBoard, open_pty
from firmware_bridge.urgency import be_urgent
from runtime.contracts.body import CDEG, load_body
from runtime.contracts.errors import LinkError

BAUD = 115_200
EVERY_TICKS = 4
"""OpenCat takes about 25 frames a second"""
WARNING = (
    "a Petoi robot has no link-loss stop: if this computer or the cable dies it keeps its torque;"
    " stay near, and know where its battery is"
)


def angles_token(pose_deg: dict[str, float]) -> bytes:
    """`i`: these joints at once, whole degrees; joints that the robot lacks are left out."""
    return (
        "i" + " ".join(f"{index} {angle}" for index, angle in bittle_of(pose_deg).items()) + "\n"
    ).encode()


REST_TOKEN = b"d\n"
"""Lie down, servos off"""


class PetoiBoard(SimulatedBoard):
    """The simulator's board whose servos are the robot's: `wire` is its serial line."""

    def __init__(self, master: int, wire: serial.Serial) -> None:
        super().__init__(master)
        self._wire = wire
        self._names = load_body().names
        self._driven = False
        self._said = b""

    def moved(self) -> None:
        """After each tick: what the guard holds goes out, as often as the robot can take it."""
        if not self.guard.torque:
            if self._driven:
                self._driven = False
                self._send(REST_TOKEN)
        elif self.device.ticks % EVERY_TICKS == 0:
            self._driven = True
            pose = {name: cdeg / CDEG for name, cdeg in zip(self._names, self.guard.position, strict=True)}
            self._send(angles_token(pose))

    def _send(self, token: bytes) -> None:
        if token != self._said:
            self._said = token
            try:
                self._wire.write(token)
            except OSError as error:
                raise LinkError(f"the robot's port went away ({error}); {WARNING}") from error


def main(argv: list[str] | None = None) -> int:
    """`everpaw petoi`."""
    parser = argparse.ArgumentParser(
        prog="everpaw petoi",
        description=f"A Petoi Bittle as a body, WITHOUT the safety guarantee: {WARNING}.",
    )
    parser.add_argument("--port", default="auto", help="the robot: auto, id:SERIAL or a serial port")
    parser.add_argument(
        "--link", type=Path, required=True, help="the port that `everpaw bridge --port` opens"
    )
    args = parser.parse_args(argv)
    print(f"everpaw: {WARNING}", file=sys.stderr)
    path = resolve(args.port)
    ended = Ended().listen()
    be_urgent()
    try:
        wire = serial.Serial(path, BAUD, timeout=0, write_timeout=1, exclusive=True)
    except (OSError, ValueError) as error:
        raise cannot_open(path, error) from error
    try:
        with open_pty(args.link) as (master, _):
            PetoiBoard(master, wire).run(ended, os.getppid())
    finally:
        with suppress(OSError):  # a robot that was unplugged hears nothing any more
            wire.write(REST_TOKEN)
            wire.flush()
        wire.close()
    return 0
