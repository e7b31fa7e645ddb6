"""An open serial line that resets nobody: exclusive, non-blocking, its control lines left alone.

Boards wire DTR and RTS to reset and boot select. Both are raised together when the kernel opens the port and
stay so: they are never toggled, and HUPCL is cleared, so that closing does not drop them either.
"""

import errno
import termios
from contextlib import suppress

import serial

from runtime.contracts.errors import LinkError

CHUNK = 4_096
"""Bytes read at once"""


class Port:
    """LinkError where it cannot be opened; OSError from `read` and `write` once it is gone."""

    def __init__(self, path: str, baud: int) -> None:
        self.path = path
        self._torn = False
        try:
            # Exclusive: two bridges on one board would fight over every joint.
            self._serial = serial.Serial(path, baud, timeout=0, write_timeout=0, exclusive=True)
        except (OSError, ValueError) as error:
            raise LinkError(
                f"cannot open {path} ({error}); plug the board in, or end the program that uses the port"
            ) from error
        self._keep_lines()
        self._serial.reset_input_buffer()

    def _keep_lines(self) -> None:
        with suppress(termios.error):
            flags = termios.tcgetattr(self._serial.fileno())
            flags[2] &= ~termios.HUPCL
            termios.tcsetattr(self._serial.fileno(), termios.TCSANOW, flags)

    @property
    def baud(self) -> int:
        return int(self._serial.baudrate)

    @baud.setter
    def baud(self, value: int) -> None:
        self._serial.baudrate = value
        self._keep_lines()

    def fileno(self) -> int:
        return int(self._serial.fileno())

    def read(self) -> bytes:
        """What is there, at most CHUNK bytes."""
        try:
            return bytes(self._serial.read(CHUNK))
        except TypeError as error:  # pyserial's, where the port closed under it
            raise OSError(errno.EBADF, "the port was closed") from error

    def write(self, frame: bytes) -> bool:
        """Send one frame; False where the line is full. A frame cut short is ended before the next one."""
        data = b"\0" + frame if self._torn else frame
        try:
            written = self._serial.write(data) or 0
        except serial.SerialTimeoutException:
            written = 0
        if written == 0:
            return False
        self._torn = written < len(data)
        return not self._torn

    def close(self) -> None:
        self._serial.close()
