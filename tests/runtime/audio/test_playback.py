"""Sinks without a card, by a clock that the test turns."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from runtime.audio.capture import read_audio
from runtime.audio.playback import LIMIT_S, FileSink, NullSink, SpeakerSink
from runtime.contracts.audio import SAMPLE_RATE_HZ
from runtime.contracts.errors import AudioError


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def clip(seconds: float, value: int = 1) -> np.ndarray:
    return np.full(round(seconds * SAMPLE_RATE_HZ), value, np.int16)


def test_it_lasts_as_long_as_it_sounds() -> None:
    clock = Clock()
    sink = NullSink(clock)
    assert (sink.busy, sink.first_sample_at_s) == (False, None)
    sink.play(clip(1.0))
    sink.play(clip(0.5))
    assert (sink.busy, sink.first_sample_at_s) == (True, 100.0)
    clock.now_s = 101.2
    assert (sink.busy, sink.first_sample_at_s) == (True, 101.0)
    clock.now_s = 101.5
    assert (sink.busy, sink.first_sample_at_s) == (False, 101.0)
    clock.now_s = 200.0
    sink.play(clip(1.0))
    assert (sink.busy, sink.first_sample_at_s) == (True, 200.0)


def test_stop_forgets_the_queue() -> None:
    clock = Clock()
    sink = NullSink(clock)
    sink.play(clip(1.0))
    sink.play(clip(1.0))
    clock.now_s += 0.1
    sink.stop()
    assert not sink.busy
    sink.play(clip(1.0))
    assert sink.first_sample_at_s == pytest.approx(100.1)


def test_nothing_to_play_is_not_busy() -> None:
    sink = NullSink(Clock())
    sink.play(clip(0))
    assert not sink.busy


def test_too_much_is_dropped_and_said(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    sink = NullSink(clock)
    sink.play(clip(LIMIT_S))
    sink.play(clip(1.0))
    assert "1.0 s of sound dropped" in caplog.text
    clock.now_s += LIMIT_S
    assert not sink.busy


def test_a_file_keeps_what_sounded(tmp_path: Path) -> None:
    clock = Clock()
    sink = FileSink(tmp_path / "said.wav", clock)
    sink.play(clip(0.5, 1))
    clock.now_s += 3
    sink.play(clip(1.0, 2))
    sink.play(clip(1.0, 3))
    clock.now_s += 0.25
    sink.stop()
    clock.now_s += 1
    sink.play(clip(0.5, 4))
    clock.now_s += 0.5
    sink.close()
    expected = np.concatenate([clip(0.5, 1), clip(0.25, 2), clip(0.5, 4)])
    assert np.array_equal(read_audio(tmp_path / "said.wav"), expected)
    assert soundfile.info(tmp_path / "said.wav").samplerate == SAMPLE_RATE_HZ


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match=r"said.wav cannot be written \(.*\); name another file"):
        FileSink(tmp_path / "nowhere" / "said.wav")


class JumpyCard:
    """A card that takes 10 ms whenever the test says so, and is never quite right about when they sound."""

    rate_hz = 48_000

    def play(self, device: int | None, wanted: Callable[[int, float], np.ndarray]) -> "JumpyCard":
        self.wanted = wanted
        return self

    def close(self) -> None: ...


@pytest.mark.parametrize("kind", ["none", "card"])
def test_each_clip_begins_in_step_with_all_samples_before(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two listeners, each with a clock of its own, find every clip with the same shift between them."""
    chance, clock, card = np.random.default_rng(7), Clock(), JumpyCard()
    monkeypatch.setattr("runtime.audio.playback.time.monotonic", clock)
    sink = NullSink(clock) if kind == "none" else SpeakerSink(card=card)

    def pass_time(periods: int) -> None:
        for _ in range(periods):
            clock.now_s += 0.01 if kind == "card" else chance.uniform(0.009, 0.011)
            if kind == "card":
                card.wanted(480, 0.02 + chance.uniform(-0.003, 0.003))

    shifts = set()
    for _ in range(20):
        pass_time(50)
        sink.play(clip(0.02))
        pass_time(6)
        heard = [sink.sounding(at_s + clock.now_s // 0.02 * 0.02 - 0.2, 4_800) for at_s in (0.0, 0.0123456)]
        shifts.add(int(np.argmax(heard[0] != 0)) - int(np.argmax(heard[1] != 0)))
    assert len(shifts) == 1
