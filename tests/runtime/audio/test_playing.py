"""What sounded when: the echo canceller's reference and the measure of what was really said."""

import numpy as np
import pytest

from runtime.audio.playback import NullSink
from runtime.audio.playing import Clip, Recent
from runtime.contracts.audio import SAMPLE_RATE_HZ, Samples

SECOND: Samples = np.arange(SAMPLE_RATE_HZ).astype(np.int16)


def test_a_clip_knows_how_far_it_came() -> None:
    clip = Clip(SECOND)
    assert clip.played_s(99.0) == 0.0
    clip.start_s = 10.0
    assert [clip.played_s(t) for t in (9.0, 10.25, 12.0)] == [0.0, 0.25, 1.0]
    clip.cut_s = 10.5
    assert clip.played_s(12.0) == 0.5


def test_the_right_samples_at_the_right_moment() -> None:
    recent = Recent()
    recent.add(Clip(SECOND, start_s=10.0))
    assert not recent.sounding(9.0, 100).any()
    assert np.array_equal(recent.sounding(10.5, 100), SECOND[8_000:8_100])
    edge = recent.sounding(10.0 - 50 / SAMPLE_RATE_HZ, 100)
    assert np.array_equal(edge, np.concatenate([np.zeros(50, np.int16), SECOND[:50]]))


def test_what_was_cut_did_not_sound() -> None:
    recent = Recent()
    recent.add(Clip(SECOND, start_s=10.0, cut_s=10.5))
    recent.add(Clip(SECOND))
    assert recent.sounding(10.4, 100).any()
    assert not recent.sounding(10.5, 1_000).any()


def test_a_sink_tells_what_it_played() -> None:
    now = [100.0]
    sink = NullSink(clock=lambda: now[0])
    first, second = sink.play(SECOND), sink.play(SECOND)
    assert (first.start_s, second.start_s) == (100.0, 101.0)
    now[0] = 101.25
    assert np.array_equal(sink.sounding(101.0, 320), SECOND[:320])
    sink.stop()
    now[0] = 110.0
    assert first.played_s(now[0]) == 1.0
    assert second.played_s(now[0]) == pytest.approx(0.25)
    assert not sink.sounding(101.25, 320).any()


def test_a_clip_that_found_no_room_never_sounds() -> None:
    now = [0.0]
    sink = NullSink(clock=lambda: now[0])
    sink.play(np.zeros(SAMPLE_RATE_HZ * 60, np.int16))
    dropped = sink.play(SECOND)
    now[0] = 70.0
    assert dropped.start_s is None
    assert dropped.played_s(now[0]) == 0.0
