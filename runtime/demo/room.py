"""A simulated room: the microphone hears the person, the pet's own loudspeaker and its motors.

What is played comes back after `delay_s`, `echo_db` weaker, with the reverberation of a furnished room;
while the body moves its motors hum. Everything is drawn from the seed but the moments at which it happens.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from runtime.audio.capture import QueueSource
from runtime.audio.playback import Sink
from runtime.contracts.audio import BLOCK_SAMPLES, SAMPLE_RATE_HZ, AudioBlock, Samples, SourceFault

_REVERBERATION_S = 0.4
_REVERBERANT = 0.08
"""Level of the reverberation's beginning beside the direct sound"""
_HUM_HZ = 110.0

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class RoomSettings:
    delay_s: float = 0.05
    """From loudspeaker to microphone, buffers included; 0.03 to 0.08 in small robots"""
    echo_db: float = -12.0
    """What is played, as the microphone hears it"""
    rt60_s: float = 0.35
    """Time in which the reverberation falls by 60 dB"""
    motor_level: float = 120.0
    """Root mean square of the motors' noise, int16"""
    noise_level: float = 15.0
    """Root mean square of the room at rest, int16"""
    seed: int = 7


class Room:
    """A source: what `person` says, in a room where `sink` sounds. `moving` tells whether motors run."""

    def __init__(
        self,
        person: QueueSource,
        sink: Sink,
        settings: RoomSettings | None = None,
        moving: Callable[[], bool] = lambda: False,
    ) -> None:
        self._person, self._sink, self._moving = person, sink, moving
        self._settings = settings or RoomSettings()
        self.begin_anew()

    def begin_anew(self) -> None:
        """Quiet, and the same noises from now on as at first."""
        self._rng = np.random.default_rng(self._settings.seed)
        self._way = impulse_response(self._settings, self._rng)
        self._size = 1 << (len(self._way) + BLOCK_SAMPLES - 1).bit_length()
        self._spectrum = np.fft.rfft(self._way, self._size)
        self._tail: Floats = np.zeros(self._size)
        self._phase = 0.0

    def __iter__(self) -> Iterator[AudioBlock | SourceFault]:
        origin_s: float | None = None
        for item in self._person:
            if isinstance(item, SourceFault):
                yield item
                continue
            if origin_s is None:
                origin_s = time.monotonic() - item.end_s
            played = self._sink.sounding(origin_s + item.start_s, len(item.samples))
            yield AudioBlock(self.mix(item.samples, played, moving=self._moving()), item.start_sample)

    def mix(self, person: Samples, played: Samples, *, moving: bool) -> Samples:
        """What the microphone hears in one block."""
        heard = person + self._echo(played) + self._rng.normal(0, self._settings.noise_level, len(person))
        if moving:
            heard = heard + self._motors(len(person))
        return np.clip(np.round(heard), -32_768, 32_767).astype(np.int16)

    def close(self) -> None:
        self._person.close()

    def _echo(self, played: Samples) -> Floats:
        self._tail += np.fft.irfft(np.fft.rfft(played.astype(np.float64), self._size) * self._spectrum)
        echo, rest = self._tail[: len(played)], self._tail[len(played) :]
        self._tail = np.concatenate([rest, np.zeros(len(played))])
        return echo

    def _motors(self, count: int) -> Floats:
        """A gear's hum with harmonics, and the hiss of its teeth."""
        phase = self._phase + 2 * np.pi * _HUM_HZ / SAMPLE_RATE_HZ * np.arange(1, count + 1)
        self._phase = float(phase[-1] % (2 * np.pi))
        hum = sum((np.sin(n * phase) / n for n in (1, 2, 3, 5, 8)), np.zeros(count))
        hiss = self._rng.normal(0, 0.7, count)
        return np.asarray(self._settings.motor_level / np.sqrt(1.2) * (hum + hiss))


def impulse_response(settings: RoomSettings, rng: np.random.Generator) -> Floats:
    """The way from loudspeaker to microphone; its energy is what `echo_db` says."""
    first = round(settings.delay_s * SAMPLE_RATE_HZ)
    after = np.arange(round(_REVERBERATION_S * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    way = np.zeros(first + len(after))
    way[first:] = _REVERBERANT * rng.normal(size=len(after)) * 10 ** (-3 * after / settings.rt60_s)
    way[first] += 1.0
    return np.asarray(way * 10 ** (settings.echo_db / 20) / np.linalg.norm(way))
