"""Where the pet's sounds go: a speaker, a WAV file, or nowhere, each one after the other in the order queued.

`play` returns at once. The sinks without a card keep time by the monotonic clock alone and need no thread.
All methods may be called from any thread. At most `LIMIT_S` seconds wait; a clip beyond
that is dropped and logged.
"""

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np
import soundfile

from runtime.audio.device import PyAudioCard, SoundCard
from runtime.audio.playing import Clip, Recent
from runtime.audio.soundfiles import Resampler
from runtime.contracts.audio import SAMPLE_RATE_HZ, Samples
from runtime.contracts.errors import AudioError

log = logging.getLogger(__name__)

LIMIT_S = 60.0
CARD_SLACK_S = 0.01
"""A card's word for when a sample will sound jumps about by less; more, and it lost some"""


class Sink(Protocol):
    """A mouth."""

    def play(self, samples: Samples) -> Clip:
        """Queue a clip; the array must not change afterwards. One that found no room never starts."""

    def stop(self) -> None:
        """Silence within 20 ms; what was queued is forgotten."""

    def pause(self) -> None:
        """Silence within 20 ms, for a while: nothing is forgotten, and what is played waits."""

    def resume(self) -> None:
        """Take up again where `pause` broke off; nothing where it did not."""

    @property
    def busy(self) -> bool:
        """Something sounds or waits to."""

    @property
    def first_sample_at_s(self) -> float | None:
        """Monotonic seconds of the first sample of the clip that sounds, or sounded last.

        None from a `play` into silence until its first sample.
        """

    def sounding(self, from_s: float, count: int) -> Samples:
        """What the loudspeaker gave out from that moment on, 16 kHz; silence where nothing sounded."""

    def close(self) -> None:
        """Stop, and give the file or device back."""


