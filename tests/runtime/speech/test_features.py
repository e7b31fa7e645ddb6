"""The front end: a stream cut anywhere gives the frames of the whole; loudness changes nothing."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.speech.features import FRAME_SAMPLES, HOP_SAMPLES, MELS, FrontEnd, log_mel, normalise

NOISE = (np.random.default_rng(5).standard_normal(16_000) * 3_000).astype(np.int16)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 2_000), max_size=20), st.integers(0, 16_000))
def test_streamed_frames_are_those_of_the_whole(cuts: list[int], length: int) -> None:
    sound = NOISE[:length]
    front = FrontEnd()
    frames, start = [], 0
    for size in [*cuts, len(sound)]:
        frames.append(front.step(sound[start : start + size]))
        start += size
    np.testing.assert_allclose(np.concatenate(frames), log_mel(sound), atol=1e-5)


def test_frame_count_and_too_little_sound() -> None:
    assert log_mel(NOISE[: FRAME_SAMPLES - 1]).shape == (0, MELS)
    assert log_mel(NOISE[:FRAME_SAMPLES]).shape == (1, MELS)
    assert log_mel(NOISE[: FRAME_SAMPLES + HOP_SAMPLES]).shape == (2, MELS)
    assert normalise(log_mel(NOISE[:10])).shape == (0, MELS)


def test_loudness_is_taken_out() -> None:
    loud, soft = normalise(log_mel(NOISE)), normalise(log_mel((NOISE // 8).astype(np.int16)))
    assert np.abs(loud - soft).max() < 0.05


def test_silence_and_full_scale_stay_finite() -> None:
    for sound in (np.zeros(4_000, np.int16), np.full(4_000, -32_768, np.int16)):
        assert np.isfinite(normalise(log_mel(sound))).all()


def test_a_tone_lands_in_its_mel() -> None:
    tone = (10_000 * np.sin(2 * np.pi * 1_000 * np.arange(8_000) / 16_000)).astype(np.int16)
    lower = (10_000 * np.sin(2 * np.pi * 300 * np.arange(8_000) / 16_000)).astype(np.int16)
    assert log_mel(lower).mean(0).argmax() < log_mel(tone).mean(0).argmax()
