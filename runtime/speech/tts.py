"""Words aloud. espeak-ng runs in a process of its own (it is GPL), started once and kept warm.

A voice is used by one thread at a time (a lock sees to it). If its process dies it is started again within
the same call; if that fails too, AudioError. `close` ends the process, and it ends by itself with its stdin.
"""

import ctypes.util
import json
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from types import TracebackType
from typing import Any, Protocol, Self

import numpy as np
import soxr

from runtime.contracts.audio import SAMPLE_RATE_HZ, Samples
from runtime.contracts.errors import AudioError

MAX_CHARACTERS = 400
"""Longer texts are cut: no pet line is longer"""
REPLY_TIMEOUT_S = 5.0
QUIET_LEVEL = 60
"""int16; what espeak-ng puts before the first sound is below it"""
_VARIANT = "en-us+f5"


@dataclass(frozen=True, slots=True)
class Manner:
    """How espeak-ng speaks: pitch and its range 0..99, words a minute, loudness 0..200."""

    pitch: int = 78
    range: int = 65
    rate: int = 178
    volume: int = 110


MANNERS = {
    "calm": Manner(),
    "happy": Manner(pitch=84, range=80, rate=188),
    "excited": Manner(pitch=90, range=95, rate=205, volume=120),
    "sad": Manner(pitch=64, range=30, rate=150, volume=90),
    "sleepy": Manner(pitch=62, range=35, rate=140, volume=80),
    "curious": Manner(pitch=82, range=90, rate=176),
    "startled": Manner(pitch=92, range=70, rate=200, volume=120),
}


class Voice(Protocol):
    """Turns words into samples."""

    why: str
    """Which voice this is and why, one line"""

    def speak(self, text: str, mood: str) -> Samples: ...

    def close(self) -> None: ...


class SilentVoice:
    """No words aloud; they are on the screen."""

    def __init__(self, why: str = "silent: asked for") -> None:
        self.why = why

    def speak(self, text: str, mood: str) -> Samples:
        """No samples."""
        return np.zeros(0, np.int16)

    def close(self) -> None:
        """Nothing to close."""


class EspeakVoice:
    """espeak-ng, shaped to a small pet. A context manager."""

    why = "espeak-ng in its own process"

    def __init__(self, variant: str = _VARIANT, manners: Mapping[str, Manner] = MANNERS) -> None:
        self._variant, self._manners = variant, manners
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._unread = b""
        self._fresh = False
        with self._lock:
            self._begin()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """Of the process while it lives."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def speak(self, text: str, mood: str) -> Samples:
        """`text` as 16 kHz samples, from the first sound on; an unknown mood speaks calmly."""
        words = " ".join(text.split())[:MAX_CHARACTERS]
        if not words:
            return np.zeros(0, np.int16)
        manner = self._manners.get(mood, self._manners["calm"])
        with self._lock:
            try:
                return self._say(words, manner)
            except (OSError, EOFError, TimeoutError):
                self._end()
                self._start()
            try:
                return self._say(words, manner)
            except (OSError, EOFError, TimeoutError) as error:
                self._end()
                raise AudioError(f"espeak-ng ended twice on {words[:40]!r} ({error}); see doctor") from error

    def begin_anew(self) -> None:
        """Speak as if nothing had been said before, of which a sentence else keeps a trace."""
        with self._lock:
            if not self._fresh:
                self._end()
                self._begin()

    def _begin(self) -> None:
        self._start()
        self._say(".", self._manners["calm"])  # loads voice and dictionary
        self._fresh = True

    def close(self) -> None:
        """End the process; a second call does nothing."""
        with self._lock:
            self._end()

    def _start(self) -> None:
        self._unread = b""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "runtime.speech.espeak_worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            start_new_session=True,  # Ctrl-C is handled here, not there
            env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        )
        try:
            first = self._line()
        except (OSError, EOFError, TimeoutError, ValueError) as error:
            self._end()
            raise AudioError(f"espeak-ng's process did not start ({error!r}); see doctor") from error
        if "error" in first:
            self._end()
            raise AudioError(f"{first['error']}; type: pip install 'everpaw[voice]'")

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        for pipe in (process.stdin, process.stdout):
            if pipe:
                pipe.close()
        try:
            process.wait(timeout=0.5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _say(self, text: str, manner: Manner) -> Samples:
        if self._process is None or self._process.stdin is None:
            raise EOFError("the voice is closed")
        self._fresh = False
        request = {
            "text": text,
            "voice": self._variant,
            "pitch": manner.pitch,
            "range": manner.range,
            "rate": manner.rate,
            "volume": manner.volume,
        }
        self._process.stdin.write(json.dumps(request).encode() + b"\n")
        head = self._line()
        if "error" in head:
            raise AudioError(f"espeak-ng: {head['error']}")
        pieces = []
        while piece := self._piece():
            pieces.append(np.frombuffer(piece, np.int16))
        return _from_first_sound(pieces, int(head["rate_hz"]))

    def _piece(self) -> bytes:
        return self._read(int.from_bytes(self._read(4), "little"))

    def _line(self) -> dict[str, Any]:
        deadline = time.monotonic() + REPLY_TIMEOUT_S
        while b"\n" not in self._unread:
            self._fill(deadline)
        line, _, self._unread = self._unread.partition(b"\n")
        row: dict[str, Any] = json.loads(line)
        return row

    def _read(self, n: int) -> bytes:
        deadline = time.monotonic() + REPLY_TIMEOUT_S
        while len(self._unread) < n:
            self._fill(deadline)
        taken, self._unread = self._unread[:n], self._unread[n:]
        return taken

    def _fill(self, deadline: float) -> None:
        if self._process is None or self._process.stdout is None:
            raise EOFError("the voice is closed")
        pipe = self._process.stdout.fileno()
        if not select.select([pipe], [], [], max(0.0, deadline - time.monotonic()))[0]:
            raise TimeoutError(f"no answer for {REPLY_TIMEOUT_S:.0f} s")
        arrived = os.read(pipe, 65_536)
        if not arrived:
            raise EOFError("its process ended")
        self._unread += arrived


def _from_first_sound(pieces: list[Samples], rate_hz: int) -> Samples:
    """16 kHz, without the silence before the first sound."""
    if not pieces:
        return np.zeros(0, np.int16)
    samples = np.concatenate(pieces)
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > QUIET_LEVEL)
    start = max(0, int(loud[0]) - rate_hz // 500) if len(loud) else len(samples)
    if start == len(samples):
        return np.zeros(0, np.int16)
    return np.asarray(soxr.resample(samples[start:], rate_hz, SAMPLE_RATE_HZ), np.int16)


def voice(enabled: bool = True) -> Voice:
    """The best voice this machine has; `why` of what comes back tells the choice."""
    if not enabled:
        return SilentVoice("silent: switched off in the settings")
    if find_spec("espeakng_loader") is None and ctypes.util.find_library("espeak-ng") is None:
        return SilentVoice("silent: espeak-ng is not installed; type: pip install 'everpaw[voice]'")
    try:
        return EspeakVoice()
    except AudioError as error:
        return SilentVoice(f"silent: {error}")
