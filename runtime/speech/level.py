"""How loud a sound may get: a limiter that looks ahead, so that nothing clips and nothing pumps."""

import numpy as np

from runtime.contracts.audio import SAMPLE_RATE_HZ, Samples
from runtime.speech.pitch import Signal

CEILING = 0.89
"""-1 dB of full scale: no resampling on the way to the loudspeaker overshoots it"""
_AHEAD = int(0.003 * SAMPLE_RATE_HZ)


def limited(samples: Signal, ceiling: float = CEILING) -> Signal:
    """The same, nowhere above `ceiling`; untouched where it is below anyway.

    The gain is the least that any sample near by asks for, smoothed over the same stretch, so that it never
    jumps and still is low enough at every peak.
    """
    wanted = np.minimum(1.0, ceiling / np.maximum(np.abs(samples), 1e-9))
    if not len(samples) or wanted.min() >= 1:
        return samples
    width = 2 * _AHEAD + 1
    near = np.lib.stride_tricks.sliding_window_view(np.pad(wanted, _AHEAD * 2, constant_values=1), width)
    gain = np.convolve(near.min(axis=1), np.full(width, 1 / width), "valid")
    return np.asarray(np.clip(samples * gain, -ceiling, ceiling), np.float32)


def as_samples(samples: Signal, gain_db: float = 0.0) -> Samples:
    """16-bit, limited."""
    loud = limited(samples * np.float32(10 ** (gain_db / 20)))
    return np.round(loud * 32_767).astype(np.int16)
