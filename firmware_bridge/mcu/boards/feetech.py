"""Feetech STS bus servos on one half-duplex UART: goals in one broadcast, one servo read back a tick.

They tell their position, supply and heat, so a blocked joint, a low battery and a hot servo are felt.
"""

SYNC_WRITE, READ, BROADCAST = 0x83, 0x02, 0xFE
TORQUE, GOAL, PRESENT = 0x28, 0x2A, 0x38
READ_BYTES = 8
"""position u16, speed u16, load u16, supply u8 (0.1 V), temperature u8"""
STEPS, CENTRE = 4096, 2048


class FeetechServos:
    """`uart` is a machine.UART that hears its own sending where `echo`; row[0] of the mounting is the id."""

    HAVE = 1 | 2 | 32  # supply, temperature, position

    def __init__(self, mounting: object, uart: object, echo: bool = True) -> None:
        self._mounting = mounting
        self._uart = uart
        self._echo = echo
        n = len(mounting.rows)
        self._goals = self._broadcast(GOAL, 2, n)
        self._torques = self._broadcast(TORQUE, 1, n)
        self._ask = bytearray((0xFF, 0xFF, 0, 4, READ, PRESENT, READ_BYTES, 0))
        self._answer = bytearray(6 + READ_BYTES)
        self._next = 0
        self._asked = -1
        self._driven = True
        self.release()

    def _broadcast(self, register: int, width: int, n: int) -> bytearray:
        frame = bytearray(8 + (width + 1) * n)
        size = len(frame) - 4
        for i, byte in enumerate((0xFF, 0xFF, BROADCAST, size, SYNC_WRITE, register, width)):
            frame[i] = byte
        for joint, row in enumerate(self._mounting.rows):
            frame[7 + (width + 1) * joint] = row[0] + 1  # id 0 is not used: a lost servo would answer to it
        return frame

    def drive(self, position: list) -> None:
        if not self._driven:
            self._set_torque(1)
        frame = self._goals
        for joint in range(len(position)):
            steps = CENTRE + self._mounting.turned(joint, position[joint]) * STEPS // 36000
            steps = min(max(steps, 0), STEPS - 1)
            frame[8 + 3 * joint] = steps & 0xFF
            frame[9 + 3 * joint] = steps >> 8
        self._send(frame)

    def release(self) -> None:
        if self._driven:
            self._set_torque(0)

    def _set_torque(self, on: int) -> None:
        self._driven = bool(on)
        for joint in range(len(self._mounting.rows)):
            self._torques[8 + 2 * joint] = on
        self._send(self._torques)

    def feel(self, vitals: object) -> None:
        """Take the answer to the last question, ask the next servo."""
        if self._asked >= 0 and self._uart.any() >= len(self._answer):
            self._uart.readinto(self._answer)
            self._take(vitals, self._answer)
        while self._uart.any():
            self._uart.read(self._uart.any())
        self._asked = self._next
        self._next = (self._next + 1) % len(self._mounting.rows)
        self._ask[2] = self._mounting.rows[self._asked][0] + 1
        self._send(self._ask)

    def _take(self, vitals: object, answer: bytearray) -> None:
        if answer[0] != 0xFF or answer[1] != 0xFF or answer[2] != self._ask[2]:
            return
        if answer[-1] != self._checksum(answer):
            return
        turned = ((answer[5] | answer[6] << 8) - CENTRE) * 36000 // STEPS
        vitals.feel_position(self._asked, self._mounting.angle(self._asked, turned))
        vitals.feel_supply(answer[11] * 100)
        vitals.feel_temperature(answer[12])

    def _send(self, frame: bytearray) -> None:
        frame[-1] = self._checksum(frame)
        self._uart.write(frame)
        if self._echo:
            self._uart.flush()
            self._uart.read(min(self._uart.any(), len(frame)))

    def _checksum(self, frame: bytearray) -> int:
        total = 0
        for i in range(2, len(frame) - 1):
            total += frame[i]
        return ~total & 0xFF
