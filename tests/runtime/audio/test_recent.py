"""The sound of the last moments, kept once for all who look back."""

import numpy as np

from runtime import starter
from runtime.audio.recent import KEPT, Recent
from runtime.contracts.audio import BLOCK_SAMPLES, AudioBlock
from runtime.contracts.config import TurnSettings, WakeSettings
from runtime.ears import Ears, EarSettings


def heard(lengths: list[int]) -> tuple[Recent, int]:
    """Samples that count up, in blocks of these lengths; each block is heard twice."""
    recent, at = Recent(), 0
    for length in lengths:
        block = AudioBlock(np.arange(at, at + length).astype(np.int16), at)
        recent.hear(block)
        recent.hear(block)
        at += length
    return recent, at


def test_it_gives_what_came_before_any_moment_of_the_last_block() -> None:
    for lengths in ([320] * 200, [1280, 5000] * 10, [30_000, 64_000 - 30_000]):
        recent, end = heard(lengths)
        assert list(recent.last(5).astype(np.uint16)) == [*range(end - 5, end)]
        moment = end - lengths[-1] // 2
        assert list(recent.last(KEPT, moment)[[0, -1]].astype(np.uint16)) == [moment - KEPT, moment - 1]


def test_before_the_stream_there_was_nothing() -> None:
    recent, _ = heard([320])
    assert len(recent.last(KEPT)) == 320
    assert len(recent.last(KEPT, 100)) == 100
    assert len(recent.last(KEPT, -100)) == 0
    recent.reset()
    assert len(recent.last(KEPT)) == 0


def test_names_and_stops_look_back_into_one() -> None:
    pack = starter.load_pack()
    wake, stop = pack.files("wake", ".onnx"), pack.files("stop", ".onnx")
    ears = Ears(EarSettings(wake, stop, WakeSettings(), TurnSettings()))
    for at in range(0, 10 * BLOCK_SAMPLES, BLOCK_SAMPLES):
        ears.step(AudioBlock(np.full(BLOCK_SAMPLES, 7, np.int16), at))
    assert ears._wake._recent is ears._stop._recent
    assert len(ears._stop._recent.last(KEPT)) == 10 * BLOCK_SAMPLES
    ears.reset()
    assert len(ears._wake._recent.last(KEPT)) == 0
