"""Pieces from whoever makes them slowly, taken with a time limit, and given up in between.

A thread of its own asks the iterator for one piece after the other; so a server that says nothing, or a
model that computes on, never holds up the conversation. At most `AHEAD` pieces are made before they are
taken. `close` never waits: the thread ends with the piece it is at, and closes the iterator there.
"""

import queue
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress

AHEAD = 64


class LateError(Exception):
    """No piece came in time."""


class Pump:
    """`next` gives the pieces in order. A context manager; one thread takes, any thread may close."""

    def __init__(self, make: Callable[[], Iterator[str]]) -> None:
        """`make` is called on the thread."""
        self._make_pieces = make
        self._made: queue.Queue[str | BaseException | None] = queue.Queue(AHEAD)
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._make, name="talker", daemon=True)
        self._thread.start()

    def join(self, timeout_s: float) -> None:
        """Wait until the maker has ended, so long at most."""
        self._thread.join(timeout_s)

    def next(self, deadline_s: float) -> str | None:
        """The next piece; None at the end, and where it was closed meanwhile.

        LateError at `deadline_s` of the monotonic clock; whatever the iterator raised is raised here.
        """
        try:
            made = self._made.get(timeout=max(0.0, deadline_s - time.monotonic()))
        except queue.Empty:
            raise LateError from None
        if isinstance(made, BaseException):
            raise made
        return None if self._closed.is_set() else made

    def close(self) -> None:
        """No further piece is wanted."""
        self._closed.set()
        with suppress(queue.Full):
            self._made.put_nowait(None)  # whoever waits is let go

    def _make(self) -> None:
        try:
            pieces = self._make_pieces()
            for piece in pieces:
                if not self._put(piece):
                    break
            if isinstance(pieces, Generator):
                pieces.close()
            self._put(None)
        except BaseException as error:  # handed to the thread that takes
            self._put(error)

    def _put(self, made: str | BaseException | None) -> bool:
        """False where nobody wants it any more."""
        while not self._closed.is_set():
            with suppress(queue.Full):
                self._made.put(made, timeout=0.1)
                return True
        return False
