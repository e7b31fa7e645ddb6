"""The floor, by a clock that the test turns: a pause at the first doubt, on again, or over for good."""

import numpy as np
import pytest

from runtime.audio.playback import NullSink
from runtime.contracts.audio import SAMPLE_RATE_HZ
from runtime.floor import DOUBT_S, Floor
from runtime.mouth import Mouth
from runtime.speech.tts import SilentVoice

CLIP = np.ones(4 * SAMPLE_RATE_HZ, np.int16)


class Talk:
    """A pet that speaks for four seconds from 0 on."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.sink = NullSink(clock=lambda: self.now_s)
        self.floor = Floor(self.sink, Mouth(SilentVoice(), self.sink))
        self.clip = self.sink.play(CLIP)

    def until(self, now_s: float) -> None:
        """Block by block."""
        while self.now_s < now_s - 1e-9:
            self.now_s += 0.02
            self.floor.pass_time(self.now_s)

    def silent(self) -> bool:
        """At this moment."""
        return not self.sink.sounding(self.now_s, 10).any()


@pytest.fixture
def talk() -> Talk:
    return Talk()


def test_a_doubt_is_silence_at_once_and_it_goes_on_where_it_broke_off(talk: Talk) -> None:
    talk.until(1.0)
    talk.floor.pause()
    assert talk.silent()
    talk.until(1.0 + DOUBT_S - 0.03)
    assert talk.silent()
    talk.until(1.0 + DOUBT_S + 0.03)
    assert not talk.silent()
    talk.until(10.0)
    assert talk.clip.last_cut_s is None
    assert talk.clip.played_s(10.0) == pytest.approx(4.0)


def test_a_voice_is_the_end_of_it_from_the_first_doubt_on(talk: Talk) -> None:
    talk.until(1.0)
    talk.floor.pause()
    talk.until(1.3)
    assert talk.floor.give_up()
    talk.until(10.0)
    assert talk.clip.last_cut_s == pytest.approx(1.0)
    assert talk.clip.played_s(10.0) == pytest.approx(1.0)
    assert not talk.sink.busy


def test_a_voice_that_comes_back_after_a_pause_is_heard_too(talk: Talk) -> None:
    talk.until(1.0)
    talk.floor.pause()
    talk.until(2.0)
    talk.floor.pause()
    talk.until(2.2)
    talk.floor.give_up()
    assert talk.clip.last_cut_s == pytest.approx(2.0)


def test_a_new_reply_is_not_held_back_by_an_old_doubt(talk: Talk) -> None:
    talk.floor.pause()
    talk.floor.give_up()
    talk.sink.play(CLIP)
    assert not talk.silent()


def test_who_says_nothing_has_nothing_to_give_up(talk: Talk) -> None:
    talk.until(5.0)
    talk.floor.pause()
    assert not talk.floor.give_up()
    talk.sink.play(CLIP)
    assert not talk.silent()
