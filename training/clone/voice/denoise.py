"""Less noise in a call, and never a worse call: a Wiener filter whose noise is what the quiet frames hold.

A priori SNR by decision direction (Ephraim and Malah 1984). The gain never falls below -18 dB, so that no
musical noise is left; where a recording is clean, or holds no quiet to learn the noise from, nothing is done.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training.clone.voice.soundtrack import Signal
from training.clone.voice.spectrum import HOP, SIZE, samples_of, spectra

FLOOR_DB = -18.0
CLEAN_DB = 24.0
"""From this signal-to-noise ratio on, a recording stays as it is"""
LEAST_QUIET = 12
"""Frames of quiet, about a tenth of a second, that tell what the noise is"""
_REMEMBER = 0.96
Power = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Denoised:
    samples: Signal
    snr_db: float
    """Of the recording, as far as it can be known"""
    changed: bool


def denoised(samples: Signal, calls: list[tuple[int, int]]) -> Denoised:
    """`calls`: (start, end) in samples; what lies well outside of them is noise."""
    quiet = _quiet_frames(len(samples), calls)
    whole = spectra(samples)
    power = np.abs(whole) ** 2
    quiet = quiet[: len(power)]
    if quiet.sum() < LEAST_QUIET or quiet.all():
        return Denoised(samples, float("inf"), False)
    noise = power[quiet].mean(axis=0)
    snr_db = _snr_db(power, quiet)
    if snr_db > CLEAN_DB:
        return Denoised(samples, snr_db, False)
    return Denoised(samples_of(whole * _gains(power, noise), len(samples)), snr_db, True)


def _quiet_frames(size: int, calls: list[tuple[int, int]]) -> npt.NDArray[np.bool_]:
    """Frames that do not touch a call."""
    quiet = np.ones(size // HOP + 2, bool)
    for start, end in calls:
        quiet[max((start - SIZE) // HOP, 0) : (end + SIZE) // HOP + 1] = False
    return quiet


def _snr_db(power: Power, quiet: npt.NDArray[np.bool_]) -> float:
    level = power.sum(axis=1)
    noise = float(level[quiet].mean())
    call = max(float(level[~quiet].mean()) - noise, 1e-12)
    return 10 * float(np.log10(call / max(noise, 1e-12)))


def _gains(power: Power, noise: Power) -> Power:
    """(frames, bins) of Wiener gains."""
    floor = 10 ** (FLOOR_DB / 20)
    posterior = power / np.maximum(noise, 1e-12)
    gains = np.empty_like(power)
    before = np.ones(power.shape[1], np.float32)
    for frame, ratio in enumerate(posterior):
        prior = _REMEMBER * before + (1 - _REMEMBER) * np.maximum(ratio - 1, 0)
        gains[frame] = np.maximum(prior / (1 + prior), floor)
        before = gains[frame] ** 2 * ratio
    return gains
