"""The recogniser's front end: log-mel energies in numpy, the same on the robot and in training.

A frame is 26 ms long and begins every 10 ms; frame i sees samples [160 i, 160 i + 411), nothing is padded,
so a stream cut anywhere gives the frames of the whole. Levels are natural logarithms of mel energies; the
bands are those of CMU Sphinx, whose Gaussians listen to them. `normalise` then takes out loudness and the
colour of microphone and room; it looks at the whole utterance so far.
"""

from functools import cache

import numpy as np
import numpy.typing as npt

from runtime.contracts.audio import SAMPLE_RATE_HZ, Samples

FRAME_SAMPLES = 411
"""410 and the one before, for the pre-emphasis"""
HOP_SAMPLES = 160
FFT_SIZE = 512
MELS = 25
LOW_HZ, HIGH_HZ = 130.0, 6_800.0
PRE_EMPHASIS = 0.97
_FLOOR = 1e-4
"""Energy below which nothing is heard, for samples of int16 size"""
_RANGE = 14.0
"""Nats: what lies more than 60 dB under the loudest cell is silence"""
_LOUD = 7.0
"""Nats: frames within 30 dB of the loudest count as speech for the colour"""
_PATIENCE = 60
"""Loud frames that weigh as much as what people on the whole sound like"""
# fmt: off
_PEOPLE = np.array([
    0.36, 0.49, 0.82, 0.94, 0.73, 0.27, -0.11, -0.27, -0.31, -0.30, -0.09, 0.13, 0.18,
    0.11, 0.14, 0.33, 0.39, 0.41, 0.25, 0.12, -0.14, -0.56, -0.99, -1.34, -1.56,
], np.float32)
# fmt: on
"""Mean log-mels of 100 readers' loud frames (LibriSpeech, train-clean-100), their own mean taken out"""

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
        "pre_emphasis": PRE_EMPHASIS,
        "patience": _PATIENCE,
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
    signal = samples.astype(np.float32)
    bright = signal[1:] - PRE_EMPHASIS * signal[:-1]
    framed = np.lib.stride_tricks.sliding_window_view(bright, FRAME_SAMPLES - 1)[::HOP_SAMPLES]
    spectrum = np.fft.rfft(framed * _window(), FFT_SIZE)
    power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32)
    return np.asarray(np.log(np.maximum(power @ _mel_matrix(), _FLOOR)), np.float32)


def normalise(frames: Frames) -> Frames:
    """Level and colour of the loud frames taken out, silence clamped, in nats.

    A short word has few sounds, whose mean is no measure of the microphone's colour: the colour is that of
    people on the whole until `_PATIENCE` frames and more speak against it.
    """
    if len(frames) == 0:
        return frames
    clamped = np.maximum(frames, frames.max() - _RANGE)
    level = clamped.mean(axis=1)
    loud = clamped[level >= level.max() - _LOUD]
    mean = loud.mean(axis=0)
    known = len(loud) / (len(loud) + _PATIENCE)
    colour = known * (mean - mean.mean()) + (1.0 - known) * _PEOPLE
    return np.asarray(clamped - mean.mean() - colour, np.float32)


@cache
def _window() -> npt.NDArray[np.float32]:
    return np.asarray(np.hamming(FRAME_SAMPLES - 1), np.float32)


@cache
def _mel_matrix() -> npt.NDArray[np.float32]:
    """Triangles of equal area in Hz, their corners on FFT bins, shape (FFT_SIZE // 2 + 1, MELS)."""
    edges = _hz(np.linspace(_mel(np.array(LOW_HZ)), _mel(np.array(HIGH_HZ)), MELS + 2))
    edges = np.round(edges * FFT_SIZE / SAMPLE_RATE_HZ) * SAMPLE_RATE_HZ / FFT_SIZE
    bins = np.linspace(0.0, SAMPLE_RATE_HZ / 2, FFT_SIZE // 2 + 1)[:, None]
    left, centre, right = edges[:-2], edges[1:-1], edges[2:]
    rising = (bins - left) / (centre - left)
    falling = (right - bins) / (right - centre)
    return np.asarray(np.maximum(0.0, np.minimum(rising, falling)) * 2.0 / (right - left), np.float32)


def _mel(hz: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(2595.0 * np.log10(1.0 + hz / 700.0))


def _hz(mel: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(700.0 * (10.0 ** (mel / 2595.0) - 1.0))
