"""Short-time spectra, there and back without loss: Hann windows of 32 ms every 8 ms."""

import numpy as np
import numpy.typing as npt

from runtime.contracts.audio import SAMPLE_RATE_HZ
from training.clone.voice.soundtrack import Signal

Spectra = npt.NDArray[np.complex64]
SIZE, HOP = 512, 128
BINS_HZ = np.fft.rfftfreq(SIZE, 1 / SAMPLE_RATE_HZ)
_WINDOW = np.hanning(SIZE + 1)[:-1].astype(np.float32)


def spectra(samples: Signal) -> Spectra:
    """(frames, bins); frame i is centred on sample i * HOP."""
    tail = -len(samples) % HOP
    padded = np.pad(samples, (SIZE // 2, SIZE // 2 + tail))
    frames = np.lib.stride_tricks.sliding_window_view(padded, SIZE)[::HOP]
    return np.fft.rfft(frames * _WINDOW, axis=1).astype(np.complex64)


def samples_of(spectra: Spectra, size: int) -> Signal:
    """`size` samples back."""
    frames = np.fft.irfft(spectra, SIZE, axis=1).astype(np.float32) * _WINDOW
    length = (len(frames) - 1) * HOP + SIZE
    out, weight = np.zeros(length, np.float32), np.zeros(length, np.float32)
    for shift in range(SIZE // HOP):
        part = frames[shift :: SIZE // HOP]
        at = shift * HOP
        out[at : at + part.size] += part.ravel()
        weight[at : at + part.size] += np.tile(_WINDOW**2, len(part))
    return np.asarray((out / np.maximum(weight, 1e-3))[SIZE // 2 : SIZE // 2 + size], np.float32)


def mel_bands(count: int, low_hz: float, high_hz: float) -> npt.NDArray[np.float32]:
    """(bands, bins): triangles that are even in pitch as heard, each of sum 1."""
    edges = _hz(np.linspace(_mel(low_hz), _mel(high_hz), count + 2))
    rise = (BINS_HZ[None, :] - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    fall = (edges[2:, None] - BINS_HZ[None, :]) / (edges[2:] - edges[1:-1])[:, None]
    bands = np.maximum(np.minimum(rise, fall), 0)
    nearest = np.abs(BINS_HZ[None, :] - edges[1:-1, None]).argmin(axis=1)
    bands[np.arange(count), nearest] += 1e-3
    return (bands / bands.sum(axis=1, keepdims=True)).astype(np.float32)


def _mel(hz: float) -> float:
    return 2_595 * float(np.log10(1 + hz / 700))


def _hz(mel: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(700 * (10 ** (mel / 2_595) - 1))
