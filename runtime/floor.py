"""Who has the floor: the pet is silent at the first sound of a voice, and goes on where no words follow.

Whether it is a voice is sure only after some 300 ms, and nobody wants to talk against a loudspeaker for so
long; a thirtieth of a second of it is enough to pause. Silence also takes the pet's own echo away, so a wrong
guess corrects itself: what was no person is no longer heard, and the sentence goes on where it broke off.
Used by one thread; times are seconds of the stream.
"""

from runtime.audio.playback import Sink
from runtime.mouth import Mouth

DOUBT_S = 0.5
"""Waited for words; after the first sound of a person 0.2 to 0.45 s pass until speech is sure"""


class Floor:
    """`pass_time` once a block, before what was noticed in it."""

    def __init__(self, sink: Sink, mouth: Mouth) -> None:
        self._sink, self._mouth = sink, mouth
        self._now_s = 0.0
        self._paused_s = float("inf")

    def pass_time(self, now_s: float) -> None:
        """Nobody went on: the pet does."""
        self._now_s = now_s
        if now_s - self._paused_s >= DOUBT_S:
            self._paused_s = float("inf")
            self._sink.resume()

    def pause(self) -> None:
        """This may be a voice."""
        if self._sink.busy:
            self._sink.pause()
            self._paused_s = self._now_s

    def give_up(self) -> bool:
        """This is one: what the pet was saying is over. True where it was saying anything aloud."""
        was_busy, self._paused_s = self._sink.busy, float("inf")
        if was_busy or self._mouth.wording:  # what a model was about to say is out of date
            self._mouth.hush()
        return was_busy
