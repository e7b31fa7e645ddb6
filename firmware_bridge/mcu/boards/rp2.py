"""RP2040 and RP2350 (Raspberry Pi Pico and kin), flashed as board.py: native PWM, or a PCA9685.

Pins as in PINS, unless the maker's wiring says otherwise; docs/wiring.md shows them.
"""

from boards.chassis import Chassis
from boards.native import NativeServos
from boards.pca9685 import Pca9685Servos
from boards.senses import Battery, ChipHeat, fitted
from boards.servo import MOUNTED, Mounting
from boards.wired import wired
from machine import ADC, I2C, Pin

SERVOS = wired("SERVOS", "native")
"""or "pca9685\""""
SENSES = wired("SENSES", ("battery", "imu", "feet", "touch"))
"""What is fitted; the e-stop and the chip's heat always are"""
PINS = wired(
    "PINS",
    {
        "servos": (2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12),
        "estop": 13,
        "enable": 15,
        "sda": 16,
        "scl": 17,
        "feet": (18, 19, 20, 21),
        "touch": (22, 14),
        "battery": 26,
    },
)
DIVIDER = wired("DIVIDER", 3)


def quiet() -> None:
    """Servo pins low, and the PCA9685's outputs off: no pulse, no torque."""
    if SERVOS == "native":
        for pin in PINS["servos"]:
            Pin(pin, Pin.OUT).value(0)
    else:
        Pin(PINS["enable"], Pin.OUT).value(1)


class Board(Chassis):
    def __init__(self) -> None:
        mounting = Mounting(wired("MOUNTED", MOUNTED))
        i2c = I2C(0, sda=Pin(PINS["sda"]), scl=Pin(PINS["scl"]), freq=400_000)
        if SERVOS == "native":
            servos = NativeServos(mounting, PINS["servos"])
        else:
            servos = Pca9685Servos(mounting, i2c, Pin(PINS["enable"], Pin.OUT))
        quick, slow = fitted(SENSES, PINS, i2c)
        heat = ADC(4)
        # The chip's diode: 706 mV at 27 degrees, 1.721 mV less for each degree more.
        slow.append(ChipHeat(lambda: 27 - (heat.read_u16() * 3300 // 65535 - 706) * 1000 // 1721))
        if "battery" in SENSES:
            pack = ADC(Pin(PINS["battery"]))
            slow.append(Battery(lambda: pack.read_u16() * 3300 // 65535, DIVIDER))
        Chassis.__init__(self, servos, tuple(quick), tuple(slow))
