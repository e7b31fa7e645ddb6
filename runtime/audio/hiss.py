"""How loud something is beside the noise that goes on under it: may that noise have hidden a voice?

Whoever calls in a quiet place stands far over what is left between the call's tones and in its pauses; in
noise nothing is left between them. So the noise is what the quieter moments hold, tone by tone, and of the
tones the middle one: a call's own harmonics are no noise, however long it is.
"""

import numpy as np
import numpy.typing as npt

from runtime.contracts.audio import SAMPLE_RATE_HZ, Samples

_FRAME, _HOP = 512, 320
_LOWEST_HZ, _HIGHEST_HZ = 300, 7_500
_QUIETER = 0.25
"""Share of the moments that are taken for noise alone"""
_FLAT = np.asarray(np.hanning(_FRAME + 1)[:-1], np.float32)
_BAND = slice(_LOWEST_HZ * _FRAME // SAMPLE_RATE_HZ, _HIGHEST_HZ * _FRAME // SAMPLE_RATE_HZ)


def over_noise_db(samples: Samples) -> float:
    """Decibels from the noise in `samples` up to the loudest 32 ms; 0 where there is too little sound."""
    if len(samples) < _FRAME:
        return 0.0
    power = _power(samples)  # (T, bins)
    quieter = int(_QUIETER * (len(power) - 1))
    noise = np.median(np.partition(power, quieter, axis=0)[quieter])
    return float(10.0 * np.log10(power.mean(axis=1).max() / noise))


def _power(samples: Samples) -> npt.NDArray[np.float32]:
    framed = np.lib.stride_tricks.sliding_window_view(samples.astype(np.float32), _FRAME)[::_HOP]
    spectrum = np.fft.rfft(framed * _FLAT, axis=1)[:, _BAND]
    power = spectrum.real**2 + spectrum.imag**2 + 1.0  # a digital silence too has a level
    return np.asarray(power, np.float32)
