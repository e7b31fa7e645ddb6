"""How two witnesses decide together, on written doubts."""

import numpy as np
import pytest

from runtime import starter
from runtime.audio.capture import read_audio
from runtime.audio.stop import AT_REST, ON_THE_MOVE, SPEAKING, Care, StopDetector
from runtime.contracts.audio import BLOCK_SAMPLES, SAMPLE_RATE_HZ, AudioBlock, Samples
from runtime.demo.script import CLIPS
from runtime.speech.spotter import NEVER, Spotter


class WrittenDoubts(Spotter):
    """One doubt a look, `NEVER` afterwards."""

    def __init__(self, *doubts: float) -> None:
        super().__init__(lambda samples: np.zeros((0, 0), np.float32), ())
        self._doubts = list(doubts)
        self.looks = 0

    def doubt(self, samples: Samples, less_blank: float = 0.0) -> float:
        self.looks += 1
        return self._doubts.pop(0) if self._doubts else NEVER


def hits(spotter: Spotter, looks: int = 60, *, care: Care = AT_REST, voiced: bool = True) -> list[float]:
    """Looks after which the word was heard, in silence."""
    detector = StopDetector([], spotter=spotter)
    silence = np.zeros(BLOCK_SAMPLES, np.int16)
    found = []
    for start in range(0, round(looks * care.look_s * SAMPLE_RATE_HZ), BLOCK_SAMPLES):
        block = AudioBlock(silence, start)
        found += [round(hit.t_s / care.look_s) for hit in detector.step(block, voiced=voiced, care=care)]
    return found


def test_there_is_more_to_lose_on_the_move() -> None:
    assert AT_REST.once < ON_THE_MOVE.once
    assert AT_REST.twice < ON_THE_MOVE.twice
    assert AT_REST.look_s > ON_THE_MOVE.look_s
    fair = (9.0, ON_THE_MOVE.once)
    assert hits(WrittenDoubts(*fair), care=ON_THE_MOVE) == [2]
    assert hits(WrittenDoubts(*fair)) == []


@pytest.mark.parametrize("care", [SPEAKING, ON_THE_MOVE, AT_REST])
def test_a_stronger_doubt_is_overcome_by_a_second_look(care: Care) -> None:
    twice = care.twice
    assert hits(WrittenDoubts(twice, 50.0, twice, 50.0), care=care) == []
    assert hits(WrittenDoubts(50.0, twice, twice), care=care) == [3]


def test_one_word_is_one_hit_and_a_second_word_a_second() -> None:
    assert hits(WrittenDoubts(*[0.0] * 12), care=ON_THE_MOVE) == [1]
    assert hits(WrittenDoubts(0.0, *[50.0] * 24, 0.0), care=ON_THE_MOVE) == [1, 26]


def test_without_a_voice_nobody_looks() -> None:
    spotter = WrittenDoubts(*[0.0] * 60)
    assert hits(spotter, care=ON_THE_MOVE, voiced=False) == []
    assert spotter.looks == 0


def test_in_noise_that_hides_the_voice_the_head_alone_asks_for_a_look() -> None:
    heads = starter.load_pack().files("stop", ".onnx")
    sound = np.pad(read_audio(CLIPS / "stop.flac"), SAMPLE_RATE_HZ)
    level = np.sqrt(np.mean(sound.astype(float) ** 2)) / 2
    noisy = (sound + np.random.default_rng(1).normal(0, level, len(sound))).astype(np.int16)
    cases = [(noisy, ON_THE_MOVE, True), (noisy, SPEAKING, False), (noisy, AT_REST, False)]
    for samples, care, heard in [*cases, (sound, ON_THE_MOVE, False)]:  # in a quiet place no voice hides
        blocks = [AudioBlock(samples[at : at + 320], at) for at in range(0, len(samples), 320)]
        detector = StopDetector(heads, spotter=WrittenDoubts(*[0.0] * 200))
        assert any(detector.step(block, voiced=False, care=care) for block in blocks) == heard


def test_the_head_speaks_for_and_against() -> None:
    """Real sound for the head, a written doubt for the spotter."""
    heads = starter.load_pack().files("stop", ".onnx")
    sound = np.pad(read_audio(CLIPS / "stop.flac"), SAMPLE_RATE_HZ)
    blocks = [AudioBlock(sound[at : at + 320], at) for at in range(0, len(sound), 320)]
    for doubt, heard in ((ON_THE_MOVE.twice + 2.0, True), (ON_THE_MOVE.twice + 20.0, False)):
        one = StopDetector(heads, spotter=WrittenDoubts(*[doubt] * 200))
        assert any(one.step(block, care=ON_THE_MOVE) for block in blocks) == heard
    silence = AudioBlock(np.zeros(len(sound), np.int16), 0)
    sure = WrittenDoubts(*[0.0] * 200)
    assert not StopDetector(heads, spotter=sure).step(silence, care=ON_THE_MOVE)
    assert sure.looks == 0, "where the head rules the word out nobody need look"
    assert StopDetector(heads, spotter=sure).step(silence, care=SPEAKING), "but not while the pet speaks"


def test_without_a_spotter_the_head_decides_alone() -> None:
    detector = StopDetector(starter.load_pack().files("stop", ".onnx"))
    sound = np.pad(read_audio(CLIPS / "stop.flac"), SAMPLE_RATE_HZ)
    blocks = [AudioBlock(sound[at : at + 320], at) for at in range(0, len(sound), 320)]
    first = [hit for block in blocks for hit in detector.step(block)]
    assert len(first) == 1
    detector.reset()
    assert [hit for block in blocks for hit in detector.step(block)] == first
