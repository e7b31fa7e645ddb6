"""One sound twice, clean and in noise, in the same room: what the denoiser and the recogniser learn from."""

import numpy as np

from runtime.contracts.audio import SAMPLE_RATE_HZ
from runtime.speech.features import Frames, log_mel, normalise
from training.data import augment, noise
from training.data.augment import Floats, Rng
from training.data.speech import to_int16

NOISY_SHARE = 0.85
LOWEST_DB, HIGHEST_DB = -3.0, 25.0


def placed(sound: Floats, rng: Rng, level: float) -> Floats:
    """With a start and an end around it, sometimes a room and a poor microphone, no noise; peak 1."""
    before, after = (int(rng.uniform(0.02, 0.6) * SAMPLE_RATE_HZ) for _ in range(2))
    sound = np.pad(sound, (before, after))
    if rng.random() < 0.5:
        sound = augment.reverberate(sound, rng, level)
    if rng.random() < 0.1:
        sound = augment.telephone(sound, rng)
    return (sound / (np.abs(sound).max() + 1e-9)).astype(np.float32)


def in_noise(clean: Floats, rng: Rng) -> Floats:
    """One or two kinds of noise at -3 to 25 dB in most draws, hardly any in the others."""
    snr_db = float(rng.uniform(LOWEST_DB, HIGHEST_DB) if rng.random() < NOISY_SHARE else rng.uniform(25, 50))
    sound = clean
    for _ in range(2 if rng.random() < 0.3 else 1):
        sound = augment.mix(sound, noise.stretch(len(sound), rng), snr_db)
    return sound


def pair(sound: Floats, rng: Rng, level: float) -> tuple[Frames, Frames]:
    """(in noise, clean): normalised log-mels of `sound`, warped into another speaker, placed somewhere."""
    clean = placed(augment.warp(sound, rng, level), rng, level)
    noisy = in_noise(clean, rng)
    gain = 10 ** (rng.uniform(-26.0, -1.0) / 20)
    heard = (to_int16(s * (gain / np.abs(s).max())) for s in (noisy, clean))
    noisy_mels, clean_mels = (normalise(log_mel(samples)) for samples in heard)
    return noisy_mels, clean_mels
