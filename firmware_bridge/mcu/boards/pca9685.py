"""Servos on a PCA9685: sixteen channels over I2C, and an output-enable pin that cuts them all."""

ADDRESS = 0x40
MODE1, LED0, ALL_OFF_HIGH, PRESCALE = 0x00, 0x06, 0xFD, 0xFE
AUTO_INCREMENT, SLEEP, FULL_OFF, RESTART = 0x20, 0x10, 0x10, 0x80
CLOCK_HZ, STEPS = 25_000_000, 4096


class Pca9685Servos:
    """`i2c` is a machine.I2C; `enable` a Pin that is low while the outputs are on, or None."""

    HAVE = 0

    def __init__(self, mounting: object, i2c: object, enable: object = None, hz: int = 50) -> None:
        self._mounting = mounting
        self._i2c = i2c
        self._enable = enable
        self._hz = hz
        self._period_us = 1_000_000 // hz
        self._pulse = bytearray(4)
        self._one = bytearray(1)
        self._is_set_up = False
        self._driven = True

    def _set_up(self) -> None:
        self._put(MODE1, SLEEP)
        self._put(PRESCALE, (CLOCK_HZ + STEPS * self._hz // 2) // (STEPS * self._hz) - 1)
        self._put(MODE1, AUTO_INCREMENT)
        self._is_set_up = True

    def drive(self, position: list) -> None:
        self._check()
        for joint, row in enumerate(self._mounting.rows):
            off = self._mounting.pulse_us(joint, position[joint]) * STEPS // self._period_us
            self._pulse[2] = off & 0xFF
            self._pulse[3] = off >> 8
            self._i2c.writeto_mem(ADDRESS, LED0 + 4 * row[0], self._pulse)
        if not self._driven and self._enable:
            self._enable.value(0)
        self._driven = True

    def _check(self) -> None:
        """After a power failure of its own it would make pulses of another length: no pulse then."""
        self._i2c.readfrom_mem_into(ADDRESS, MODE1, self._one)
        if self._one[0] & ~RESTART != AUTO_INCREMENT:
            self._is_set_up = False
            self._driven = True
            raise OSError("the PCA9685 was reset")

    def release(self) -> None:
        """No pulse, no torque; the pin first, for it needs no bus. Tried again until the chip answers."""
        if self._driven:
            if self._enable:
                self._enable.value(1)
            if not self._is_set_up:
                self._set_up()
            self._put(ALL_OFF_HIGH, FULL_OFF)
            self._driven = False

    def feel(self, vitals: object) -> None:
        pass

    def _put(self, register: int, value: int) -> None:
        self._one[0] = value
        self._i2c.writeto_mem(ADDRESS, register, self._one)
