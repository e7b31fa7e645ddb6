"""Silero on real synthetic speech: where it is speech, where it is not, and the same again after reset."""

import numpy as np
import pytest

from runtime.audio.turns import TurnDetector, Utterance
from runtime.audio.vad import CHUNK_SAMPLES, Vad
from runtime.contracts.audio import SAMPLE_RATE_HZ, AudioBlock, Samples
from runtime.speech.tts import EspeakVoice

QUIET = np.zeros(SAMPLE_RATE_HZ, np.int16)


@pytest.fixture(scope="module")
def spoken() -> Samples:
    """ "Sit down please" between a second of silence."""
    pytest.importorskip("espeakng_loader", reason="the [voice] extra is not installed")
    with EspeakVoice("en-us") as speaker:
        return np.concatenate([QUIET, speaker.speak("sit down please", "calm"), QUIET])


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


class Counting(Vad):
    """How often the model itself was asked."""

    asked = 0

    def _ask(self, chunk: Samples) -> float:
        self.asked += 1
        return super()._ask(chunk)


class Restless(Counting):
    """Asks about every chunk."""

    def _stands_out(self, chunk: Samples) -> bool:
        return True


def in_a_room(samples: Samples, level: float) -> Samples:
    """Eight seconds of an even room before it."""
    waiting = np.concatenate([np.zeros(8 * SAMPLE_RATE_HZ, np.int16), samples])
    noise = np.random.default_rng(1).normal(0, level, len(waiting))
    return np.asarray(np.clip(waiting + noise, -32_768, 32_767), np.int16)


@pytest.mark.parametrize("level", [0, 30, 300])
def test_it_dozes_in_an_even_room_and_hears_speech_as_if_it_had_not(spoken: Samples, level: float) -> None:
    sound = in_a_room(spoken, level)
    dozing, restless = Counting(), Restless()
    ours, theirs = dozing.step(sound), restless.step(sound)
    assert dozing.asked < 0.5 * restless.asked == 0.5 * len(theirs)
    voiced = [end for end, probability in ours if probability > 0.5]
    expected = [end for end, probability in theirs if probability > 0.5]
    assert len(expected) > 10
    assert abs(voiced[0] - expected[0]) <= CHUNK_SAMPLES
    assert len(set(voiced) ^ set(expected)) <= 2


def test_a_room_that_became_louder_is_the_new_quiet() -> None:
    rng = np.random.default_rng(1)
    louder = [(rng.standard_normal(8 * SAMPLE_RATE_HZ) * level).astype(np.int16) for level in (30, 300)]
    vad = Counting()
    vad.step(np.concatenate(louder))
    before = vad.asked
    vad.step((rng.standard_normal(2 * SAMPLE_RATE_HZ) * 300).astype(np.int16))
    assert vad.asked == before


def test_less_than_a_chunk_waits() -> None:
    assert Vad().step(np.zeros(0, np.int16)) == []
    assert Vad().step(np.zeros(CHUNK_SAMPLES - 1, np.int16)) == []
