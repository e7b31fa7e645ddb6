"""Rough treatment of synthetic speech, in two halves: `warp` makes another speaker, `room` another place.

Overfitting to the synthesisers is the enemy, so every part is drawn anew for each clip. All sounds are
float32, 16 kHz, full scale 1.0; every function returns a new array. `level` 0 leaves the sound alone, 1
is a kitchen, more is worse.
"""

import numpy as np
import numpy.typing as npt

from training.data import noise

Floats = npt.NDArray[np.float32]
Rng = np.random.Generator

RATE_HZ = 16_000
_FFT, _HOP = 512, 160
_BINS = _FFT // 2 + 1
_WINDOW = np.hanning(_FFT + 1)[:-1].astype(np.float32)
_BIN_HZ = np.fft.rfftfreq(_FFT, 1 / RATE_HZ)


def roughen(samples: Floats, rng: Rng, level: float = 1.0) -> Floats:
    """Another speaker in another place. The length changes with the rate of speaking."""
    return room(warp(samples, rng, level), rng, level)


def warp(samples: Floats, rng: Rng, level: float = 1.0) -> Floats:
    """Another speaker: size, formants, breath, rate within words."""
    if level <= 0 or len(samples) < _FFT:
        return samples.copy()
    sound = bend_rate(samples, rng, level)
    formants = float(np.exp(rng.normal(0.0, 0.13 * level)))
    breath = float(rng.uniform(0.0, 0.35) * level) if rng.random() < 0.3 else 0.0
    return reshape_spectrum(sound, np.clip(formants, 0.75, 1.35), random_eq(rng, level), breath, rng)


def room(samples: Floats, rng: Rng, level: float = 1.0, snr_db: tuple[float, float] | None = None) -> Floats:
    """Another place: reverberation, distance, noise, a cheap microphone, gain.

    `snr_db`: the range of the noise, which is then always there; else it follows the level.
    """
    if level <= 0 or not len(samples):
        return samples.copy()
    sound = samples
    if rng.random() < 0.6:
        sound = reverberate(sound, rng, level)
    if snr_db is not None:
        sound = add_noise(sound, rng, float(rng.uniform(*snr_db)))
    elif rng.random() < 0.8:
        sound = add_noise(sound, rng, float(rng.uniform(2.0, 26.0) + 8.0 * (1.0 - level)))
    if rng.random() < 0.15:
        sound = telephone(sound, rng)
    peak = float(np.abs(sound).max()) or 1.0
    if rng.random() < 0.1:
        return clip_hard(sound * (0.95 / peak), rng)
    return (sound * (10 ** (rng.uniform(-26.0, -1.0) / 20) / peak)).astype(np.float32)


