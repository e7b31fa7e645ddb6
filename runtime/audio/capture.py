"""Where the microphone signal comes from: a file, a microphone, silence, or samples pushed in by a program.

Every source yields 16 kHz mono int16 blocks of 20 ms, counted from the first sample of the stream, and
`SourceFault`s where something went wrong; the stream goes on where it can. A source in real time hands a
block out when its last sample is due by the monotonic clock, as a microphone would; a reader that was late
gets what waits at once. `close` may be called from any thread and ends the iteration.
"""

import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

import numpy as np

from runtime.audio import soundfiles
from runtime.audio.microphone import MicrophoneSource
from runtime.audio.soundfiles import read_audio
from runtime.contracts.audio import BLOCK_SAMPLES, SAMPLE_RATE_HZ, AudioBlock, Samples, SourceFault
from runtime.contracts.errors import AudioError

__all__ = ["FileSource", "MicrophoneSource", "NullSource", "QueueSource", "Source", "read_audio"]


class Source(Protocol):
    """A stream of blocks and faults, read by one thread."""

    def __iter__(self) -> Iterator[AudioBlock | SourceFault]: ...

    def close(self) -> None: ...


class FileSource:
    """A sound file between `pad_s` seconds of silence; as fast as it is read, or in real time.

    AudioError at once for a file that cannot be opened; one that breaks midway gives a fault and ends.
    """

    def __init__(self, path: Path, realtime: bool = False, pad_s: float = 0.0) -> None:
        soundfiles.check(path)
        self._path, self._realtime, self._pad_s = path, realtime, pad_s
        self._closed = threading.Event()

    def __iter__(self) -> Iterator[AudioBlock | SourceFault]:
        faults: list[str] = []
        pace = _Pace(self._closed, self._realtime)
        end_sample = 0
        for block in in_blocks(self._pieces(faults)):
            if not pace.wait_for(block.start_sample + len(block.samples)):
                return
            yield block
            end_sample = block.start_sample + len(block.samples)
        for fault in faults:
            yield SourceFault("ended", end_sample, fault)

    def close(self) -> None:
        self._closed.set()

    def _pieces(self, faults: list[str]) -> Iterator[Samples]:
        yield from _silence(self._pad_s)
        try:
            yield from soundfiles.decode(self._path)
        except AudioError as error:
            faults.append(str(error))
        yield from _silence(self._pad_s)


class NullSource:
    """Silence in real time, for `duration_s` or until closed."""

    def __init__(self, duration_s: float | None = None, realtime: bool = True) -> None:
        self._end = None if duration_s is None else round(duration_s * SAMPLE_RATE_HZ)
        self._realtime = realtime
        self._closed = threading.Event()

    def __iter__(self) -> Iterator[AudioBlock | SourceFault]:
        pace = _Pace(self._closed, self._realtime)
        start = 0
        while self._end is None or start < self._end:
            samples = np.zeros(min(BLOCK_SAMPLES, (self._end or start + BLOCK_SAMPLES) - start), np.int16)
            if not pace.wait_for(start + len(samples)):
                return
            yield AudioBlock(samples, start)
            start += len(samples)

    def close(self) -> None:
        self._closed.set()


