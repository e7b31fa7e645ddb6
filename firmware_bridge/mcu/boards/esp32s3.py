"""ESP32-S3, flashed as board.py: Feetech bus servos, or a PCA9685 (its own PWM has 8 channels, too few).

Pins as in PINS, unless the maker's wiring says otherwise; docs/wiring.md shows them.
"""

import esp32
from boards.chassis import Chassis
from boards.feetech import ALL_LIMP, FeetechServos
from boards.pca9685 import Pca9685Servos
from boards.senses import Battery, ChipHeat, fitted
from boards.servo import MOUNTED, Mounting
from boards.wired import wired
from machine import ADC, I2C, UART, Pin

SERVOS = wired("SERVOS", "feetech")
"""or "pca9685\""""
SENSES = wired("SENSES", ("battery", "imu", "feet", "touch"))
"""What is fitted; the e-stop always is, and heat and battery are the bus servos' own where there are any"""
PINS = wired(
    "PINS",
    {
        "tx": 17,
        "rx": 18,
        "sda": 8,
        "scl": 9,
        "enable": 10,
        "estop": 13,
        "feet": (4, 5, 6, 7),
        "touch": (14, 21),
        "battery": 1,
    },
)
DIVIDER = wired("DIVIDER", 3)
BUS_BAUD = 1_000_000
WATCHDOG_MS = 1_000
"""Older MicroPython takes whole seconds only"""


def quiet() -> None:
    """The PCA9685's outputs off; bus servos keep their torque over our restart, unless they are told."""
    if SERVOS == "feetech":
        UART(1, baudrate=BUS_BAUD, tx=PINS["tx"], rx=PINS["rx"]).write(ALL_LIMP)
    else:
        Pin(PINS["enable"], Pin.OUT).value(1)


class Board(Chassis):
    def __init__(self) -> None:
        mounting = Mounting(wired("MOUNTED", MOUNTED))
        i2c = I2C(0, sda=Pin(PINS["sda"]), scl=Pin(PINS["scl"]), freq=400_000)
        quick, slow = fitted(SENSES, PINS, i2c)
        if SERVOS == "feetech":
            servos = FeetechServos(mounting, UART(1, baudrate=BUS_BAUD, tx=PINS["tx"], rx=PINS["rx"]))
        else:
            servos = Pca9685Servos(mounting, i2c, Pin(PINS["enable"], Pin.OUT))
            slow.append(ChipHeat(esp32.mcu_temperature))
        if "battery" in SENSES and SERVOS != "feetech":
            # Without attenuation the converter is full at 1 V, and no pack would ever be low.
            pack = ADC(Pin(PINS["battery"]), atten=ADC.ATTN_11DB)
            slow.append(Battery(lambda: pack.read_uv() // 1000, DIVIDER))
        Chassis.__init__(self, servos, tuple(quick), tuple(slow), WATCHDOG_MS)
