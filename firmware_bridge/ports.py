"""Which serial ports there are, and which one a word means: `auto`, `id:SERIAL`, `port:PATH` or a path.

A board is named by its link under /dev/serial/by-id where it has one, because that name survives unplugging.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from serial.tools import list_ports

from runtime.contracts.errors import LinkError

BY_ID = Path("/dev/serial/by-id")
KNOWN = {
    (0x2E8A, 0x0005): "RP2040 or RP2350, MicroPython",
    (0x303A, 0x1001): "ESP32-S3, USB-Serial/JTAG",
    (0x303A, 0x4001): "ESP32-S3, MicroPython",
    (0x10C4, 0xEA60): "CP210x serial bridge",
    (0x1A86, 0x7523): "CH340 serial bridge",
    (0x1A86, 0x55D3): "CH343 serial bridge",
    (0x0D28, 0x0204): "micro:bit",
}
"""(USB vendor, product) -> what usually sits behind it"""


class PortInfo(Protocol):
    """The part of pyserial's ListPortInfo that is read."""

    device: str
    vid: int | None
    pid: int | None
    serial_number: str | None


@dataclass(frozen=True, slots=True)
class Found:
    """A serial port; `path` is the lasting name, `device` what it is today."""

    path: str
    device: str
    serial_number: str
    kind: str
    """What the USB ids say; empty where they are unknown"""


def find_ports(comports: Callable[[], Iterable[PortInfo]] | None = None, by_id: Path = BY_ID) -> list[Found]:
    """All serial ports with a USB identity, by lasting name."""
    lasting = {str(link.resolve()): str(link) for link in sorted(by_id.glob("*"))} if by_id.is_dir() else {}
    infos: Iterable[PortInfo] = (comports or list_ports.comports)()
    found = [
        Found(
            path=lasting.get(info.device, info.device),
            device=info.device,
            serial_number=info.serial_number or "",
            kind=KNOWN.get((info.vid or 0, info.pid or 0), ""),
        )
        for info in infos
        if info.vid is not None
    ]
    return sorted(found, key=lambda port: port.path)


def resolve(word: str, ports: Callable[[], list[Found]] = find_ports) -> str:
    """The path that `word` means; LinkError where there is no such board, or more than one for `auto`."""
    if word == "auto":
        return _only_one(ports())
    if word.startswith("id:"):
        wanted = word.removeprefix("id:")
        for port in ports():
            if port.serial_number == wanted:
                return port.path
        raise LinkError(f"no board has serial number {wanted!r}; `everpaw flash board list` shows them")
    if "/" not in word:
        raise LinkError(
            f"{word!r} names no board: give auto, id:SERIAL or port:PATH;"
            " `everpaw flash board list` shows which there are"
        )
    return word.removeprefix("port:")


def _only_one(ports: list[Found]) -> str:
    likely = [port for port in ports if port.kind]
    if len(likely) == 1:
        return likely[0].path
    if not likely:
        raise LinkError("no board is plugged in; plug one in, or name its port with port:PATH")
    names = ", ".join(f"id:{port.serial_number}" if port.serial_number else port.path for port in likely)
    raise LinkError(f"{len(likely)} boards are plugged in; name one of {names}")
