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


def test_a_pause_breaks_off_and_goes_on_where_it_was() -> None:
    now = [100.0]
    sink = NullSink(clock=lambda: now[0])
    first, second = sink.play(SECOND), sink.play(SECOND)
    now[0] = 100.25
    sink.pause()
    now[0] = 103.0
    assert sink.busy
    assert (first.played_s(now[0]), first.last_cut_s, second.start_s) == (0.25, 100.25, None)
    assert not sink.sounding(100.25, 16_000).any()
    third = sink.play(SECOND)
    sink.resume()
    now[0] = 103.5
    assert (first.played_s(now[0]), first.last_cut_s) == (0.75, None)
    assert np.array_equal(sink.sounding(103.0, 100), SECOND[4_000:4_100])
    assert (second.start_s, third.start_s) == (103.75, 104.75)
    sink.stop()
    assert (first.played_s(110.0), first.last_cut_s) == (0.75, 103.5)


def test_a_pause_that_becomes_a_stop_ended_the_clip_when_it_began() -> None:
    now = [100.0]
    sink = NullSink(clock=lambda: now[0])
    clip = sink.play(SECOND)
    now[0] = 100.5
    sink.pause()
    now[0] = 100.9
    sink.stop()
    sink.resume()
    now[0] = 105.0
    assert (clip.last_cut_s, clip.played_s(now[0]), sink.busy) == (100.5, 0.5, False)
    assert sink.play(SECOND).start_s == 105.0


def test_what_was_forgotten_before_it_began_is_not_kept() -> None:
    now = [100.0]
    sink = NullSink(clock=lambda: now[0])
    for _ in range(5):
        sink.play(SECOND)
        sink.play(SECOND)
        now[0] += 0.5
        sink.pause()
        sink.stop()
    now[0] += 10.0
    sink.sounding(now[0], 320)
    assert not sink._recent._clips
