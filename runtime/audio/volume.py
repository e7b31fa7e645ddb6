"""How loud the pet is: a sink before the sink, so that the echo canceller knows what really sounds."""

import numpy as np

from runtime.audio.playback import Sink
from runtime.audio.playing import Clip
from runtime.contracts.audio import Samples


class Volume:
    """A sink whose clips are softened by `level`, 0 to 1; loudness goes by its square, as ears hear."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self.level = 1.0

    def turn(self, level: float) -> None:
        """From the next clip on."""
        self.level = min(max(level, 0.0), 1.0)

    def play(self, samples: Samples) -> Clip:
        if self.level >= 1.0:
            return self._sink.play(samples)
        return self._sink.play((samples * np.float32(self.level**2)).astype(np.int16))

    def stop(self) -> None:
        self._sink.stop()

    def pause(self) -> None:
        self._sink.pause()

    def resume(self) -> None:
        self._sink.resume()

    @property
    def busy(self) -> bool:
        return self._sink.busy

    @property
    def first_sample_at_s(self) -> float | None:
        return self._sink.first_sample_at_s

    def sounding(self, from_s: float, count: int) -> Samples:
        return self._sink.sounding(from_s, count)

    def close(self) -> None:
        self._sink.close()
