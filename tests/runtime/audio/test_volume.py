"""Volume: what the echo canceller is told is what sounds."""

import numpy as np

from runtime.audio.playback import NullSink
from runtime.audio.volume import Volume


def test_a_softer_clip_is_softer_in_what_sounded() -> None:
    now = [10.0]
    sink = Volume(NullSink(lambda: now[0]))
    loud = np.full(1_600, 8_000, np.int16)
    sink.play(loud)
    now[0] = 11.0
    sink.turn(0.5)
    clip = sink.play(loud)
    now[0] = 12.0
    assert clip.start_s is not None
    assert set(sink.sounding(clip.start_s, 1_600)) == {2_000}
    sink.turn(7.0)
    assert sink.level == 1.0
    assert set(sink.play(loud).samples) == {8_000}
