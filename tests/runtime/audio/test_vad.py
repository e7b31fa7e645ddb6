"""Silero on real synthetic speech: where it is speech, where it is not, and the same again after reset."""

import shutil
import subprocess

import numpy as np
import pytest

from runtime.audio.capture import read_audio
from runtime.audio.turns import TurnDetector, Utterance
from runtime.audio.vad import CHUNK_SAMPLES, Vad
from runtime.contracts.audio import SAMPLE_RATE_HZ, AudioBlock, Samples

ESPEAK = shutil.which("espeak-ng")
QUIET = np.zeros(SAMPLE_RATE_HZ, np.int16)


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Samples:
    """ "Sit down please" between a second of silence."""
    if ESPEAK is None:
        pytest.skip("espeak-ng is not installed")
    path = tmp_path_factory.mktemp("speech") / "sit.wav"
    subprocess.run([ESPEAK, "-v", "en-us", "-w", str(path), "sit down please"], check=True)
    return np.concatenate([QUIET, read_audio(path), QUIET])


def test_silence_and_noise_are_not_speech() -> None:
    rng = np.random.default_rng(1)
    noise = (rng.standard_normal(3 * SAMPLE_RATE_HZ) * 300).astype(np.int16)
    for samples in (np.zeros(3 * SAMPLE_RATE_HZ, np.int16), noise):
        assert max(probability for _, probability in Vad().step(samples)) < 0.5


def test_speech_is_where_it_was_put(spoken: Samples) -> None:
    voiced = [end for end, probability in Vad().step(spoken) if probability > 0.5]
    assert min(voiced) > SAMPLE_RATE_HZ
    assert max(voiced) < len(spoken) - SAMPLE_RATE_HZ + 2 * CHUNK_SAMPLES
    assert len(voiced) * CHUNK_SAMPLES > 0.5 * SAMPLE_RATE_HZ


def test_steps_of_any_size_give_the_same(spoken: Samples) -> None:
    whole = Vad().step(spoken)
    vad = Vad()
    for size in (1, 100, 320, 511, 1_333):
        vad.reset()
        pieces = [p for at in range(0, len(spoken), size) for p in vad.step(spoken[at : at + size])]
        assert pieces == whole


def test_spoken_words_become_one_turn(spoken: Samples) -> None:
    detector = TurnDetector()
    [utterance] = [e for e in detector.step(AudioBlock(spoken, 0), True) if isinstance(e, Utterance)]
    speech_s = (len(spoken) / SAMPLE_RATE_HZ) - 2
    assert utterance.start_s == pytest.approx(1.0, abs=0.2)
    assert utterance.end_s == pytest.approx(1.0 + speech_s, abs=0.35)


def test_less_than_a_chunk_waits() -> None:
    assert Vad().step(np.zeros(0, np.int16)) == []
    assert Vad().step(np.zeros(CHUNK_SAMPLES - 1, np.int16)) == []
