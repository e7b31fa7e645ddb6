"""ESP32-S3, flashed as board.py: Feetech bus servos, or a PCA9685 (its own PWM has 8 channels, too few).

Pins: servo bus UART1 on 17/18, I2C0 on 8/9 (IMU, PCA9685), output enable 10, e-stop 13 (normally closed to
ground), feet 4-7, touch 14 and 21, battery ADC 1 behind a divider of three.
"""

import esp32
from boards.chassis import Chassis
from boards.feetech import FeetechServos
from boards.pca9685 import Pca9685Servos
from boards.senses import Battery, ChipHeat, EStop, Feet, Imu, Touch
from boards.servo import MOUNTED, Mounting
from machine import I2C, UART, Pin

SERVOS = "feetech"
"""or "pca9685\""""
ENABLE, ESTOP, FEET, TOUCH, BATTERY, DIVIDER = 10, 13, (4, 5, 6, 7), (14, 21), 1, 3


def quiet() -> None:
    """The PCA9685's outputs off; bus servos come up without torque by themselves."""
    Pin(ENABLE, Pin.OUT).value(1)


class Board(Chassis):
    def __init__(self) -> None:
        i2c = I2C(0, sda=Pin(8), scl=Pin(9), freq=400_000)
        mounting = Mounting(MOUNTED)
        senses = [Imu(i2c), EStop(ESTOP), Feet(FEET), Touch(TOUCH)]
        if SERVOS == "feetech":
            servos = FeetechServos(mounting, UART(1, baudrate=1_000_000, tx=17, rx=18))
        else:
            servos = Pca9685Servos(mounting, i2c, Pin(ENABLE, Pin.OUT))
            senses += [Battery(BATTERY, DIVIDER), ChipHeat(esp32.mcu_temperature)]
        Chassis.__init__(self, servos, tuple(senses))
