"""A dog's voice by source and filter: pulses with contour, jitter and subharmonics, breath, formants.

Everything is float, 16 kHz, shape (n,). Contours are (position 0..1, value) points, joined smoothly.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

RATE_HZ = 16_000
Signal = npt.NDArray[np.float64]
Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Call:
    """One voiced or breathy stretch."""

    seconds: float
    f0_hz: Points
    loud: Points
    """Amplitude 0..1"""
    formants_hz: Sequence[tuple[float, float, float]]
    """(centre, bandwidth, gain) of each resonance"""
    jaw: Points = ((0, 1), (1, 1))
    """Factor on the formants over time: the mouth opens (above 1) and shuts"""
    breath: float = 0.15
    """Share of noise in the source"""
    rough: float = 0.0
    """Subharmonics and pitch chaos, 0..1: growls and hoarse barks"""
    tilt: float = 0.92
    """Low-pass of the pulses: nearer 1 is softer"""
    vibrato: tuple[float, float] = field(default=(0.0, 0.0))
    """(rate in Hz, depth as a share of f0)"""


def curve(points: Points, n: int) -> Signal:
    """Cosine-joined points over n samples."""
    at = np.linspace(0, 1, n)
    xs, ys = (np.array(column, dtype=float) for column in zip(*points, strict=True))
    index = np.clip(np.searchsorted(xs, at, side="right") - 1, 0, len(xs) - 2)
    share = np.clip((at - xs[index]) / np.maximum(xs[index + 1] - xs[index], 1e-9), 0, 1)
    eased = (1 - np.cos(np.pi * share)) / 2
    return ys[index] + (ys[index + 1] - ys[index]) * eased


def _wander(n: int, rate_hz: float, rng: np.random.Generator) -> Signal:
    """Slow random walk of unit size: nothing alive holds still."""
    knots = rng.standard_normal(max(2, int(n / RATE_HZ * rate_hz) + 2))
    return np.interp(np.linspace(0, len(knots) - 1, n), np.arange(len(knots)), knots)


def _pulses(call: Call, n: int, rng: np.random.Generator) -> Signal:
    """The glottal source: a rounded saw of the phase, darkened by `tilt`."""
    f0 = curve(call.f0_hz, n) * (1 + 0.012 * _wander(n, 25, rng) + 0.12 * call.rough * _wander(n, 90, rng))
    rate, depth = call.vibrato
    f0 *= 1 + depth * np.sin(2 * np.pi * rate * np.arange(n) / RATE_HZ + rng.uniform(0, 6.28))
    phase = np.cumsum(f0 / RATE_HZ)
    position = phase % 1.0
    # Rosenberg-like: opens over 60 % of the period, shuts over 20 %, rests; its slope is the excitation.
    flow = np.where(
        position < 0.6,
        0.5 * (1 - np.cos(np.pi * position / 0.6)),
        np.where(position < 0.8, np.cos(np.pi / 2 * (position - 0.6) / 0.2), 0.0),
    )
    beat = 1 + 0.6 * call.rough * np.sign(np.sin(np.pi * phase)) + 0.3 * call.rough * _wander(n, 60, rng)
    slope = np.diff(flow * beat, prepend=0.0)
    return slope / (np.sqrt(np.mean(slope**2)) + 1e-9)


def _one_pole(signal: Signal, pole: float) -> Signal:
    out, state = np.empty_like(signal), 0.0
    for i, value in enumerate(signal):
        state = (1 - pole) * value + pole * state
        out[i] = state
    return out


def _resonate(signal: Signal, centre_hz: Signal, width_hz: float) -> Signal:
    """Two-pole resonator whose centre moves; gain 1 at the peak wherever that is."""
    radius = np.exp(-np.pi * width_hz / RATE_HZ)
    angle = 2 * np.pi * np.minimum(centre_hz, 7_500) / RATE_HZ
    back = 2 * radius * np.cos(angle)
    gain = (1 - radius) * np.sqrt(1 - 2 * radius * np.cos(2 * angle) + radius**2)
    out = np.empty_like(signal)
    one = two = 0.0
    for i, value in enumerate(signal):
        now = gain[i] * value + back[i] * one - radius * radius * two
        out[i], two, one = now, one, now
    return out


def voice(call: Call, rng: np.random.Generator) -> Signal:
    """The call as a signal of peak about 1."""
    n = int(call.seconds * RATE_HZ)
    noise = rng.standard_normal(n)
    pulses = _one_pole(_pulses(call, n, rng), call.tilt * 0.6)
    pulses /= np.sqrt(np.mean(pulses**2)) + 1e-9
    source = (1 - call.breath) * pulses + call.breath * noise * (0.6 + 0.4 * np.clip(pulses, -1, 1))
    jaw = curve(call.jaw, n)
    drift = 1 + 0.015 * _wander(n, 8, rng)
    parts = [
        gain * _resonate(source, centre * jaw * drift, width) for centre, width, gain in call.formants_hz
    ]
    shaped = np.sum(parts, axis=0) * curve(call.loud, n)
    return shaped / (np.abs(shaped).max() + 1e-9)


def room(signal: Signal, rng: np.random.Generator, wet: float = 0.12) -> Signal:
    """A small room's early reflections, so that it does not sound like a wire."""
    tail = int(0.09 * RATE_HZ)
    response = rng.standard_normal(tail) * np.exp(-np.arange(tail) / (0.018 * RATE_HZ))
    response[: int(0.004 * RATE_HZ)] = 0
    echo = np.convolve(signal, response / np.sqrt(np.sum(response**2)))
    out = np.concatenate([signal, np.zeros(tail - 1)]) + wet * echo
    return out / (np.abs(out).max() + 1e-9)


def sequence(parts: Sequence[tuple[Signal, float, float]]) -> Signal:
    """(signal, loudness, seconds of gap after it) one after another."""
    pieces = [
        piece for signal, loud, gap_s in parts for piece in (signal * loud, np.zeros(int(gap_s * RATE_HZ)))
    ]
    return np.concatenate(pieces)
