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


CURES = {
    errno.ENOENT: "it is not there: plug the board in; `everpaw flash board list` shows what is",
    errno.EACCES: "this user may not open it: sudo usermod -aG dialout $USER, then log in again",
    errno.EAGAIN: "another program uses it: end the program that uses the port",
    errno.EBUSY: "another program uses it: end the program that uses the port",
}
NO_TERMINAL = "it is no serial port: `everpaw flash board list` shows which there are"


def cannot_open(path: str, error: Exception) -> LinkError:
    """Why this port cannot be opened, and what to do; `error` is pyserial's or the system's."""
    number = getattr(error, "errno", None)
    # pyserial gives no number where the port opens but takes no settings.
    cure = CURES.get(number or 0) or (f"plug it in again ({error})" if number else NO_TERMINAL)
    return LinkError(f"cannot open {path}: {cure}")


class Port:
    """LinkError where it cannot be opened; OSError from `read` and `write` once it is gone."""

    def __init__(self, path: str, baud: int) -> None:
        self.path = path
        self._torn = False
        try:
            # Exclusive: two bridges on one board would fight over every joint.
            self._serial = serial.Serial(path, baud, timeout=0, write_timeout=0, exclusive=True)
        except (OSError, ValueError) as error:
            raise cannot_open(path, error) from error
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
