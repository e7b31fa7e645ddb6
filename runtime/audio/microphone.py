"""The microphone as a source: the sound card's thread fills a bounded queue, the reader's thread empties it.

A card that stops delivering is reported once as stalled; one that is gone is opened again every second. Two
seconds wait at most; what comes on top is dropped and reported as an overflow. Positions count the samples
delivered, so a gap does not show in them, only as a fault.
"""

import queue
import threading
from collections.abc import Iterator
from typing import Literal

import numpy as np

from runtime.audio.device import PyAudioCard, SoundCard, Stream
from runtime.contracts.audio import BLOCK_SAMPLES, SAMPLE_RATE_HZ, AudioBlock, Samples, SourceFault
from runtime.contracts.errors import AudioError

STALL_S = 0.5
RETRY_S = 1.0
_LIMIT_PIECES = 200
"""Pieces of 10 ms"""


class MicrophoneSource:
    """`device`: PortAudio's index, None for the default one.

    AudioError at once where there is no microphone, MissingExtraError without PyAudio; later losses are
    survived. `card` is for tests.
    """

    def __init__(self, device: int | None = None, card: SoundCard | None = None) -> None:
        self._device = device
        self._card = card or PyAudioCard()
        self._waiting: queue.Queue[Samples] = queue.Queue(_LIMIT_PIECES)
        self._lost = 0
        self._card_lost = False
        self._closed = threading.Event()
        self._position = 0
        self._stream: Stream | None = self._card.record(device, self._heard)

    def close(self) -> None:
        """End the iteration and give the device back."""
        self._closed.set()
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def __iter__(self) -> Iterator[AudioBlock | SourceFault]:
        rest: Samples = np.zeros(0, np.int16)
        silent = False
        while not self._closed.is_set():
            try:
                rest = np.concatenate([rest, self._waiting.get(timeout=STALL_S)])
                silent = False
            except queue.Empty:
                if not silent and not self._closed.is_set():
                    yield self._fault("stalled", f"nothing from the microphone for {STALL_S:g} s")
                silent = True
                yield from self._reopen_if_gone()
            yield from self._overflow()
            while len(rest) >= BLOCK_SAMPLES:
                yield AudioBlock(rest[:BLOCK_SAMPLES], self._position)
                self._position += BLOCK_SAMPLES
                rest = rest[BLOCK_SAMPLES:]

    def _heard(self, samples: Samples, lost_before: bool) -> None:
        """On the sound card's thread: never wait."""
        self._card_lost |= lost_before
        try:
            self._waiting.put_nowait(samples)
        except queue.Full:
            self._lost += len(samples)

    def _overflow(self) -> Iterator[SourceFault]:
        if self._lost:
            lost, self._lost = self._lost, 0
            yield self._fault("overflow", f"{lost / SAMPLE_RATE_HZ:.2f} s dropped: the reader is too slow")
        if self._card_lost:
            self._card_lost = False
            yield self._fault("overflow", "the sound card dropped samples")

    def _reopen_if_gone(self) -> Iterator[SourceFault]:
        stream = self._stream
        if stream is not None and stream.active:
            return
        if stream is not None:
            yield self._fault("ended", f"the microphone is gone; trying again every {RETRY_S:g} s")
            stream.close()
            self._stream = None
        if self._closed.wait(RETRY_S):
            return
        try:
            self._stream = self._card.record(self._device, self._heard)
        except AudioError:
            return  # still gone; the next stall tries again
        if self._closed.is_set():
            self.close()

    def _fault(self, kind: Literal["stalled", "overflow", "ended"], detail: str) -> SourceFault:
        return SourceFault(kind, self._position, detail)
