"""Flashing against a whole emulated board; and what is refused before anything is changed."""

import hashlib
import json
import struct
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from firmware_bridge.flash import image, plan, session
from firmware_bridge.flash.command import main
from firmware_bridge.flash.greeting import greet
from firmware_bridge.flash.lean import lean
from firmware_bridge.mcu import protocol
from firmware_bridge.port import Port
from firmware_bridge.trims import load_trims, save_trims
from runtime.contracts.body import load_body
from runtime.contracts.errors import LinkError, PackError
from tests.firmware_bridge import emulated

MICROBIT = plan.KINDS[-1]
PICO = plan.Identity("rp2", "Raspberry Pi Pico with RP2040", "1.24", "e66")


@pytest.fixture(scope="module")
def port() -> Iterator[str]:
    emulated.require()
    pytest.importorskip("mpremote")
    with emulated.microbit() as path:
        time.sleep(0.5)
        yield path


class UnpluggedError(Exception):
    pass


def test_a_board_is_flashed_interrupted_anywhere_resumed_read_back_and_greets(
    port: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said: list[str] = []
    job = session.Job(port)
    dry = session.flash(session.Job(port, dry_run=True), said.append, lambda *_: None)
    assert dry.written == tuple(file.path for file in plan.files_for(MICROBIT))
    assert dry.hello is None
    assert "micro:bit with nRF51822" in said[0]

    with pytest.raises(LinkError, match=r"this is a microbit board .*, not rp2; nothing was changed"):
        session.flash(session.Job(port, board="rp2"), said.append, lambda *_: None)

    for number, victim in enumerate(dry.written):

        def pull(name: str, done: int, total: int, victim: str = victim) -> None:
            if name == victim and done >= total // 2:
                raise UnpluggedError

        with pytest.raises(UnpluggedError):
            session.flash(job, said.append, pull)
        left = session.flash(session.Job(port, dry_run=True), said.append, lambda *_: None)
        assert set(left.kept) == set(dry.written[:number]), (
            "what was read back stays, nothing more is claimed"
        )

    assert main(["board", f"port:{port}", "--board", "microbit"]) == 0
    row = json.loads(capsys.readouterr().out.strip().splitlines()[-1])
    assert set(row["written"]) | set(row["kept"]) == set(dry.written)

    assert main(["board", f"port:{port}"]) == 0, "the firmware runs: it is asked out of its loop"
    captured = capsys.readouterr()
    assert json.loads(captured.out.strip().splitlines()[-1])["written"] == []
    assert f"firmware {protocol.FIRMWARE} runs there" in captured.err
    assert "never armed" in captured.err

    for look in (["--dry-run"], ["--board", "rp2"]):
        with suppress(LinkError):
            main(["board", f"port:{port}", *look])
        assert session.await_hello(port) is not None, "whoever only looks leaves the firmware running"
    copy = ["board", "backup", "--port", f"port:{port}", "--out", str(tmp_path / "copy")]
    assert main(copy) == 0
    assert session.await_hello(port) is not None
    with pytest.raises(LinkError, match="is there already; give a new folder"):
        main(copy)
    for file in plan.files_for(MICROBIT):
        assert (tmp_path / "copy" / file.path).read_bytes() == file.data


def test_every_byte_value_passes_the_emulated_uart(port: str) -> None:
    from firmware_bridge.flash.prompt import open_prompt

    echo = (
        "import micropython\nfrom microbit import uart, running_time\nmicropython.kbd_intr(-1)\n"
        "end = running_time() + 60000\nn = 0\nwhile n < 256 and running_time() < end:\n"
        " if uart.any():\n  for b in uart.read(16) or b'':\n   n += 1\n   uart.write(bytes([b]))\n"
        "micropython.kbd_intr(3)\n"
    )
    session.step_out(port, lambda text: None)
    with open_prompt(port) as prompt:
        prompt._transport.exec_raw_no_follow(echo)
        time.sleep(0.3)
        assert prompt._transport.serial.read(0) == b""
        for value in range(256):
            prompt._transport.serial.write(bytes((value,)))
            assert prompt._transport.serial.read(1) == bytes((value,))


def test_a_silent_line_has_no_hello(port: str) -> None:
    import os
    import pty
    import tty

    master, slave = pty.openpty()
    tty.setraw(slave)
    opened = Port(os.ttyname(slave), 115_200)
    assert greet(opened, 0.3) is None
    opened.close()
    os.close(master)
    os.close(slave)


def test_boards_are_known_by_what_they_say() -> None:
    assert plan.kind_of(PICO).name == "rp2"
    assert plan.kind_of(plan.Identity("rp2", "Pico 2 with RP2350", "1.24", "")).name == "rp2"
    assert (
        plan.kind_of(plan.Identity("esp32", "Generic ESP32S3 module with ESP32S3", "1", "")).name == "esp32s3"
    )
    for platform, machine in (("esp32", "Generic ESP32 module with ESP32"), ("pyboard", "PYBv1.1"), ("", "")):
        with pytest.raises(LinkError, match=r"there is no firmware for .*nothing was changed"):
            plan.kind_of(plan.Identity(platform, machine, "1", ""))
    with pytest.raises(LinkError, match="not esp32s3"):
        plan.kind_of(PICO, "esp32s3")


@pytest.mark.parametrize("kind", plan.KINDS, ids=lambda kind: kind.name)
def test_every_file_of_every_board_is_there_and_main_comes_last(kind: plan.Kind) -> None:
    files = plan.files_for(kind, trims=(100, 0))
    assert files[-1].path == plan.MAIN
    assert len({file.path for file in files}) == len(files)
    assert all(file.sha256 == hashlib.sha256(file.data).hexdigest() for file in files)
    assert ("trims.py" in [file.path for file in files]) == kind.can_arm


def test_the_lean_frames_do_the_same() -> None:
    from tests.firmware_bridge import golden

    space: dict[str, object] = {}
    source = lean((plan.MCU / "frames.py").read_text(), protocol)
    exec(source, space)
    assert "protocol" not in source
    assert len(source) < 2_500
    for vector in golden.load():
        decoder = space["Decoder"]()  # type: ignore[operator]
        assert [decoder.feed(byte) for byte in bytes.fromhex(vector["wire"])][-1]
        assert bytes(decoder.payload[: decoder.size]).hex() == vector["payload"]


def uf2(family: int, blocks: int = 2) -> bytes:
    found = b""
    for number in range(blocks):
        head = struct.pack("<8I", image.UF2_MAGIC, image.UF2_MAGIC_2, 0x2000, 0, 256, number, blocks, family)
        found += head + bytes(476) + struct.pack("<I", image.UF2_END)
    return found


def test_a_uf2_goes_only_to_its_own_chip(tmp_path: Path) -> None:
    drive = tmp_path / "RPI-RP2"
    drive.mkdir()
    file = tmp_path / "micropython.uf2"
    file.write_bytes(uf2(0xE48BFF56))
    assert "copied" in image.flash_image(file, "", drive)
    assert (drive / "firmware.uf2").read_bytes() == file.read_bytes()
    file.write_bytes(uf2(0xE48BFF59))
    with pytest.raises(LinkError, match=r"is for RP2350, .* is a RP2040; nothing was changed"):
        image.flash_image(file, "", drive)
    for data, reason in ((uf2(1), "none of"), (uf2(0xE48BFF56)[:-1], "whole UF2"), (bytes(512), "no UF2")):
        file.write_bytes(data)
        with pytest.raises(LinkError, match=reason):
            image.flash_image(file, "", drive)


def test_esptool_gets_only_an_image_for_its_chip(tmp_path: Path) -> None:
    ran: list[list[str]] = []
    file = tmp_path / "micropython.bin"
    file.write_bytes(bytes((0xE9,)) + bytes(11) + struct.pack("<H", 9) + bytes(50))
    image.flash_image(file, "/dev/x", None, lambda command: ran.append(list(command)) or 0)
    assert ran[0][1:] == [
        *("-m", "esptool", "--chip", "esp32s3", "--port", "/dev/x", "write-flash", "0", str(file))
    ]
    with pytest.raises(LinkError, match="esptool could not write"):
        image.flash_image(file, "/dev/x", None, lambda command: 2)
    file.write_bytes(bytes(64))
    with pytest.raises(LinkError, match="no image for an ESP32-S3"):
        image.flash_image(file, "/dev/x", None)


def test_trims_are_bounded_and_named(tmp_path: Path) -> None:
    path = tmp_path / "trims.toml"
    save_trims(path, {"tail": -3.25, "head_pan": 20.0})
    trims = load_trims(path)
    assert trims[load_body().names.index("tail")] in (-320, -330)
    for text, reason in (
        ("tail = 21", "at most 20"),
        ("wing = 1", "unknown joint"),
        ("tail =", "cannot be read"),
    ):
        path.write_text(text)
        with pytest.raises(PackError, match=reason):
            load_trims(path)
