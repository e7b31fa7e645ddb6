"""What can be measured of one call: length, pitch, tonality, loudness, attack, colour, and its quality."""

from dataclasses import dataclass

import numpy as np

from runtime.contracts.audio import SAMPLE_RATE_HZ
from runtime.speech.pitch import Pitch, pitch_of
from training.clone.voice.soundtrack import CLIPPED, Signal

_HOP = 80
_USUAL_SNR_DB = 30.0


@dataclass(frozen=True, slots=True)
class Call:
    """The measures of one call."""

    seconds: float
    pitch: Pitch
    loudness_db: float
    """RMS, of full scale"""
    attack_s: float
    """From a tenth to nine tenths of its greatest level"""
    centroid_hz: float
    """Where the middle of its power lies"""
    sharpness: float
    """Share of its power above 3 kHz"""
    beat_hz: float
    """How often a second its level swells, 15 to 40; 0 where it does not"""
    clipped: float
    above_db: float
    """How far it stands out of the noise"""

    @property
    def tonality(self) -> float:
        return self.pitch.tonality

    @property
    def f0_hz(self) -> float:
        return self.pitch.median_hz

    @property
    def quality(self) -> float:
        """0..1: out of the noise, not clipped, not too faint."""
        clear = min(max(self.above_db / _USUAL_SNR_DB, 0.0), 1.0)
        whole = max(1.0 - 40 * self.clipped, 0.0)
        loud = min(max((self.loudness_db + 60) / 30, 0.0), 1.0)
        return round(clear * whole * loud, 3)


def measured(samples: Signal, above_db: float) -> Call:
    """`samples`: the call alone, as it is to be played."""
    envelope = _envelope(samples)
    power = np.abs(np.fft.rfft(samples)) ** 2
    hz = np.fft.rfftfreq(len(samples), 1 / SAMPLE_RATE_HZ)
    heard = power * (hz > 100)
    total = float(heard.sum()) + 1e-12
    return Call(
        seconds=len(samples) / SAMPLE_RATE_HZ,
        pitch=pitch_of(samples),
        loudness_db=10 * float(np.log10(np.mean(samples**2) + 1e-12)),
        attack_s=_attack_s(envelope),
        centroid_hz=float((heard * hz).sum() / total),
        sharpness=float(heard[hz > 3_000].sum() / total),
        beat_hz=_beat_hz(envelope),
        clipped=float(np.mean(np.abs(samples) >= CLIPPED)),
        above_db=above_db,
    )


def _envelope(samples: Signal) -> Signal:
    """RMS of 10 ms every 5 ms."""
    padded = np.pad(samples, _HOP)
    frames = np.lib.stride_tricks.sliding_window_view(padded, 2 * _HOP)[::_HOP]
    return np.sqrt((frames**2).mean(axis=1))


def _attack_s(envelope: Signal) -> float:
    top = int(envelope.argmax())
    before = envelope[: top + 1]
    loud = int(np.argmax(before >= 0.9 * envelope[top]))
    quiet = np.flatnonzero(before[: loud + 1] <= 0.1 * envelope[top])
    return float(loud - (quiet[-1] if len(quiet) else 0)) * _HOP / SAMPLE_RATE_HZ


def _beat_hz(envelope: Signal) -> float:
    """A purr swells 20 to 30 times a second, a growl about as often."""
    rate = SAMPLE_RATE_HZ / _HOP
    if len(envelope) < rate / 2:
        return 0.0
    level = envelope / (np.convolve(envelope, np.ones(21) / 21, "same") + 1e-9) - 1
    level = (level - level.mean()) * np.hanning(len(level))
    power = np.abs(np.fft.rfft(level, 1_024)) ** 2
    hz = np.fft.rfftfreq(1_024, 1 / rate)
    band = (hz >= 15) & (hz <= 40)
    top = float(power[band].max())
    return float(hz[band][power[band].argmax()]) if top > 6 * float(np.mean(power[hz > 4])) else 0.0
