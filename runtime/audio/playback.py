"""Where the pet's sounds go: a speaker, a WAV file, or nowhere, each one after the other in the order queued.

`play` returns at once. The sinks without a card keep time by the monotonic clock alone and need no thread.
All methods may be called from any thread. At most `LIMIT_S` seconds wait; a clip beyond
that is dropped and logged.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np
import soundfile

from runtime.audio.device import PyAudioCard, SoundCard
from runtime.audio.soundfiles import Resampler
from runtime.contracts.audio import SAMPLE_RATE_HZ, Samples
from runtime.contracts.errors import AudioError

log = logging.getLogger(__name__)

LIMIT_S = 60.0


class Sink(Protocol):
    """A mouth."""

    def play(self, samples: Samples) -> None:
        """Queue a clip; the array must not change afterwards."""

    def stop(self) -> None:
        """Silence within 20 ms; what was queued is forgotten."""

    @property
    def busy(self) -> bool:
        """Something sounds or waits to."""

    @property
    def first_sample_at_s(self) -> float | None:
        """Monotonic seconds of the first sample of the clip that sounds, or sounded last.

        None from a `play` into silence until its first sample.
        """

    def close(self) -> None:
        """Stop, and give the file or device back."""


class NullSink:
    """Nothing sounds, but it lasts as long as if it did."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._clips: deque[tuple[float, Samples]] = deque()
        """Start time and samples of what sounds and waits"""
        self._first_s: float | None = None

    def play(self, samples: Samples) -> None:
        with self._lock:
            self._settle()
            now_s = self._clock()
            start_s = self._clips[-1][0] + _length_s(self._clips[-1][1]) if self._clips else now_s
            if start_s + _length_s(samples) - now_s > LIMIT_S:
                log.warning("%.1f s of sound dropped; at most %g s may wait", _length_s(samples), LIMIT_S)
            elif len(samples):
                self._clips.append((start_s, samples))
                self._settle()

    def stop(self) -> None:
        with self._lock:
            self._settle()
            if self._clips:
                start_s, clip = self._clips[0]
                self._sounded(clip[: max(0, round((self._clock() - start_s) * SAMPLE_RATE_HZ))])
            self._clips.clear()

    @property
    def busy(self) -> bool:
        with self._lock:
            self._settle()
            return bool(self._clips)

    @property
    def first_sample_at_s(self) -> float | None:
        with self._lock:
            self._settle()
            return self._first_s

    def close(self) -> None:
        self.stop()

    def _settle(self) -> None:
        """Account for the clips whose time has come or gone."""
        now_s = self._clock()
        while self._clips and self._clips[0][0] <= now_s:
            start_s, clip = self._clips[0]
            self._first_s = start_s
            if start_s + _length_s(clip) > now_s:
                return
            self._sounded(clip)
            self._clips.popleft()

    def _sounded(self, samples: Samples) -> None:
        """For who wants to keep what sounded."""


class FileSink(NullSink):
    """A WAV file with every sound that was played, one after the other, as far as it was played."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(clock)
        try:
            self._file = soundfile.SoundFile(str(path), "w", SAMPLE_RATE_HZ, 1, "PCM_16", format="WAV")
        except (soundfile.SoundFileError, OSError, TypeError) as error:
            reason = str(error).split(": ", 1)[-1].strip(" .")
            raise AudioError(f"{path} cannot be written ({reason}); name another file") from error

    def close(self) -> None:
        super().close()
        self._file.close()

    def _sounded(self, samples: Samples) -> None:
        if not self._file.closed:
            self._file.write(samples)


class SpeakerSink:
    """A loudspeaker by PyAudio, 10 ms at a time. AudioError where there is none; `card` is for tests."""

    def __init__(self, device: int | None = None, card: SoundCard | None = None) -> None:
        self._lock = threading.Lock()
        self._clips: deque[Samples] = deque()
        """What sounds and waits, at the card's rate"""
        self._fresh = True
        """The first clip has not begun"""
        self._first_s: float | None = None
        self._stream = (card or PyAudioCard()).play(device, self._next)

    def play(self, samples: Samples) -> None:
        clip = _at_rate(samples, self._stream.rate_hz)
        with self._lock:
            waiting = sum(len(c) for c in self._clips)
            if waiting + len(clip) > LIMIT_S * self._stream.rate_hz:
                log.warning("%.1f s of sound dropped; at most %g s may wait", _length_s(samples), LIMIT_S)
                return
            if not self._clips:
                self._first_s = None
            if len(clip):
                self._clips.append(clip)

    def stop(self) -> None:
        with self._lock:
            self._clips.clear()
            self._fresh = True

    @property
    def busy(self) -> bool:
        with self._lock:
            return bool(self._clips)

    @property
    def first_sample_at_s(self) -> float | None:
        return self._first_s

    def close(self) -> None:
        self.stop()
        self._stream.close()

    def _next(self, count: int, delay_s: float) -> Samples:
        """On the sound card's thread: the next samples, silence where there are none."""
        out = np.zeros(count, np.int16)
        filled = 0
        with self._lock:
            while self._clips and filled < count:
                if self._fresh:
                    self._first_s = time.monotonic() + delay_s + filled / self._stream.rate_hz
                clip = self._clips.popleft()
                used = clip[: count - filled]
                out[filled : filled + len(used)] = used
                filled += len(used)
                self._fresh = len(used) == len(clip)
                if not self._fresh:
                    self._clips.appendleft(clip[len(used) :])
        return out


def _length_s(samples: Samples) -> float:
    return len(samples) / SAMPLE_RATE_HZ


def _at_rate(samples: Samples, rate_hz: int) -> Samples:
    if rate_hz == SAMPLE_RATE_HZ:
        return samples
    return Resampler(SAMPLE_RATE_HZ, rate_hz).step(samples.astype(np.float32) / np.float32(32_768), last=True)
