"""Servos on the chip's own PWM pins: as many as it has channels (RP2040 16, ESP32-S3 8)."""

from machine import PWM, Pin


class NativeServos:
    """`pins`: pin of each channel of the mounting."""

    HAVE = 0

    def __init__(self, mounting: object, pins: tuple, hz: int = 50) -> None:
        self._mounting = mounting
        self._pwm = [PWM(Pin(pins[row[0]]), freq=hz, duty_u16=0) for row in mounting.rows]
        self._driven = True
        self.release()

    def drive(self, position: list) -> None:
        self._driven = True
        for joint, pwm in enumerate(self._pwm):
            pwm.duty_ns(self._mounting.pulse_us(joint, position[joint]) * 1000)

    def release(self) -> None:
        """No pulse, no torque."""
        if self._driven:
            for pwm in self._pwm:
                pwm.duty_u16(0)
            self._driven = False

    def feel(self, vitals: object) -> None:
        pass
