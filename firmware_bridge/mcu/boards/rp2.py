"""RP2040 and RP2350 (Raspberry Pi Pico and kin), flashed as board.py: native PWM, or a PCA9685.

Pins: servos GP2-GP12 by channel, e-stop GP13 (normally closed to ground), I2C0 on GP16/GP17 (IMU, PCA9685),
feet GP18-GP21, touch GP22 and GP14, battery ADC GP26 behind a divider of three.
"""

from boards.chassis import Chassis
from boards.native import NativeServos
from boards.pca9685 import Pca9685Servos
from boards.senses import Battery, ChipHeat, EStop, Feet, Imu, Touch
from boards.servo import MOUNTED, Mounting
from machine import ADC, I2C, Pin

SERVOS = "native"
"""or "pca9685\""""
SERVO_PINS = (2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)
ESTOP, FEET, TOUCH, BATTERY, DIVIDER = 13, (18, 19, 20, 21), (22, 14), 26, 3


def quiet() -> None:
    """Servo pins low: no pulse, no torque."""
    for pin in SERVO_PINS:
        Pin(pin, Pin.OUT).value(0)


class Board(Chassis):
    def __init__(self) -> None:
        i2c = I2C(0, sda=Pin(16), scl=Pin(17), freq=400_000)
        mounting = Mounting(MOUNTED)
        by_i2c = SERVOS == "pca9685"
        servos = Pca9685Servos(mounting, i2c) if by_i2c else NativeServos(mounting, SERVO_PINS)
        heat = ADC(4)
        # The chip's diode: 706 mV at 27 degrees, 1.721 mV less for each degree more.
        chip = ChipHeat(lambda: 27 - (heat.read_u16() * 3300 // 65535 - 706) * 1000 // 1721)
        senses = (Battery(BATTERY, DIVIDER), chip, Imu(i2c), EStop(ESTOP), Feet(FEET), Touch(TOUCH))
        Chassis.__init__(self, servos, senses)
