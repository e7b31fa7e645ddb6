"""Recordings of an animal made by rule."""

from pathlib import Path

import numpy as np
import soundfile

from training.clone.voice.synthetic import animals, call

REX = animals(3, 1)[0]


def recording(path: Path, *kinds: str, level: float = 0.3, rate_hz: int = 16_000) -> Path:
    parts = [np.pad(level * call(REX, kind, np.random.default_rng(i)), 8_000) for i, kind in enumerate(kinds)]
    samples = np.concatenate(parts) if parts else np.zeros(32_000)
    samples = samples + 1e-4 * np.random.default_rng(9).standard_normal(len(samples))
    soundfile.write(path, np.repeat(samples, rate_hz // 16_000), rate_hz)
    return path
