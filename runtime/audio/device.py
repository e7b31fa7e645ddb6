"""The only importer of PyAudio: opens one stream to a sound card, at 16 kHz mono or the nearest it can do.

PyAudio is optional and imported where it is first needed. Callbacks run on the sound card's own thread.
"""

import logging
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np

from runtime.audio.soundfiles import Resampler
from runtime.contracts.audio import SAMPLE_RATE_HZ, Samples
from runtime.contracts.errors import AudioError, MissingExtraError

log = logging.getLogger(__name__)

Heard = Callable[[Samples, bool], None]
"""16 kHz mono samples just recorded, and whether the card lost some before them"""
Wanted = Callable[[int, float], Samples]
"""Gives exactly so many samples, at the rate of the stream, that will sound after so many seconds"""


_Times = Mapping[str, float]


class Stream(Protocol):
    """An open stream; `rate_hz` is the card's."""

    @property
    def rate_hz(self) -> int: ...

    @property
    def active(self) -> bool: ...

    def close(self) -> None: ...


class SoundCard(Protocol):
    """Opens streams; AudioError where there is no device, MissingExtraError without PyAudio."""

    def record(self, device: int | None, heard: Heard) -> Stream: ...

    def play(self, device: int | None, wanted: Wanted) -> Stream: ...


@dataclass(frozen=True, slots=True)
class _Format:
    rate_hz: int
    channels: int

    @property
    def frames(self) -> int:
        return self.rate_hz // 100  # 10 ms: "stop!" must silence the speaker within two of them


class PyAudioStream:
    """Owns its PortAudio instance: a new one finds devices that were plugged in since."""

    def __init__(self, portaudio: Any, stream: Any, rate_hz: int) -> None:
        self._portaudio, self._stream = portaudio, stream
        self.rate_hz = rate_hz

    @property
    def active(self) -> bool:
        try:
            return bool(self._stream.is_active())
        except OSError:
            return False

    def close(self) -> None:
        for release in (self._stream.close, self._portaudio.terminate):
            try:
                release()
            except OSError as error:  # a device that was pulled out complains; it is gone all the same
                log.debug("closing the sound device: %s", error)


class PyAudioCard:
    """The machine's sound cards through PortAudio."""

    def record(self, device: int | None, heard: Heard) -> PyAudioStream:
        def on_frames(chosen: _Format) -> Callable[..., tuple[None, int]]:
            resampler = Resampler(chosen.rate_hz)

            def callback(data: bytes, _frames: int, _times: object, flags: int) -> tuple[None, int]:
                frames = np.frombuffer(data, np.int16).reshape(-1, chosen.channels)
                mono = frames.mean(axis=1, dtype=np.float32) / 32_768
                heard(resampler.step(mono), bool(flags & 2))  # paInputOverflow
                return None, 0  # paContinue

            return callback

        return _open("input", device, on_frames)

    def play(self, device: int | None, wanted: Wanted) -> PyAudioStream:
        def on_frames(chosen: _Format) -> Callable[..., tuple[bytes, int]]:
            def callback(_data: None, frames: int, times: _Times, _flags: int) -> tuple[bytes, int]:
                delay_s = times["output_buffer_dac_time"] - times["current_time"]
                # Some host interfaces leave these at zero or let them jump.
                samples = wanted(frames, delay_s if 0 < delay_s < 1 else 0.0)
                return np.repeat(samples, chosen.channels).tobytes(), 0

            return callback

        return _open("output", device, on_frames)


def count_devices() -> int:
    """How many sound devices PortAudio sees; MissingExtraError without PyAudio."""
    portaudio = _portaudio()
    count = int(portaudio.get_device_count())
    portaudio.terminate()
    return count


def _portaudio() -> Any:
    try:
        import pyaudio
    except ImportError as error:
        raise MissingExtraError("pyaudio", "device") from error
    with _quiet_libraries():
        return pyaudio.PyAudio()


def _open(
    side: Literal["input", "output"], device: int | None, make_callback: Callable[[_Format], Any]
) -> PyAudioStream:
    portaudio = _portaudio()
    with _quiet_libraries():
        failure: Exception | None = None
        for chosen in _formats(portaudio, side, device):
            try:
                stream = portaudio.open(
                    chosen.rate_hz,
                    chosen.channels,
                    portaudio.get_format_from_width(2),
                    frames_per_buffer=chosen.frames,
                    stream_callback=make_callback(chosen),
                    **{side: True, f"{side}_device_index": device},
                )
            except (OSError, ValueError) as error:
                failure = error
            else:
                return PyAudioStream(portaudio, stream, chosen.rate_hz)
        portaudio.terminate()
    noun = "microphone" if side == "input" else "speaker"
    where = "default device" if device is None else f"device {device}"
    raise AudioError(
        f"no {noun} ({where}: {failure or 'not found'}); plug one in or choose another,"
        " or name a sound file instead"
    ) from failure


def _formats(portaudio: Any, side: str, device: int | None) -> list[_Format]:
    """What to try, best first; empty where there is no such device."""
    try:
        if device is not None:
            info = portaudio.get_device_info_by_index(device)
        else:
            info = getattr(portaudio, f"get_default_{side}_device_info")()
    except (OSError, ValueError):
        return []
    rate, most = int(info["defaultSampleRate"]), int(info[f"max{side.capitalize()}Channels"])
    if most < 1:
        return []
    return [_Format(SAMPLE_RATE_HZ, 1), _Format(rate, 1), _Format(rate, min(most, 2)), _Format(rate, most)]


@contextmanager
def _quiet_libraries() -> Iterator[None]:
    """ALSA and JACK print dozens of lines while PortAudio looks around; our one line must be seen."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
