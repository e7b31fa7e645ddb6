"""Sound files of any rate, width and channel count, decoded as a stream to 16 kHz mono int16.

Memory does not grow with the length of the file: a second of it is decoded at a time.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from runtime.contracts.audio import SAMPLE_RATE_HZ, Samples
from runtime.contracts.errors import AudioError

_LOWEST_RATE_HZ, _HIGHEST_RATE_HZ, _MOST_CHANNELS = 4_000, 768_000, 32
_CURE = "give a WAV, FLAC, OGG or MP3 file with sound in it (ffmpeg -i FILE out.wav converts others)"

Floats = npt.NDArray[np.float32]


class Resampler:
    """A stream of mono float32 at one rate to int16 at another; the delay is taken care of."""

    def __init__(self, from_hz: int, to_hz: int = SAMPLE_RATE_HZ) -> None:
        self._stream = soxr.ResampleStream(from_hz, to_hz, 1, "float32") if from_hz != to_hz else None

    def step(self, mono: Floats, *, last: bool = False) -> Samples:
        """Shape (n,) in -1..1 -> (m,) int16, clipped; `last` once, at the end, brings what was held back."""
        # A single NaN or infinity would spread through the filter.
        mono = np.clip(np.nan_to_num(mono), -1, 1)
        if self._stream is not None:
            mono = self._stream.resample_chunk(mono, last=last)
        return np.clip(np.round(mono * 32_768), -32_768, 32_767).astype(np.int16)


def read_audio(path: Path) -> Samples:
    """The whole file as 16 kHz mono int16; AudioError names the file and the cure."""
    return np.concatenate(list(decode(path)))


def check(path: Path) -> None:
    """AudioError where `path` is not a sound file with something in it."""
    with _open(path):
        pass


def decode(path: Path) -> Iterator[Samples]:
    """The file as 16 kHz mono int16, about a second at a time; AudioError, also midway where it is broken."""
    with _open(path) as file:
        resampler = Resampler(file.samplerate)
        try:
            while len(frames := file.read(file.samplerate, dtype="float32", always_2d=True)):
                # (n, channels) -> (n,)
                yield resampler.step(frames.mean(axis=1, dtype=np.float32))
        except soundfile.SoundFileError as error:
            raise AudioError(
                f"{path} is broken after {file.tell() / file.samplerate:.1f} s ({error})"
            ) from error
        yield resampler.step(np.zeros(0, np.float32), last=True)


@contextmanager
def _open(path: Path) -> Iterator[soundfile.SoundFile]:
    """An open sound file with at least one frame, a usable rate and a usable number of channels."""
    try:
        file = soundfile.SoundFile(str(path))
    except (soundfile.SoundFileError, TypeError, OSError) as error:
        raise AudioError(_unreadable(path, error)) from error
    with file:
        if file.frames == 0:
            raise AudioError(f"{path} holds no sound (0 samples); {_CURE}")
        if not _LOWEST_RATE_HZ <= file.samplerate <= _HIGHEST_RATE_HZ or file.channels > _MOST_CHANNELS:
            raise AudioError(
                f"{path} has {file.samplerate} Hz and {file.channels} channels; {_LOWEST_RATE_HZ} to"
                f" {_HIGHEST_RATE_HZ} Hz and at most {_MOST_CHANNELS} channels can be read"
            )
        yield file


def _unreadable(path: Path, error: Exception) -> str:
    if not path.exists():
        return f"{path} does not exist; check the name"
    if path.is_dir():
        return f"{path} is a folder, not a sound file; name the files in it"
    if path.stat().st_size == 0:
        return f"{path} is empty (0 bytes); {_CURE}"
    reason = str(error).split(": ", 1)[-1].strip(" .")
    return f"{path} cannot be read as sound ({reason}); {_CURE}"