def bend_rate(samples: Floats, rng: Rng, level: float = 1.0) -> Floats:
    """Play at a rate that wanders inside the words (pitch and formants move with it, as a tape does)."""
    overall = float(np.clip(np.exp(rng.normal(0.0, 0.09 * level)), 0.75, 1.3))
    knots = max(2, len(samples) // 2400 + 2)  # one each 150 ms
    rate = overall * np.exp(rng.normal(0.0, 0.06 * level, knots))
    steps = np.interp(np.linspace(0, knots - 1, len(samples)), np.arange(knots), rate)
    # reading position of every output sample, by inverting the time each input sample takes
    taken = np.cumsum(1.0 / steps)
    positions = np.interp(np.arange(int(taken[-1])), taken, np.arange(len(samples)))
    return np.interp(positions, np.arange(len(samples)), samples).astype(np.float32)


def random_eq(rng: Rng, level: float = 1.0) -> Floats:
    """Gain for each of the 257 bins: a tilt, a few smooth bumps, sometimes the muffling of distance."""
    octaves = np.log2(np.maximum(_BIN_HZ, 40.0) / 1000.0)
    gain_db = rng.normal(0.0, 1.5 * level) * octaves
    gain_db += np.interp(octaves, np.linspace(-5, 3, 7), rng.normal(0.0, 3.0 * level, 7))
    if rng.random() < 0.3 * level:
        corner = rng.uniform(2500.0, 6500.0)
        gain_db -= 18.0 * np.maximum(0.0, np.log2(np.maximum(_BIN_HZ, 1.0) / corner))
    return (10 ** (gain_db / 20)).astype(np.float32)  # (257,)


def reshape_spectrum(samples: Floats, formants: float, gain: Floats, breath: float, rng: Rng) -> Floats:
    """Scale the envelope's frequencies by `formants` (pitch stays), apply `gain`, mix in breath."""
    padded = np.pad(samples, (_FFT, _FFT))
    frames = np.lib.stride_tricks.sliding_window_view(padded, _FFT)[::_HOP] * _WINDOW  # (T, 512)
    spectrum = np.fft.rfft(frames, axis=1).astype(np.complex64)  # (T, 257)
    magnitude = np.abs(spectrum) + 1e-5
    envelope = _envelope(magnitude)
    source = np.clip(np.arange(_BINS) / formants, 0, _BINS - 1.001)
    low = source.astype(int)
    part = (source - low).astype(np.float32)
    moved = envelope[:, low] * (1 - part) + envelope[:, low + 1] * part
    spectrum *= moved / envelope * gain
    if breath > 0:
        hiss = rng.standard_normal((2, *spectrum.shape), dtype=np.float32)
        spectrum += (breath * 0.5) * moved * gain * (hiss[0] + 1j * hiss[1])
    pieces = np.fft.irfft(spectrum, _FFT, axis=1).astype(np.float32) * _WINDOW
    return _overlap_add(pieces, len(padded))[_FFT : _FFT + len(samples)]


def _envelope(magnitude: Floats) -> Floats:
    """Smooth spectral envelope, (T, 257), by keeping the first 30 cepstral coefficients."""
    cepstrum = np.fft.irfft(np.log(magnitude), axis=1)
    cepstrum[:, 30:-29] = 0.0
    return np.exp(np.fft.rfft(cepstrum, axis=1).real).astype(np.float32)


def _overlap_add(pieces: Floats, length: int) -> Floats:
    """Sum windows `_HOP` apart, divided by the squared windows' sum."""
    total = np.zeros(length + _FFT, np.float32)
    weight = np.zeros(length + _FFT, np.float32)
    squared = _WINDOW**2
    for i, piece in enumerate(pieces):
        total[i * _HOP : i * _HOP + _FFT] += piece
        weight[i * _HOP : i * _HOP + _FFT] += squared
    return (total / np.maximum(weight, 1e-3))[:length]


def reverberate(samples: Floats, rng: Rng, level: float = 1.0) -> Floats:
    """Convolve with an invented room of RT60 0.1 to 0.7 s; the direct sound stays in place."""
    decay_s = rng.uniform(0.1, 0.2 + 0.5 * level)
    n = int(decay_s * RATE_HZ)
    time = np.arange(n) / RATE_HZ
    tail = rng.standard_normal(n, dtype=np.float32) * np.exp(-6.9 * time / decay_s).astype(np.float32)
    tail[: int(rng.uniform(0.001, 0.02) * RATE_HZ)] = 0.0
    tail = np.convolve(tail, np.ones(3, np.float32) / 3, mode="same")  # walls swallow the treble
    for _ in range(int(rng.integers(2, 7))):
        tail[int(rng.integers(1, min(n, 800)))] += rng.normal(0.0, 0.4)
    wet_db = rng.uniform(-18.0, -6.0 + 8.0 * level)
    tail *= 10 ** (wet_db / 20) / (float(np.sqrt((tail**2).sum())) + 1e-9)
    tail[0] = 1.0
    size = 1 << (len(samples) + n).bit_length()
    wet = np.fft.irfft(np.fft.rfft(samples, size) * np.fft.rfft(tail, size), size)
    return wet[: len(samples)].astype(np.float32)


def add_noise(samples: Floats, rng: Rng, snr_db: float) -> Floats:
    """Mix in a random stretch of one or two kinds of noise, measured against the voiced part's power."""
    sound = samples
    for _ in range(2 if rng.random() < 0.25 else 1):
        sound = mix(sound, noise.stretch(len(samples), rng), snr_db)
    return sound


def mix(samples: Floats, other: Floats, snr_db: float) -> Floats:
    """`samples` plus `other`, scaled to stand `snr_db` under the loud part of `samples`."""
    loud = np.abs(samples) > 0.1 * np.abs(samples).max(initial=1e-6)
    power = float((samples[loud] ** 2).mean()) if loud.any() else 1e-4
    other_power = float((other**2).mean()) + 1e-12
    return (samples + other * np.sqrt(power / other_power / 10 ** (snr_db / 10))).astype(np.float32)


def telephone(samples: Floats, rng: Rng) -> Floats:
    """A poor link: a narrow band and eight bits on a logarithmic scale."""
    spectrum = np.fft.rfft(samples)
    hz = np.fft.rfftfreq(len(samples), 1 / RATE_HZ)
    spectrum[(hz < rng.uniform(50, 300)) | (hz > rng.uniform(3400, 7000))] = 0.0
    narrow = np.fft.irfft(spectrum, len(samples)).astype(np.float32)
    peak = float(np.abs(narrow).max()) + 1e-9
    coded = np.round(np.sign(narrow) * np.log1p(255 * np.abs(narrow) / peak) / np.log(256.0) * 127) / 127
    return (np.sign(coded) * np.expm1(np.abs(coded) * np.log(256.0)) / 255 * peak).astype(np.float32)


def clip_hard(samples: Floats, rng: Rng) -> Floats:
    """Overdriven by 2 to 12 dB."""
    return np.clip(samples * 10 ** (rng.uniform(2.0, 12.0) / 20), -0.98, 0.98).astype(np.float32)