class QueueSource:
    """Samples pushed by a program, and silence where none wait; in real time, until closed or ended.

    At most `limit_s` seconds wait; what is pushed beyond is dropped and reported as an overflow.
    """

    def __init__(self, limit_s: float = 60.0, realtime: bool = True) -> None:
        self._limit = round(limit_s * SAMPLE_RATE_HZ)
        self._realtime = realtime
        self._waiting: deque[Samples] = deque()
        self._count = 0
        self._handed = 0
        """Samples given to the reader, silence included"""
        self._lost = 0
        self._ending = False
        self._changed = threading.Condition()
        self._closed = threading.Event()

    def push(self, samples: Samples) -> bool:
        """Queue a copy; False when part of it did not fit and was dropped."""
        return self.place(samples)[1]

    def place(self, samples: Samples) -> tuple[int, bool]:
        """`push`, and where in the stream its first sample will stand."""
        with self._changed:
            start = self._handed + self._count
            kept = samples[: self._limit - self._count].astype(np.int16)
            self._waiting.append(kept)
            self._count += len(kept)
            self._lost += len(samples) - len(kept)
            return start, len(kept) == len(samples)

    @property
    def waiting_s(self) -> float:
        """Seconds pushed that were not yet handed out."""
        return self._count / SAMPLE_RATE_HZ

    def wait_until_heard(self, timeout_s: float) -> bool:
        """Wait until all that was pushed was handed out; False after `timeout_s`."""
        with self._changed:
            return self._changed.wait_for(lambda: self._count == 0 or self._closed.is_set(), timeout_s)

    def end(self) -> None:
        """End the stream once all that was pushed was handed out."""
        self._ending = True

    def close(self) -> None:
        self._closed.set()
        with self._changed:
            self._changed.notify_all()

    def __iter__(self) -> Iterator[AudioBlock | SourceFault]:
        pace = _Pace(self._closed, self._realtime)
        start = 0
        while not (self._ending and self._count == 0) and pace.wait_for(start + BLOCK_SAMPLES):
            if self._lost:
                yield SourceFault("overflow", start, self._overflow())
            yield AudioBlock(self._take(), start)
            start += BLOCK_SAMPLES

    def _overflow(self) -> str:
        with self._changed:
            lost, self._lost = self._lost, 0
        return f"{lost / SAMPLE_RATE_HZ:.2f} s dropped; at most {self._limit / SAMPLE_RATE_HZ:g} s may wait"

    def _take(self) -> Samples:
        """The next block, filled up with silence."""
        block = np.zeros(BLOCK_SAMPLES, np.int16)
        filled = 0
        with self._changed:
            while self._waiting and filled < BLOCK_SAMPLES:
                piece = self._waiting.popleft()
                used = piece[: BLOCK_SAMPLES - filled]
                block[filled : filled + len(used)] = used
                filled += len(used)
                if len(used) < len(piece):
                    self._waiting.appendleft(piece[len(used) :])
            self._count -= filled
            self._handed += BLOCK_SAMPLES
            self._changed.notify_all()
        return block


class _Pace:
    """Waits for the moment a sample is due, counted from the first wait, so that no error adds up."""

    def __init__(self, closed: threading.Event, realtime: bool) -> None:
        self._closed, self._realtime = closed, realtime
        self._origin_s: float | None = None

    def wait_for(self, sample: int) -> bool:
        """False when the source was closed."""
        if not self._realtime:
            return not self._closed.is_set()
        if self._origin_s is None:
            self._origin_s = time.monotonic()
        return not self._closed.wait(max(0.0, self._origin_s + sample / SAMPLE_RATE_HZ - time.monotonic()))


def in_blocks(pieces: Iterable[Samples]) -> Iterator[AudioBlock]:
    """Pieces of any length as blocks of 20 ms; the last may be shorter."""
    rest: Samples = np.zeros(0, np.int16)
    start = 0
    for piece in pieces:
        rest = np.concatenate([rest, piece])
        whole = len(rest) // BLOCK_SAMPLES * BLOCK_SAMPLES
        for at in range(0, whole, BLOCK_SAMPLES):
            yield AudioBlock(rest[at : at + BLOCK_SAMPLES], start + at)
        start += whole
        rest = rest[whole:]
    if len(rest):
        yield AudioBlock(rest, start)


def _silence(seconds: float) -> Iterator[Samples]:
    left = round(seconds * SAMPLE_RATE_HZ)
    while left > 0:
        yield np.zeros(min(left, SAMPLE_RATE_HZ), np.int16)
        left -= SAMPLE_RATE_HZ
