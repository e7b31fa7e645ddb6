"""MicroPython itself onto a bare board, only when asked: a UF2 file by copying, a .bin by esptool.

Images are not fetched: they come from https://micropython.org/download, chosen by the owner.
"""

import shutil
import struct
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from runtime.contracts.errors import LinkError, MissingExtraError

UF2_BLOCK, UF2_MAGIC, UF2_MAGIC_2, UF2_END = 512, 0x0A324655, 0x9E5D5157, 0x0AB16F30
UF2_FAMILIES = {0xE48BFF56: "RP2040", 0xE48BFF59: "RP2350"}
FAMILY_PRESENT = 0x2000
DRIVES = {"RPI-RP2": "RP2040", "RP2350": "RP2350"}
ESP_MAGIC, ESP32S3_CHIP = 0xE9, 9
Run = Callable[[Sequence[str]], int]


def flash_image(image: Path, port: str, drive: Path | None, run: Run | None = None) -> str:
    """Put `image` on the board; what was done, in words. LinkError where image and board do not fit."""
    try:
        head = image.read_bytes()
    except OSError as error:
        raise LinkError(f"cannot read {image} ({error.strerror}); give a MicroPython image") from error
    if image.suffix.lower() == ".uf2":
        return _copy_uf2(image, uf2_family(image, head), drive)
    if len(head) < 24 or head[0] != ESP_MAGIC or struct.unpack_from("<H", head, 12)[0] != ESP32S3_CHIP:
        raise LinkError(f"{image} is no image for an ESP32-S3; nothing was changed: choose another file")
    command = [sys.executable, "-m", "esptool", "--chip", "esp32s3", "--port", port]
    if (run or _run)([*command, "write-flash", "0", str(image)]):
        raise LinkError(
            f"esptool could not write {image} to {port}; hold BOOT, press RESET and type the same line again"
        )
    return f"MicroPython written to {port} by esptool"


def uf2_family(image: Path, data: bytes) -> str:
    """Which chip a UF2 file is for; LinkError where it is none, or cut."""
    if not data or len(data) % UF2_BLOCK:
        raise LinkError(f"{image} has {len(data)} bytes, not whole UF2 blocks; copy it again")
    families = set()
    for at in range(0, len(data), UF2_BLOCK):
        first, second, flags = struct.unpack_from("<III", data, at)
        family, end = struct.unpack_from("<I", data, at + 28)[0], struct.unpack_from("<I", data, at + 508)[0]
        if (first, second, end) != (UF2_MAGIC, UF2_MAGIC_2, UF2_END):
            raise LinkError(f"{image} is no UF2 file at byte {at}; copy it again")
        families.add(UF2_FAMILIES.get(family, "") if flags & FAMILY_PRESENT else "")
    chips = {family for family in families if family}
    if len(chips) != 1:
        raise LinkError(f"{image} is for none of {', '.join(UF2_FAMILIES.values())}; choose another file")
    return chips.pop()


def _copy_uf2(image: Path, chip: str, drive: Path | None) -> str:
    found = [drive] if drive else _drives()
    if len(found) != 1:
        raise LinkError(
            f"{len(found)} boards in boot mode; hold BOOTSEL while plugging one in, or give --drive DIR"
        )
    is_for = DRIVES.get(found[0].name, chip)
    if is_for != chip:
        raise LinkError(f"{image} is for {chip}, the board at {found[0]} is a {is_for}; nothing was changed")
    shutil.copyfile(image, found[0] / "firmware.uf2")
    return f"MicroPython copied to {found[0]}; the board starts by itself"


def _drives() -> list[Path]:
    roots = [Path("/media"), Path("/run/media"), Path("/Volumes")]
    return [path for root in roots for name in DRIVES for path in root.glob(f"**/{name}") if path.is_dir()]


def _run(command: Sequence[str]) -> int:
    try:
        import esptool  # noqa: F401  # only whether it is there: it runs as a process of its own (GPL)
    except ModuleNotFoundError as error:
        raise MissingExtraError("esptool", "flash") from error
    return subprocess.run(command, check=False).returncode
