"""What the ears hand to the mind: whole utterances in order, and of growing ones only the newest look.

Any thread puts, one thread takes. At most `LIMIT` utterances wait; a further one is refused.
"""

import threading
from collections import deque

from runtime.audio.stop import StopHit
from runtime.audio.turns import SpeechGrows
from runtime.ears import Heard

LIMIT = 4
Letter = Heard | StopHit | SpeechGrows


class Mailbox:
    """`take` gives utterances first: once one is whole, looks at it have no use."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._whole: deque[Heard | StopHit] = deque()
        self._look: SpeechGrows | None = None
        self._open = 0
        self._closed = False

    def put(self, heard: Heard | StopHit) -> bool:
        """Queue a whole utterance; False where `LIMIT` wait already and it was dropped."""
        with self._changed:
            if len(self._whole) >= LIMIT:
                return False
            self._whole.append(heard)
            self._open += 1
            if isinstance(heard, Heard) and self._look and self._look.start_s <= heard.utterance.start_s:
                self._look = None
            self._changed.notify()
            return True

    def show(self, growing: SpeechGrows) -> None:
        """Replace the look that waits."""
        with self._changed:
            self._look = growing
            self._changed.notify()

    def silent_s(self, start_s: float) -> float:
        """Silence of the stretch that began at `start_s`, by the look that waits; 0 without one."""
        with self._changed:
            look = self._look
            return look.silence_s if look is not None and look.start_s == start_s else 0.0

    def take(self, timeout_s: float) -> Letter | None:
        """The next letter; None after `timeout_s`, and at once where closed and empty."""
        with self._changed:
            self._changed.wait_for(lambda: self._whole or self._look or self._closed, timeout_s)
            if self._whole:
                return self._whole.popleft()
            look, self._look = self._look, None
            return look

    def done(self) -> None:
        """A whole utterance was dealt with."""
        with self._changed:
            self._open -= 1

    @property
    def open(self) -> int:
        """Utterances not dealt with yet."""
        return self._open

    @property
    def closed(self) -> bool:
        """Closed, and nothing is left to take."""
        with self._changed:
            return self._closed and not self._whole

    def close(self) -> None:
        """Nothing more will come; what waits may still be taken."""
        with self._changed:
            self._closed = True
            self._look = None
            self._changed.notify_all()
