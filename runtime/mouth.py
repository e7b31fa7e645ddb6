"""The pet's words on their way out: spoken sentence by sentence as they are found, and silenced at once.

One thread tells, any thread may hush. Times are milliseconds of the monotonic clock.
"""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from runtime.audio.playback import Sink
from runtime.audio.playing import Clip
from runtime.body import mono_ms
from runtime.mind.history import Exchange
from runtime.mind.replying import Telling
from runtime.speech.tts import Voice


@dataclass(slots=True)
class Spoken:
    """What was handed to the sink of one reply."""

    said: list[str] = field(default_factory=list)
    first: Clip | None = None
    waited_ms: float = 0.0
    """For the first sentence"""
    voiced_ms: float | None = None
    """When that was ready to sound"""
    hushed: bool = False

    def add(self, sentence: str, clip: Clip | None) -> None:
        self.said.append(sentence)
        if clip is not None and self.first is None:
            self.first, self.voiced_ms = clip, mono_ms()


class Mouth:
    """A voice and where it sounds."""

    def __init__(self, voice: Voice, sink: Sink) -> None:
        self._voice, self._sink = voice, sink
        self._lock = threading.Lock()
        """Held while a sentence is handed to the sink, and while that is silenced"""
        self._telling: Telling | None = None
        self._hushed = False

    @property
    def wording(self) -> bool:
        """A model is at work on a reply."""
        telling = self._telling
        return telling is not None and telling.from_model

    def begin(self, telling: Telling) -> None:
        """From now on `hush` means this reply."""
        with self._lock:
            self._telling, self._hushed = telling, False

    def tell(self, sentences: Iterable[str], mood: str, exchange: Exchange) -> Spoken:
        """Say them, each as it comes, and enter into `exchange` what sounds; ends what `begin` began."""
        spoken, began_ms = Spoken(), mono_ms()
        try:
            for sentence in sentences:
                if not spoken.said:
                    spoken.waited_ms = mono_ms() - began_ms
                samples = self._voice.speak(sentence, mood)
                with self._lock:
                    if self._hushed:
                        break
                    clip = self._sink.play(samples) if len(samples) else None
                    exchange.add(sentence, _share(clip))
                spoken.add(sentence, clip)
        finally:
            with self._lock:
                self._telling, spoken.hushed = None, self._hushed
        return spoken

    def say(self, text: str, mood: str) -> Clip | None:
        """`text` as it is; None where there is nothing to hear."""
        samples = self._voice.speak(text, mood)
        return self._sink.play(samples) if len(samples) else None

    def hush(self) -> None:
        """Silent at once, and what the reply under way has not said yet is never said.

        A ready line that has not begun to sound is not lost: it is the answer to something later.
        """
        with self._lock:
            if self._telling is not None and (self._telling.from_model or self._sink.busy):
                self._hushed = True
                self._telling.stop()
            self._sink.stop()


def _share(clip: Clip | None) -> Callable[[], float]:
    """How much of a clip has sounded, 0..1; a pet without a voice shows its words at once."""
    if clip is None:
        return lambda: 1.0
    return lambda: clip.played_s(time.monotonic()) / clip.length_s
