"""Which board this is, and which files belong on it: a table, and the bytes with their hashes."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from firmware_bridge.dictionary import FIRMWARE_FILES, MCU
from firmware_bridge.flash.lean import lean
from firmware_bridge.mcu import protocol
from firmware_bridge.wiring import Wiring, board_text
from runtime.contracts.errors import LinkError

MAIN = "main.py"
"""Taken away first and written last: half a firmware never runs"""
LOOP_FILES = ("__init__.py", *FIRMWARE_FILES, "version.py", "loop.py")
DRIVERS = ("__init__.py", "chassis.py", "wired.py", "servo.py", "senses.py", "pca9685.py")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of board; `files` maps a path on it to its source under mcu/."""

    name: str
    platform: str
    """What sys.platform says there"""
    machine: tuple[str, ...]
    """One of these stands in os.uname().machine"""
    files: dict[str, str]
    is_lean: bool = False
    can_arm: bool = True


def _with_loop(board: str, *drivers: str) -> dict[str, str]:
    files = {f"mcu/{name}": name for name in LOOP_FILES}
    files |= {f"boards/{name}": f"boards/{name}" for name in (*DRIVERS, *drivers)}
    return files | {"board.py": f"boards/{board}", "boot.py": "boot.py", MAIN: "main.py"}


KINDS = (
    Kind("rp2", "rp2", ("RP2040", "RP2350"), _with_loop("rp2.py", "native.py")),
    Kind("esp32s3", "esp32", ("ESP32S3", "ESP32-S3"), _with_loop("esp32s3.py", "feetech.py")),
    Kind(
        "microbit",
        "microbit",
        ("micro:bit",),
        {"binascii.py": "boards/crc32.py", "frames.py": "frames.py", "link.py": "boards/microbit.py"}
        | {MAIN: "boards/microbit_main.py"},
        is_lean=True,
        can_arm=False,
    ),
)


@dataclass(frozen=True, slots=True)
class File:
    path: str
    data: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True, slots=True)
class Identity:
    """What a board says of itself."""

    platform: str
    machine: str
    release: str
    unique_id: str

    def __str__(self) -> str:
        return f"{self.machine}, MicroPython {self.release}, id {self.unique_id}"


def kind_of(identity: Identity, expected: str = "") -> Kind:
    """The kind this board is; LinkError where there is no firmware for it, or it is not the expected one."""
    names = ", ".join(kind.name for kind in KINDS)
    for kind in KINDS:
        if kind.platform == identity.platform and any(word in identity.machine for word in kind.machine):
            if expected and kind.name != expected:
                raise LinkError(
                    f"this is a {kind.name} board ({identity.machine}), not {expected}; nothing was changed:"
                    " name the right port, or leave --board out"
                )
            return kind
    raise LinkError(
        f"there is no firmware for {identity.machine!r} ({identity.platform}); nothing was changed:"
        f" use one of {names}"
    )


def files_for(kind: Kind, trims: tuple[int, ...] = (), wiring: Wiring | None = None) -> list[File]:
    """What belongs on the board, main.py last. `trims`: hundredths of a degree a joint, from calibration."""
    shrink: Callable[[str], str] = (lambda text: lean(text, protocol)) if kind.is_lean else str
    files = [File(path, shrink(_source(source)).encode()) for path, source in kind.files.items()]
    if trims and kind.can_arm:
        files.insert(0, File("trims.py", f"TRIMS = {trims!r}\n".encode()))
    if wiring is not None and kind.can_arm:
        files.insert(0, File("wiring.py", board_text(wiring, kind.name).encode()))
    return sorted(files, key=lambda file: file.path == MAIN)


def _source(name: str) -> str:
    path: Path = MCU / name
    return path.read_text(encoding="utf-8")
