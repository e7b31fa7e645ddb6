"""How a maker wired the board, where it differs from the board file: a TOML file, checked, put on the board.

servos = "pca9685"                     # or "native" (RP2), "feetech" (ESP32-S3)
senses = ["battery", "imu"]            # what is fitted; the e-stop always is
divider = 4.03                         # battery voltage over voltage at the pin
[pins]
estop = 12
[mounted]                              # joint = [channel or servo number, sign, degrees at its centre]
tail = [11, -1, 0]
"""

import ast
import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from firmware_bridge.dictionary import MCU
from firmware_bridge.mcu.boards.servo import MOUNTED
from runtime.contracts.body import CDEG, Body, load_body
from runtime.contracts.errors import PackError

Pin = Annotated[int, Field(ge=0, le=48)]
SERVOS = {"rp2": ("native", "pca9685"), "esp32s3": ("feetech", "pca9685")}
"""Kind of board -> the servo drivers it has, the one it takes by default first"""
UNUSED = {"native": {"enable"}, "pca9685": {"servos", "tx", "rx"}, "feetech": {"enable", "battery"}}
"""Servo driver -> pins that it leaves alone"""


class Pins(BaseModel):
    """What is left out stays as the board file has it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    servos: tuple[Pin, ...] | None = None
    estop: Pin | None = None
    enable: Pin | None = None
    sda: Pin | None = None
    scl: Pin | None = None
    tx: Pin | None = None
    rx: Pin | None = None
    feet: tuple[Pin, ...] | None = None
    touch: tuple[Pin, ...] | None = None
    battery: Pin | None = None

    @model_validator(mode="after")
    def _once(self) -> "Pins":
        given = self.model_dump(exclude_none=True).values()
        pins = [pin for value in given for pin in (value if isinstance(value, tuple) else (value,))]
        if twice := sorted({pin for pin in pins if pins.count(pin) > 1}):
            raise ValueError(f"pin {twice[0]} stands twice")
        return self


class Wiring(BaseModel):
    """Everything optional."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    servos: Literal["native", "pca9685", "feetech"] | None = None
    senses: frozenset[Literal["battery", "imu", "feet", "touch"]] | None = None
    divider: Annotated[float, Field(ge=1, le=20)] | None = None
    pins: Pins = Pins()
    mounted: dict[str, tuple[Annotated[int, Field(ge=0, le=31)], Literal[-1, 1], float]] = {}


def load_wiring(path: Path, body: Body | None = None) -> Wiring:
    """PackError says what cannot be right."""
    body = body or load_body()
    try:
        wiring = Wiring.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise PackError(f"{path} cannot be read ({error}); docs/wiring.md shows one") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "wiring"
        raise PackError(
            f"{path}: {where}: {first['msg']}; docs/wiring.md shows what may stand there"
        ) from error
    if unknown := [name for name in wiring.mounted if name not in body.by_name]:
        raise PackError(f"{path}: unknown joint {unknown[0]!r}; {body.name} has {', '.join(body.names)}")
    channels = [row[0] for row in _mounted(wiring, body)]
    if twice := [channel for channel in channels if channels.count(channel) > 1]:
        raise PackError(f"{path}: channel {twice[0]} drives two joints; give each its own")
    return wiring


def board_text(wiring: Wiring, kind: str, body: Body | None = None) -> str:
    """wiring.py for a board of this kind; PackError where it has no such servo driver."""
    body = body or load_body()
    if wiring.servos is not None and wiring.servos not in SERVOS.get(kind, ()):
        drivers = " or ".join(SERVOS.get(kind, ())) or "none"
        raise PackError(f"a {kind} board has no servos = {wiring.servos!r}; it has {drivers}")
    _check_pins(wiring, kind)
    lines = ['"""Written by `everpaw flash board --wiring`."""', ""]
    if wiring.servos is not None:
        lines.append(f"SERVOS = {wiring.servos!r}")
    if wiring.senses is not None:
        lines.append(f"SENSES = {tuple(sorted(wiring.senses))!r}")
    if wiring.divider is not None:
        lines.append(f"DIVIDER = {wiring.divider!r}")
    if pins := wiring.pins.model_dump(exclude_none=True):
        lines.append(f"PINS = {pins!r}")
    if wiring.mounted:
        lines.append(f"MOUNTED = {_mounted(wiring, body)!r}")
    return "\n".join(lines) + "\n"


def _check_pins(wiring: Wiring, kind: str) -> None:
    """PackError where the maker's pins and those the board file keeps meet."""
    given = wiring.pins.model_dump(exclude_none=True)
    taken: dict[int, str] = {}
    for name, value in (board_pins(kind) | given).items():
        if name in UNUSED[wiring.servos or SERVOS[kind][0]]:
            continue
        for pin in value if isinstance(value, tuple) else (value,):
            if pin in taken:
                raise PackError(f"pin {pin} is for {taken[pin]} and for {name}; give one of them another pin")
            taken[pin] = name


def board_pins(kind: str) -> dict[str, int | tuple[int, ...]]:
    """PINS of a board file, read without running it."""
    tree = ast.parse((MCU / "boards" / f"{kind}.py").read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node).startswith("wired('PINS'"):
            pins: dict[str, int | tuple[int, ...]] = ast.literal_eval(node.args[1])
            return pins
    raise PackError(f"boards/{kind}.py names no PINS; reinstall everpaw")


def _mounted(wiring: Wiring, body: Body) -> tuple[tuple[int, int, int], ...]:
    """The board's rows, in the body's order, with the maker's own in their places."""
    rows = dict(zip(body.names, MOUNTED, strict=True)) if len(MOUNTED) == len(body.names) else {}
    own = {name: (at, sign, round(deg * CDEG)) for name, (at, sign, deg) in wiring.mounted.items()}
    if missing := [name for name in body.names if name not in rows | own]:
        raise PackError(
            f"[mounted] leaves out {missing[0]!r}; a body of your own needs a row for every joint"
        )
    return tuple((rows | own)[name] for name in body.names)
