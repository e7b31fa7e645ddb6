"""The ears on the starter's own heads: a name alone, a command in one breath, stop, a pet that speaks."""

from collections.abc import Iterator

import numpy as np
import pytest

from runtime import starter
from runtime.audio.capture import read_audio
from runtime.audio.stop import StopHit
from runtime.audio.wake import WakeHit
from runtime.contracts.audio import BLOCK_SAMPLES, SAMPLE_RATE_HZ, AudioBlock, Samples
from runtime.contracts.config import TurnSettings, WakeSettings
from runtime.demo.script import CLIPS
from runtime.ears import Ears, EarSettings, Heard, Noticed

SECOND = np.zeros(SAMPLE_RATE_HZ, np.int16)


@pytest.fixture
def ears() -> Ears:
    pack = starter.load_pack()
    return Ears(
        EarSettings(pack.files("wake", ".onnx"), pack.files("stop", ".onnx"), WakeSettings(), TurnSettings())
    )


def clip(name: str) -> Samples:
    return np.concatenate([SECOND, read_audio(CLIPS / name), SECOND])


def blocks(samples: Samples, size: int = BLOCK_SAMPLES) -> Iterator[AudioBlock]:
    for start in range(0, len(samples), size):
        yield AudioBlock(samples[start : start + size], start)


def notice(ears: Ears, samples: Samples, *, size: int = BLOCK_SAMPLES, deaf: bool = False) -> list[Noticed]:
    noticed = [n for block in blocks(samples, size) for n in ears.step(block, deaf=deaf)]
    return noticed + ears.finish()


def kinds(noticed: list[Noticed]) -> list[type]:
    return [type(n) for n in noticed if isinstance(n, WakeHit | StopHit | Heard)]


def test_a_command_in_one_breath_with_the_name(ears: Ears) -> None:
    assert kinds(notice(ears, clip("hey_buddy_sit_down.flac"))) == [WakeHit, Heard]


def test_words_without_the_name_are_not_for_the_pet(ears: Ears) -> None:
    assert kinds(notice(ears, clip("good_boy.flac"))) == []


def test_the_name_alone_opens_the_ears_and_is_no_utterance(ears: Ears) -> None:
    call = clip("hey_buddy_sit_down.flac")
    hit = next(n for n in notice(ears, call) if isinstance(n, WakeHit))
    ears.reset()
    name = np.concatenate([call[: round((hit.t_s - 0.04) * SAMPLE_RATE_HZ)], SECOND])
    assert kinds(notice(ears, np.concatenate([name, clip("good_boy.flac")]))) == [WakeHit, Heard]


def test_stop_is_heard_unasked_and_while_the_pet_speaks(ears: Ears) -> None:
    first = notice(ears, clip("stop.flac"))
    assert kinds(first) == [StopHit, Heard]
    assert next(n for n in first if isinstance(n, Heard)).stop
    ears.reset()
    assert kinds(notice(ears, clip("stop.flac"), deaf=True)) == [StopHit]


@pytest.mark.parametrize("size", [137, 512, 1280, 16_000])
def test_the_size_of_blocks_changes_nothing_but_when(ears: Ears, size: int) -> None:
    samples = clip("hey_buddy_sit_down.flac")
    usual = notice(ears, samples)
    ears.reset()
    [heard] = [n for n in notice(ears, samples, size=size) if isinstance(n, Heard)]
    [expected] = [n for n in usual if isinstance(n, Heard)]
    assert (heard.utterance.start_s, heard.utterance.end_s) == (
        expected.utterance.start_s,
        expected.utterance.end_s,
    )


def test_after_a_reset_the_same_again(ears: Ears) -> None:
    samples = clip("hey_buddy_turn_around.flac")
    first = notice(ears, samples)
    ears.reset()
    assert repr(first) == repr(notice(ears, samples))
