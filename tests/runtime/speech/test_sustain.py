"""Loudness is bounded, and a purr has no seams."""

import numpy as np
import pytest

from runtime.speech.level import CEILING, as_samples, limited
from runtime.speech.sustain import sustained


def purr(rate_hz: float, seconds: float = 0.9) -> np.ndarray:
    """Noise that swells 25 times a second, as a cat's purr does."""
    n = int(seconds * 16_000)
    rng = np.random.default_rng(int(rate_hz * 10))
    breath = np.convolve(rng.standard_normal(n), np.ones(12) / 12, "same")
    return (breath * (0.55 + 0.45 * np.sin(2 * np.pi * rate_hz * np.arange(n) / 16_000))).astype(np.float32)


def worst_step(samples: np.ndarray) -> float:
    """How much the level of 40 ms changes at most to the next 40 ms, dB."""
    frames = samples[: len(samples) // 640 * 640].reshape(-1, 640)
    level = 10 * np.log10((frames**2).mean(axis=1) + 1e-12)
    return float(np.abs(np.diff(level)).max())


def test_it_lasts_as_long_as_asked_and_no_seam_is_heard() -> None:
    rates = iter(24 + 0.2 * np.arange(99))
    long = sustained(lambda: purr(float(next(rates))), 6.0)
    assert len(long) == 96_000
    inside = max(worst_step(purr(rate)) for rate in (24.0, 25.0, 26.0))
    assert worst_step(long[3_000:-3_000]) <= inside * 1.3
    butted = np.concatenate([purr(24.0 + 0.2 * i)[900 + 170 * i :] for i in range(6)])
    butted[14_000:14_400] = 0
    assert worst_step(butted) > inside * 1.3


def test_its_beat_goes_on_across_the_joins() -> None:
    long = sustained(lambda: purr(25.0), 5.0)[3_000:-3_000]
    envelope = np.convolve(np.abs(long), np.ones(160) / 160, "same")
    spectrum = np.abs(np.fft.rfft(envelope - envelope.mean()))
    hz = np.fft.rfftfreq(len(envelope), 1 / 16_000)
    assert hz[spectrum.argmax()] == pytest.approx(25.0, abs=0.6)


def test_what_is_never_long_enough_ends() -> None:
    assert len(sustained(lambda: np.zeros(0, np.float32), 3.0)) == 0


def test_the_limiter_holds_its_ceiling_and_leaves_the_rest_alone() -> None:
    quiet = 0.5 * np.sin(np.arange(4_000) / 5).astype(np.float32)
    assert limited(quiet) is quiet
    loud = quiet.copy()
    loud[2_000:2_100] *= 4
    held = limited(loud)
    assert np.abs(held).max() <= CEILING + 1e-6
    assert np.array_equal(held[:1_900], quiet[:1_900])
    gain = held[np.abs(loud) > 0.05] / loud[np.abs(loud) > 0.05]
    assert np.abs(np.diff(gain)).max() < 0.1
    assert np.abs(as_samples(loud, 12.0)).max() <= round(CEILING * 32_767)
