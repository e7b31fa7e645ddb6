"""Barks, meows and whines invented from pulses and glides: sounds that must not wake a pet robot."""

import numpy as np
import numpy.typing as npt

from training.data.augment import RATE_HZ

Floats = npt.NDArray[np.float32]
Rng = np.random.Generator


def animal(rng: Rng) -> Floats:
    """One to five calls of one animal with pauses between; peak 0.5."""
    call = (bark, meow, whine)[int(rng.choice(3, p=(0.5, 0.35, 0.15)))]
    pieces = []
    for _ in range(int(rng.integers(1, 6))):
        pieces += [call(rng), np.zeros(int(rng.uniform(0.05, 0.6) * RATE_HZ), np.float32)]
    sound = np.concatenate(pieces)
    return (0.5 * sound / (np.abs(sound).max() + 1e-9)).astype(np.float32)


def bark(rng: Rng) -> Floats:
    """A short burst, pitch up and down again, rough."""
    length_s, base = rng.uniform(0.1, 0.35), rng.uniform(150, 700)
    return _voice(rng, length_s, base * np.array([0.8, 1.3, 1.1, 0.7]), roughness=rng.uniform(0.2, 0.9))


def meow(rng: Rng) -> Floats:
    """A long glide with a moving mouth."""
    length_s, base = rng.uniform(0.4, 1.2), rng.uniform(350, 800)
    return _voice(rng, length_s, base * np.array([0.9, 1.3, 1.2, 0.8]), roughness=rng.uniform(0.0, 0.2))


def whine(rng: Rng) -> Floats:
    """High and thin."""
    length_s, base = rng.uniform(0.2, 1.0), rng.uniform(600, 1500)
    return _voice(rng, length_s, base * rng.uniform(0.7, 1.4, 4), roughness=0.05)


def _voice(rng: Rng, length_s: float, pitch_hz: npt.NDArray[np.float64], roughness: float) -> Floats:
    n = int(length_s * RATE_HZ)
    place = np.linspace(0, 1, n)
    pitch = np.interp(
        place, np.linspace(0, 1, len(pitch_hz)), pitch_hz * rng.uniform(0.9, 1.1, len(pitch_hz))
    )
    phase = 2 * np.pi * np.cumsum(pitch) / RATE_HZ
    mouth = np.interp(place, (0, 0.4, 1), rng.uniform(500, 2500, 3))  # one formant, Hz
    sound = np.zeros(n)
    for k in range(1, 25):
        hz = k * pitch
        sound += np.where(hz < 7500, np.sin(k * phase) * np.exp(-(((hz - mouth) / 900) ** 2)) + 0.05 / k, 0.0)
    sound = sound * (1 + roughness * rng.standard_normal(n)) + 0.1 * roughness * rng.standard_normal(n)
    return (sound * np.sin(np.pi * place**0.5) ** 2).astype(np.float32)
