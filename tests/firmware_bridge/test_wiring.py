"""A maker's wiring: checked on the host, read by the board's own files."""

from pathlib import Path

import pytest

from firmware_bridge.flash import plan
from firmware_bridge.mcu.boards.servo import MOUNTED
from firmware_bridge.wiring import Wiring, board_text, load_wiring
from runtime.contracts.errors import PackError
from tests.firmware_bridge import fake_machine, micropython

GOOD = """
servos = "pca9685"
senses = ["imu"]
divider = 4.03
[pins]
estop = 12
[mounted]
tail = [11, -1, 5]
"""
SCRIPT = """
import json, sys
sys.modules.pop("micropython", None)
import board
made = board.Board()
print(json.dumps({"have": made.HAVE, "estop": board.PINS["estop"], "sda": board.PINS["sda"],
                  "servos": board.SERVOS, "rows": made._servos._mounting.rows}))
"""


def wiring(tmp_path: Path, text: str) -> Wiring:
    path = tmp_path / "wiring.toml"
    path.write_text(text)
    return load_wiring(path)


def test_the_board_does_what_the_maker_wired(tmp_path: Path) -> None:
    kind = next(kind for kind in plan.KINDS if kind.name == "rp2")
    found = plan.files_for(kind, (), wiring(tmp_path, GOOD))
    assert found[-1].path == "main.py"
    files = {f"/{file.path}": file.data.decode() for file in found}
    files |= {"/machine.py": fake_machine.MACHINE, "/select.py": fake_machine.SELECT}
    seen = micropython.run(tmp_path, SCRIPT, files=files)
    heat, tilt, estop = 2, 4, 16
    assert (seen["have"], seen["estop"], seen["sda"]) == (heat | tilt | estop, 12, 16)
    assert seen["servos"] == "pca9685"
    assert seen["rows"] == [*(list(row) for row in MOUNTED[:-1]), [11, -1, 500]]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("servos = 'steam'", "servos: Input should be"),
        ("senses = ['nose']", "senses"),
        ("pins = { estop = 3, sda = 3 }", "pin 3 stands twice"),
        ("pins = { feet = [4, 5, 5, 6] }", "pin 5 stands twice"),
        ("pins = { nose = 3 }", "pins.nose"),
        ("mounted = { wing = [1, 1, 0] }", "unknown joint 'wing'"),
        ("mounted = { tail = [0, 1, 0] }", "channel 0 drives two joints"),
        ("mounted = { tail = [10, 2, 0] }", "mounted.tail"),
        ("divider = nan", "divider"),
        ("servos = ", "cannot be read"),
    ],
)
def test_wiring_that_cannot_be_is_refused_by_name(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(PackError, match=reason):
        wiring(tmp_path, text)


def test_a_pin_that_the_board_uses_already_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PackError, match=r"pin 16 is for .* and for"):
        board_text(wiring(tmp_path, "pins = { estop = 16 }"), "rp2")
    with pytest.raises(PackError, match="pin 5 is for"):
        board_text(wiring(tmp_path, "pins = { estop = 5 }"), "rp2")
    assert "5" in board_text(wiring(tmp_path, "servos = 'pca9685'\npins = { estop = 5 }"), "rp2")
    for kind in ("rp2", "esp32s3"):
        assert board_text(Wiring(), kind), "the board files' own pins never meet"


def test_a_board_without_that_driver_says_which_it_has(tmp_path: Path) -> None:
    feetech = wiring(tmp_path, "servos = 'feetech'")
    assert "SERVOS = 'feetech'" in board_text(feetech, "esp32s3")
    with pytest.raises(PackError, match="it has native or pca9685"):
        board_text(feetech, "rp2")
