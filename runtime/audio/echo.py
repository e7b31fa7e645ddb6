"""Echo cancellation: takes what the loudspeaker plays out of the microphone's signal. A pure stage.

An adaptive filter in the frequency domain, in partitions of one block, learns the way from loudspeaker to
microphone: delay, room, everything within `TAIL_S`. Its step is a Kalman gain for every partition and
frequency (Enzner and Vary, "Frequency-domain adaptive Kalman filter for acoustic echo control in hands-free
telephones", Signal Processing 86, 2006), so it stands still by itself while a person talks over the pet.
What the filter leaves is damped where it is likely echo rather than the person, by a short filter that
delays the signal 2 ms. The filter also knows how much echo it may still be leaving, most of all before it has
heard the room; a block in which no more than that is left counts as the pet. About 1 % of one core while
something plays; after `BYPASS_S` of silence from the loudspeaker blocks pass as they are.

WebRTC's canceller (pywebrtc-audio 0.2.0) was tried in its place: at a person as loud as the echo it damped
the person too, and voices were found 60 ms later, some not at all.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from runtime.contracts.audio import BLOCK_SAMPLES, SAMPLE_RATE_HZ, AudioBlock, Samples

TAIL_S = 0.28
"""Longest way from loudspeaker to microphone that is learned, delay of the sound card included"""
BYPASS_S = 1.0
DOUBT_DB = -8.0
"""Left beside the echo that the filter may have missed; below this it is the pet, and no person. Of blocks
without one 1 in 100 lies above, of a person's, as loud as the echo, 1 in 20 below (five simulated rooms)"""
MASKED_DB = 18.0
"""Where less than this is left of what the microphone heard, it heard the pet, however sure the filter is"""
_SIZE = 2 * BLOCK_SAMPLES
_BINS = _SIZE // 2 + 1
_PARTITIONS = round(TAIL_S * SAMPLE_RATE_HZ / BLOCK_SAMPLES)
_FORGET = 0.9995
"""Of the way, a block: how fast a room may change"""
_DOUBT = 1.0
"""Variance of the way before anything was heard"""
_NOISE_SMOOTH = 0.8
_QUIET = 1e-8
_OVER = 4.0
"""How much more echo is assumed than is estimated: better too little of the pet than too much"""
_LEAST_LEAK = 0.02
_FLOOR = 0.03
"""Gain where all is echo"""
_TAPS = 64
_AUDIBLE = 1e-5

Spectra = npt.NDArray[np.complex128]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A block without the pet's own voice."""

    block: AudioBlock
    masked: bool
    """Little but the pet was heard: what is left should not count as a person's voice"""


class EchoCanceller:
    """`step` every block in order with what was played at the same time; `reset` before another stream."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the room."""
        self._filter = _Filter()
        self._damper = _Damper()
        self._silent = BYPASS_S * SAMPLE_RATE_HZ

    def step(self, block: AudioBlock, played: Samples) -> Cleaned:
        """`played`: what left the loudspeaker during the block, of the same length."""
        count = len(block.samples)
        self._silent = 0 if played.any() else self._silent + count
        if self._silent >= BYPASS_S * SAMPLE_RATE_HZ:
            return Cleaned(block, masked=False)
        heard = _floats(block.samples)
        echo, rest, missed = self._filter.step(heard, _floats(played))
        cleaned = self._damper.step(rest, echo)
        pet = max(missed * 10 ** (DOUBT_DB / 10), _power(heard) * 10 ** (-MASKED_DB / 10))
        masked = _power(cleaned) < pet
        samples = np.clip(np.round(cleaned[:count] * 32_768), -32_768, 32_767).astype(np.int16)
        return Cleaned(replace(block, samples=samples), masked)


