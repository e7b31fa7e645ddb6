"""Battery, IMU, e-stop, touch and lift, each read at its own pace and told to the vitals."""

from math import atan2, sqrt

from machine import Pin

MPU_ADDRESS, MPU_WAKE, MPU_ACCEL = 0x68, 0x6B, 0x3B
MPU_PER_G = 16384
RAD_TO_DEG = 57.29578
ASLEEP = b"\0" * 6
"""What it says after a power failure of its own"""


class Battery:
    """A pack behind a divider of `ratio` (whole pack over pin); `read_mv` gives millivolts at the pin."""

    HAVE = 1

    def __init__(self, read_mv: object, ratio: float) -> None:
        self._read_mv = read_mv
        self._ratio = ratio

    def feel(self, vitals: object) -> None:
        vitals.feel_supply(int(self._read_mv() * self._ratio))


class ChipHeat:
    """The chip's own temperature; `read_c` gives degrees Celsius."""

    HAVE = 2

    def __init__(self, read_c: object) -> None:
        self._read_c = read_c

    def feel(self, vitals: object) -> None:
        vitals.feel_temperature(int(self._read_c()))


class Imu:
    """An MPU-6050 on I2C, x ahead, y left, z up."""

    HAVE = 4

    def __init__(self, i2c: object) -> None:
        self._i2c = i2c
        self._raw = bytearray(6)
        self._awake = False

    def feel(self, vitals: object) -> None:
        if not self._awake:
            self._i2c.writeto_mem(MPU_ADDRESS, MPU_WAKE, b"\0")
        self._awake = False  # where the next line fails, it is woken again
        self._i2c.readfrom_mem_into(MPU_ADDRESS, MPU_ACCEL, self._raw)
        self._awake = True
        if self._raw == ASLEEP:
            self._awake = False
            return
        x, y, z = self._axis(0), self._axis(2), self._axis(4)
        roll = atan2(y, z) * RAD_TO_DEG
        pitch = atan2(-x, sqrt(y * y + z * z)) * RAD_TO_DEG
        vitals.feel_tilt(int(roll), int(pitch), int(sqrt(x * x + y * y + z * z) * 1000 / MPU_PER_G))

    def _axis(self, at: int) -> int:
        value = self._raw[at] << 8 | self._raw[at + 1]
        return value - 0x10000 if value & 0x8000 else value


class EStop:
    """A normally closed switch to ground: pressed, unplugged or cut, it is open and stops."""

    HAVE = 16

    def __init__(self, pin: int) -> None:
        self._pin = Pin(pin, Pin.IN, Pin.PULL_UP)

    def feel(self, vitals: object) -> None:
        vitals.feel_estop(self._pin.value() == 1)


class Feet:
    """Switches in the feet, closed to ground under weight: lifted where all are open."""

    HAVE = 8

    def __init__(self, pins: tuple) -> None:
        self._pins = [Pin(pin, Pin.IN, Pin.PULL_UP) for pin in pins]

    def feel(self, vitals: object) -> None:
        open_feet = 0
        for pin in self._pins:
            open_feet += pin.value()
        vitals.feel_lift(open_feet == len(self._pins))


class Touch:
    """Touch pads with a digital output, high where touched."""

    HAVE = 64

    def __init__(self, pins: tuple) -> None:
        self._pins = [Pin(pin, Pin.IN) for pin in pins]

    def feel(self, vitals: object) -> None:
        pads = 0
        for i, pin in enumerate(self._pins):
            pads |= pin.value() << i
        vitals.feel_touch(pads)


def fitted(senses: tuple, pins: dict, i2c: object) -> tuple:
    """(quick, slow) lists of what every board reads alike; the e-stop always is."""
    quick = [EStop(pins["estop"])]
    if "feet" in senses:
        quick.append(Feet(pins["feet"]))
    if "touch" in senses:
        quick.append(Touch(pins["touch"]))
    return quick, [Imu(i2c)] if "imu" in senses else []
