"""From the bus's thread to the bridge's loop: a bounded queue that wakes a `select`."""

import os
from collections import deque
from collections.abc import Iterator
from contextlib import suppress

from runtime.bus import Delivery

INBOX_LIMIT = 256


class Inbox:
    """Messages from the bus's thread to the loop: at most INBOX_LIMIT; beyond, all but stops are dropped."""

    def __init__(self) -> None:
        self._waiting: deque[Delivery] = deque()
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)
        self.dropped = 0

    def fileno(self) -> int:
        return self._wake_read

    def put(self, delivery: Delivery) -> None:
        """Called on the bus's thread."""
        if delivery.name == "cmnd/stop":
            self._waiting.appendleft(delivery)
        elif len(self._waiting) < INBOX_LIMIT:
            self._waiting.append(delivery)
        else:
            self.dropped += 1
        with suppress(BlockingIOError):
            os.write(self._wake_write, b"\0")

    def take(self) -> Iterator[Delivery]:
        with suppress(BlockingIOError):
            os.read(self._wake_read, 4096)
        while self._waiting:
            yield self._waiting.popleft()

    def close(self) -> None:
        os.close(self._wake_read)
        os.close(self._wake_write)
