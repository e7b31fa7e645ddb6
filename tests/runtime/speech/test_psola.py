"""Pitch is found, and moved without moving the throat."""

import numpy as np
import pytest

from runtime.speech.pitch import STEP, pitch_of
from runtime.speech.psola import Grains
from tests.runtime.speech.calls import call, cents


@pytest.mark.parametrize(("begin_hz", "end_hz"), [(110, 140), (300, 520), (900, 600), (1_300, 1_500)])
def test_the_pitch_is_found(begin_hz: float, end_hz: float) -> None:
    found = pitch_of(call(begin_hz, end_hz))
    truth = np.geomspace(begin_hz, end_hz, 8_000)[::STEP]
    tone = found.hz > 0
    assert tone.mean() > 0.9
    assert np.median(np.abs(cents(found.hz[tone], truth[tone]))) < 15


def test_noise_has_no_pitch_and_nothing_has_no_steps() -> None:
    noise = np.random.default_rng(1).standard_normal(16_000).astype(np.float32)
    assert pitch_of(noise).tonality < 0.1
    assert len(pitch_of(noise[:0]).hz) == 0


@pytest.mark.parametrize("ratio", [2 ** (-2 / 12), 1.0, 2 ** (2 / 12)])
@pytest.mark.parametrize("pace", [0.85, 1.2])
def test_a_call_is_moved_by_what_was_asked(ratio: float, pace: float) -> None:
    samples = call(420, 560, 0.6)
    hz = pitch_of(samples).hz
    moved = Grains.of(samples, hz).shifted(ratio, pace)
    assert len(moved) == int(len(samples) * pace)
    after = pitch_of(moved).hz
    before = hz[np.minimum((np.arange(len(after)) / pace).round().astype(int), len(hz) - 1)]
    tone = (before > 0) & (after > 0)
    assert np.median(np.abs(cents(after[tone], before[tone] * ratio))) < 25


def test_the_throat_stays() -> None:
    samples = call(400, 400, 0.6, formant_hz=1_600)
    moved = Grains.of(samples, pitch_of(samples).hz).shifted(2 ** (2 / 12), 1.0)
    assert centre_hz(moved) == pytest.approx(centre_hz(samples), rel=0.06)
    read_faster = np.interp(np.arange(0, len(samples), 2 ** (2 / 12)), np.arange(len(samples)), samples)
    assert centre_hz(read_faster) > 1.09 * centre_hz(samples)


def centre_hz(samples: np.ndarray) -> float:
    power = np.abs(np.fft.rfft(samples)) ** 2
    hz = np.fft.rfftfreq(len(samples), 1 / 16_000)
    return float((power * hz).sum() / power.sum())


def test_breath_changes_its_pace_alone() -> None:
    noise = np.random.default_rng(2).standard_normal(8_000).astype(np.float32) * 0.1
    slow = Grains.of(noise, np.zeros(100, np.float32)).shifted(1.1, 1.2)
    assert len(slow) == 9_600
    assert slow.std() == pytest.approx(0.1, rel=0.25)


def test_next_to_nothing_stays_as_it_is() -> None:
    click = np.ones(10, np.float32)
    assert np.array_equal(Grains.of(click, np.zeros(1, np.float32)).shifted(1.1, 1.2), click)
