"""The recogniser's front end: log-mel energies in numpy, the same on the robot and in training.

A frame is 25 ms long and begins every 10 ms; frame i sees samples [160 i, 160 i + 400), nothing is padded,
so a stream cut anywhere gives the frames of the whole. Levels are log10 of mel energies. `normalise` then
takes out loudness and the colour of microphone and room; it looks at the whole utterance so far.
"""

from functools import cache

import numpy as np
import numpy.typing as npt

from runtime.contracts.audio import SAMPLE_RATE_HZ, Samples

FRAME_SAMPLES = 400
HOP_SAMPLES = 160
FFT_SIZE = 512
MELS = 64
LOW_HZ, HIGH_HZ = 80.0, 7_600.0
_FLOOR = 1e-8
"""Energy below which nothing is heard: some 10 dB under the rounding noise of int16"""
_RANGE = 6.0
"""log10: what lies more than 60 dB under the loudest cell is silence"""
_LOUD = 3.0
"""log10: frames within 30 dB of the loudest count as speech for the colour"""

Frames = npt.NDArray[np.float32]
"""Shape (frames, MELS)"""


def describe() -> dict[str, float | int]:
    """What a model must have been trained with; stored in asr.json and compared at load."""
    return {
        "sample_rate_hz": SAMPLE_RATE_HZ,
        "frame_samples": FRAME_SAMPLES,
        "hop_samples": HOP_SAMPLES,
        "mels": MELS,
        "low_hz": LOW_HZ,
        "high_hz": HIGH_HZ,
    }


class FrontEnd:
    """Streams samples into log-mel frames."""

    def __init__(self) -> None:
        self._rest: Samples = np.zeros(0, np.int16)

    def reset(self) -> None:
        self._rest = np.zeros(0, np.int16)

    def step(self, samples: Samples) -> Frames:
        """The frames that `samples` completes, maybe none."""
        joined = np.concatenate([self._rest, samples])
        frames = log_mel(joined)
        self._rest = joined[len(frames) * HOP_SAMPLES :]
        return frames


def log_mel(samples: Samples) -> Frames:
    """All whole frames of int16 `samples`."""
    count = max(0, (len(samples) - FRAME_SAMPLES) // HOP_SAMPLES + 1)
    if count == 0:
        return np.zeros((0, MELS), np.float32)
    signal = samples.astype(np.float32) / 32768.0
    framed = np.lib.stride_tricks.sliding_window_view(signal, FRAME_SAMPLES)[::HOP_SAMPLES]
    spectrum = np.fft.rfft(framed * _window(), FFT_SIZE)
    power = spectrum.real**2 + spectrum.imag**2
    return np.asarray(np.log10(np.maximum(power @ _mel_matrix(), _FLOOR)), np.float32)


def normalise(frames: Frames) -> Frames:
    """Zero mean over the loud frames for every mel, silence clamped, values of about unit size."""
    if len(frames) == 0:
        return frames
    clamped = np.maximum(frames, frames.max() - _RANGE)
    level = clamped.mean(axis=1)
    loud = clamped[level >= level.max() - _LOUD]
    return np.asarray(clamped - loud.mean(axis=0), np.float32)


@cache
def _window() -> npt.NDArray[np.float32]:
    return np.asarray(np.hanning(FRAME_SAMPLES + 1)[:-1], np.float32)


@cache
def _mel_matrix() -> npt.NDArray[np.float32]:
    """Triangles of equal area in mel, shape (FFT_SIZE // 2 + 1, MELS)."""
    edges = _hz(np.linspace(_mel(np.array(LOW_HZ)), _mel(np.array(HIGH_HZ)), MELS + 2))
    bins = np.linspace(0.0, SAMPLE_RATE_HZ / 2, FFT_SIZE // 2 + 1)[:, None]
    left, centre, right = edges[:-2], edges[1:-1], edges[2:]
    rising = (bins - left) / (centre - left)
    falling = (right - bins) / (right - centre)
    return np.asarray(np.maximum(0.0, np.minimum(rising, falling)), np.float32)


def _mel(hz: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(2595.0 * np.log10(1.0 + hz / 700.0))


def _hz(mel: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(700.0 * (10.0 ** (mel / 2595.0) - 1.0))
