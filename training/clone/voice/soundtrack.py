"""The sound of any file an owner has: sound files by soundfile, everything else by ffmpeg where it is there.

A file is only read, never changed. What cannot be used is told kindly, with what to do; the rest goes on.
"""

import io
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from runtime.contracts.audio import SAMPLE_RATE_HZ
from runtime.contracts.errors import AudioError

Signal = npt.NDArray[np.float32]
"""(n,), -1..1, 16 kHz"""
MOST_BYTES, MOST_S, LEAST_S = 1_000_000_000, 3_600.0, 0.15
FFMPEG_TIMEOUT_S = 600.0
SOUND = frozenset({".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".au", ".caf", ".w64"})
FILM = frozenset({".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi", ".3gp", ".m4a", ".aac", ".wma", ".amr"})
SUFFIXES = SOUND | FILM
SILENT_DB = -60.0
"""Nothing is louder in a recording that counts as silent"""
CLIPPED, CLIPPED_SHARE = 0.999, 2e-4
"""Samples at full scale, and the share of these from which a recording counts as clipped"""


@dataclass(frozen=True, slots=True)
class Soundtrack:
    """One recording, 16 kHz mono."""

    samples: Signal
    rate_hz: int
    """Of the file"""
    clipped: float
    """Share of samples that were cut off at full scale"""

    @property
    def seconds(self) -> float:
        return len(self.samples) / SAMPLE_RATE_HZ

    @property
    def peak_db(self) -> float:
        return 20 * float(np.log10(np.abs(self.samples).max(initial=1e-9)))


def read(path: Path) -> Soundtrack:
    """The sound of `path`; AudioError says in words for an owner why there is none."""
    if path.stat().st_size > MOST_BYTES:
        raise AudioError(
            f"{path.name} is larger than {MOST_BYTES // 10**6} MB; cut out the parts with the animal"
        )
    if path.stat().st_size == 0:
        raise AudioError(f"{path.name} is empty; copy it again from where it was recorded")
    try:
        return _of(path, path)
    except soundfile.SoundFileError:
        return _of(path, io.BytesIO(_by_ffmpeg(path)))


def _of(path: Path, source: Path | io.BytesIO) -> Soundtrack:
    with soundfile.SoundFile(source if isinstance(source, io.BytesIO) else str(source)) as file:
        rate_hz = file.samplerate
        if file.frames > MOST_S * rate_hz:
            raise AudioError(f"{path.name} lasts over an hour; cut out the parts with the animal")
        channels = file.read(dtype="float32", always_2d=True)
    if len(channels) < LEAST_S * rate_hz:
        raise AudioError(
            f"{path.name} lasts {len(channels) / rate_hz:.2f} s; a call needs {LEAST_S} s at least"
        )
    if not np.isfinite(channels).all():
        raise AudioError(f"{path.name} is damaged (its samples are no numbers); copy or convert it again")
    mono = _mono(channels)
    clipped = float(np.mean(np.abs(channels).max(axis=1) >= CLIPPED))
    return Soundtrack(np.asarray(soxr.resample(mono, rate_hz, SAMPLE_RATE_HZ), np.float32), rate_hz, clipped)


def _mono(channels: npt.NDArray[np.float32]) -> Signal:
    """The mean of the channels, or the loudest where two of them cancel each other."""
    mean = channels.mean(axis=1)
    loudest = channels[:, int((channels**2).sum(axis=0).argmax())]
    kept = float((mean**2).sum()) > 0.1 * float((loudest**2).sum())
    return mean if kept else loudest


def _by_ffmpeg(path: Path) -> bytes:
    program = shutil.which("ffmpeg")
    if program is None:
        raise AudioError(
            f"{path.name} is no plain sound file; install ffmpeg (apt install ffmpeg), or save it as WAV"
        )
    command = [program, "-v", "error", "-nostdin", "-i", str(path), "-vn", "-map", "0:a:0", "-f", "wav", "-"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=FFMPEG_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise AudioError(f"{path.name} took ffmpeg over ten minutes; cut it shorter") from error
    if done.returncode or len(done.stdout) < 100:
        why = done.stderr.decode(errors="replace").strip().splitlines()
        last = why[-1][:120] if why else "no sound in it"
        raise AudioError(f"{path.name} has no sound that can be read ({last}); save its sound as WAV")
    return done.stdout
