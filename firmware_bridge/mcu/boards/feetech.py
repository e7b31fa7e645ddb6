"""Feetech STS bus servos on one half-duplex UART: goals in one broadcast, one servo read back a tick.

They tell their position, supply and heat, so a blocked joint, a low battery and a hot servo are felt.
"""

SYNC_WRITE, READ, BROADCAST = 0x83, 0x02, 0xFE
TORQUE, GOAL, PRESENT = 0x28, 0x2A, 0x38
ALL_LIMP = b"\xff\xff\xfe\x04\x03\x28\x00\xd2"
"""Broadcast: torque off"""
READ_BYTES = 8
"""position u16, speed u16, load u16, supply u8 (0.1 V), temperature u8"""
ANSWER_BYTES = READ_BYTES + 6
HEARD_BYTES = 128
"""An answer and the echoes of a whole tick"""
STEPS, CENTRE = 4096, 2048


class FeetechServos:
    """`uart` is a machine.UART, which may hear itself; a servo's id is row[0] of the mounting + 1."""

    HAVE = 1 | 2 | 32  # supply, temperature, position

    def __init__(self, mounting: object, uart: object) -> None:
        self._mounting = mounting
        self._uart = uart
        n = len(mounting.rows)
        self._goals = self._broadcast(GOAL, 2, n)
        self._torques = self._broadcast(TORQUE, 1, n)
        for joint in range(n):
            self._torques[8 + 2 * joint] = 1
        self._ask = bytearray((0xFF, 0xFF, 0, 4, READ, PRESENT, READ_BYTES, 0))
        self._heard = bytearray(HEARD_BYTES)
        self._view = memoryview(self._heard)
        self._n = 0
        self._next = 0
        self._asked = -1
        self._driven = False

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
            self._driven = True
            self._send(self._torques)
        frame = self._goals
        for joint in range(len(position)):
            steps = CENTRE + self._mounting.turned(joint, position[joint]) * STEPS // 36000
            steps = min(max(steps, 0), STEPS - 1)
            frame[8 + 3 * joint] = steps & 0xFF
            frame[9 + 3 * joint] = steps >> 8
        self._send(frame)

    def release(self) -> None:
        """Said again every tick: a broadcast has no answer that could tell of its loss."""
        self._driven = False
        self._uart.write(ALL_LIMP)

    def feel(self, vitals: object) -> None:
        """Take the answer to the last question, ask the next servo."""
        if self._asked >= 0:
            self._listen()
            self._take(vitals)
        self._n = 0
        self._asked = self._next
        self._next = (self._next + 1) % len(self._mounting.rows)
        self._ask[2] = self._mounting.rows[self._asked][0] + 1
        self._send(self._ask)

    def _listen(self) -> None:
        """What came since the question: its answer, among echoes of what we said ourselves."""
        while self._uart.any() and self._n < HEARD_BYTES:
            self._n += self._uart.readinto(self._view[self._n :]) or 0
        while self._uart.any():
            self._uart.read(self._uart.any())

    def _take(self, vitals: object) -> None:
        heard = self._heard
        for at in range(self._n - ANSWER_BYTES + 1):
            if heard[at] != 0xFF or heard[at + 1] != 0xFF or heard[at + 2] != self._ask[2]:
                continue
            end = at + ANSWER_BYTES
            if heard[at + 3] != READ_BYTES + 2 or heard[end - 1] != self._checksum(heard, at + 2, end - 1):
                continue
            turned = ((heard[at + 5] | heard[at + 6] << 8) - CENTRE) * 36000 // STEPS
            vitals.feel_position(self._asked, self._mounting.angle(self._asked, turned))
            vitals.feel_supply(heard[at + 11] * 100)
            vitals.feel_temperature(heard[at + 12])
            return

    def _send(self, frame: bytearray) -> None:
        frame[-1] = self._checksum(frame, 2, len(frame) - 1)
        self._uart.write(frame)

    def _checksum(self, frame: bytearray, start: int, end: int) -> int:
        total = 0
        for i in range(start, end):
            total += frame[i]
        return ~total & 0xFF