class _Filter:
    """The way from loudspeaker to microphone, and how sure it is: both shape (partitions, bins)."""

    def __init__(self) -> None:
        self._way: Spectra = np.zeros((_PARTITIONS, _BINS), complex)
        self._doubt: Floats = np.full((_PARTITIONS, _BINS), _DOUBT)
        self._played: Spectra = np.zeros((_PARTITIONS, _BINS), complex)
        """Spectra of the last blocks played, newest first"""
        self._before: Floats = np.zeros(BLOCK_SAMPLES)
        self._others: Floats = np.full(_BINS, _QUIET)
        """Power of what is no echo"""

    def step(self, heard: Floats, played: Floats) -> tuple[Floats, Floats, float]:
        """(echo, what is left, power of the echo that may be in there) of one block."""
        self._played = np.roll(self._played, 1, axis=0)
        self._played[0] = np.fft.rfft(np.concatenate([self._before, played]))
        self._before = played
        echo = np.fft.irfft((self._played * self._way).sum(axis=0))[BLOCK_SAMPLES:]
        rest = heard - echo
        power = np.abs(self._played) ** 2
        doubted = (self._doubt * power).sum(axis=0)
        self._learn(rest, power, doubted)
        return echo, rest, float(doubted.sum()) / (BLOCK_SAMPLES * BLOCK_SAMPLES)

    def _learn(self, rest: Floats, power: Floats, doubted: Floats) -> None:
        error = np.fft.rfft(np.concatenate([np.zeros(BLOCK_SAMPLES), rest]))
        self._others = _NOISE_SMOOTH * self._others + (1 - _NOISE_SMOOTH) * np.abs(error) ** 2
        gain = self._doubt / (0.5 * doubted + self._others + _QUIET)
        step = np.fft.irfft(gain * self._played.conj() * error, axis=1)
        step[:, BLOCK_SAMPLES:] = 0.0  # a way is causal and one block long
        self._way = _FORGET * (self._way + np.fft.rfft(step, axis=1))
        kept = np.maximum(0.0, 1 - 0.5 * gain * power)
        drift = (1 - _FORGET**2) * np.abs(self._way) ** 2
        self._doubt = _FORGET**2 * kept * self._doubt + drift


class _Damper:
    """Damps what the filter left of the echo, frequency by frequency."""

    def __init__(self) -> None:
        self._rest: Floats = np.zeros(_SIZE)
        self._echo: Floats = np.zeros(_SIZE)
        self._window = np.hanning(_SIZE + 1)[:-1]
        self._taper = np.hanning(_TAPS + 1)[:-1]
        self._smooth_echo: Floats = np.full(_BINS, _QUIET)
        self._smooth_rest: Floats = np.full(_BINS, _QUIET)
        self._leak: Floats = np.full(_BINS, 0.3)
        """Share of the estimated echo that the filter leaves: a slow minimum, so that voices do not count"""
        self._taps: Floats = np.zeros(_TAPS)
        self._taps[_TAPS // 2] = 1.0

    def step(self, rest: Floats, echo: Floats) -> Floats:
        self._rest = np.concatenate([self._rest[BLOCK_SAMPLES:], rest])
        self._echo = np.concatenate([self._echo[BLOCK_SAMPLES:], echo])
        power = np.abs(np.fft.rfft(self._rest * self._window)) ** 2
        echo_power = np.abs(np.fft.rfft(self._echo * self._window)) ** 2
        self._follow(power, echo_power)
        left = _OVER * np.maximum(self._leak, _LEAST_LEAK) * np.maximum(echo_power, self._smooth_echo)
        gain = np.clip(1 - left / (power + _QUIET**2), _FLOOR, 1.0)
        return self._damped(gain)

    def _follow(self, power: Floats, echo_power: Floats) -> None:
        self._smooth_echo = 0.7 * self._smooth_echo + 0.3 * echo_power
        self._smooth_rest = 0.7 * self._smooth_rest + 0.3 * power
        ratio = np.clip(self._smooth_rest / (self._smooth_echo + _QUIET), 1e-4, 1.0)
        pace = np.where(ratio < self._leak, 0.2, 0.005) * (self._smooth_echo > _AUDIBLE)
        self._leak = self._leak + pace * (ratio - self._leak)

    def _damped(self, gain: Floats) -> Floats:
        """The last block through a filter of `_TAPS` taps with that gain, faded over from the one before."""
        taps = np.roll(np.fft.irfft(gain), _TAPS // 2)[:_TAPS] * self._taper
        past = self._rest[BLOCK_SAMPLES - _TAPS + 1 :]
        fade = np.linspace(0.0, 1.0, BLOCK_SAMPLES)
        old, new = (np.convolve(past, t, "valid") for t in (self._taps, taps))
        self._taps = taps
        return np.asarray((1 - fade) * old + fade * new)


def _floats(samples: Samples) -> Floats:
    """One block in -1..1; a short last one is filled up with silence."""
    out = np.zeros(BLOCK_SAMPLES)
    out[: len(samples)] = samples[:BLOCK_SAMPLES] / 32_768
    return out


def _power(samples: Floats) -> float:
    return float(np.mean(samples**2))