class NullSink:
    """Nothing sounds, but it lasts as long as if it did."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._clips: deque[Clip] = deque()
        """What sounds and waits"""
        self._recent = Recent()
        self._first_s: float | None = None
        self._paused = False

    def play(self, samples: Samples) -> Clip:
        clip = Clip(samples)
        with self._lock:
            self._settle()
            waiting_s = sum(c.length_s - c.in_one_go_s(self._clock()) for c in self._clips)
            if waiting_s + clip.length_s > LIMIT_S:
                log.warning("%.1f s of sound dropped; at most %g s may wait", clip.length_s, LIMIT_S)
            elif len(samples):
                self._clips.append(clip)
                self._recent.add(clip)
                self._schedule()
                self._settle()
        return clip

    def stop(self) -> None:
        with self._lock:
            self._settle()
            self._break_off()
            for clip in self._clips:
                clip.cut_s = self._clock() if clip.cut_s is None else clip.cut_s
            self._clips.clear()
            self._paused = False

    def pause(self) -> None:
        with self._lock:
            self._settle()
            if not self._clips or self._paused:
                return
            rest = self._break_off()
            self._recent.add(rest)
            self._clips[0] = rest
            self._paused = True

    def resume(self) -> None:
        with self._lock:
            self._paused = False
            self._schedule()

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

    def sounding(self, from_s: float, count: int) -> Samples:
        with self._lock:
            return self._recent.sounding(from_s, count)

    def close(self) -> None:
        self.stop()

    def _schedule(self) -> None:
        """Say of all that waits when it will sound, one after another, each in step with all before."""
        now_s = self._clock()
        next_s = min(now_s, math.floor(now_s * SAMPLE_RATE_HZ + 1e-3) / SAMPLE_RATE_HZ)
        for clip in () if self._paused else self._clips:
            clip.start_s = next_s if clip.start_s is None else clip.start_s
            next_s = clip.ends_s()

    def _break_off(self) -> Clip:
        """Silence what sounds, and all that was to follow has no time any more; the rest of the first."""
        now_s = self._clock()
        for clip in list(self._clips)[1:]:
            clip.start_s = None
        if not self._clips:
            return Clip(np.zeros(0, np.int16))
        first = self._clips[0]
        self._sounded(first.samples[: round(first.in_one_go_s(now_s) * SAMPLE_RATE_HZ)])
        return first.break_off(now_s)

    def _settle(self) -> None:
        """Account for the clips whose time has come or gone."""
        now_s = self._clock()
        while self._clips and self._clips[0].start_s is not None and self._clips[0].start_s <= now_s:
            clip = self._clips[0]
            self._first_s = clip.start_s
            if clip.ends_s() > now_s:
                return
            self._sounded(clip.samples)
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
        self._clips: deque[tuple[Clip, Samples]] = deque()
        """What sounds and waits, and what is left of it at the card's rate"""
        self._recent = Recent()
        self._first_s: float | None = None
        self._paused = False
        self._origin_s = float("inf")
        """When the card's first sample sounded, by its clock; all others are counted from there, as an echo
        canceller follows no clip that begins half a sample early"""
        self._handed = 0
        """Samples the card took, at its rate"""
        self._stream = (card or PyAudioCard()).play(device, self._next)

    def play(self, samples: Samples) -> Clip:
        clip, at_rate = Clip(samples), _at_rate(samples, self._stream.rate_hz)
        with self._lock:
            waiting = sum(len(rest) for _, rest in self._clips)
            if waiting + len(at_rate) > LIMIT_S * self._stream.rate_hz:
                log.warning("%.1f s of sound dropped; at most %g s may wait", clip.length_s, LIMIT_S)
                return clip
            if not self._clips:
                self._first_s = None
            if len(at_rate):
                self._clips.append((clip, at_rate))
                self._recent.add(clip)
        return clip

    def stop(self) -> None:
        with self._lock:
            now_s = time.monotonic()
            for clip, _ in self._clips:
                clip.cut_s = now_s
            self._clips.clear()
            self._paused = False

    def pause(self) -> None:
        with self._lock:
            if not self._clips or self._paused:
                return
            self._paused = True
            clip, at_rate = self._clips[0]
            if clip.start_s is not None:
                # what the card holds already will sound: the clip breaks off after it
                rest = clip.break_off(clip.start_s + clip.length_s - len(at_rate) / self._stream.rate_hz)
                self._recent.add(rest)
                self._clips[0] = rest, at_rate

    def resume(self) -> None:
        with self._lock:
            self._paused = False

    @property
    def busy(self) -> bool:
        with self._lock:
            return bool(self._clips)

    @property
    def first_sample_at_s(self) -> float | None:
        return self._first_s

    def sounding(self, from_s: float, count: int) -> Samples:
        with self._lock:
            return self._recent.sounding(from_s, count)

    def close(self) -> None:
        self.stop()
        self._stream.close()

    def _next(self, count: int, delay_s: float) -> Samples:
        """On the sound card's thread: the next samples, silence where there are none."""
        out = np.zeros(count, np.int16)
        filled = 0
        with self._lock:
            origin_s = time.monotonic() + delay_s - self._handed / self._stream.rate_hz
            if abs(origin_s - self._origin_s) > CARD_SLACK_S:
                self._origin_s = origin_s
            while self._clips and filled < count and not self._paused:
                clip, rest = self._clips.popleft()
                if clip.start_s is None:
                    clip.start_s = self._origin_s + (self._handed + filled) / self._stream.rate_hz
                    self._first_s = clip.start_s
                used = rest[: count - filled]
                out[filled : filled + len(used)] = used
                filled += len(used)
                if len(used) < len(rest):
                    self._clips.appendleft((clip, rest[len(used) :]))
            self._handed += count
        return out


def _at_rate(samples: Samples, rate_hz: int) -> Samples:
    if rate_hz == SAMPLE_RATE_HZ:
        return samples
    return Resampler(SAMPLE_RATE_HZ, rate_hz).step(samples.astype(np.float32) / np.float32(32_768), last=True)
