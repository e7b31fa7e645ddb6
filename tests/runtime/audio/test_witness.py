"""A second witness to a name: asked where the head is not sure, and never while the pet speaks."""

import numpy as np
import pytest

from runtime.audio.heads import LOOSE, HeadSettings
from runtime.audio.recent import Recent
from runtime.audio.wake import WakeDetector
from runtime.audio.witness import MOST_DOUBT, Witness
from runtime.contracts.audio import AudioBlock, Samples
from runtime.contracts.config import TurnSettings, WakeSettings
from runtime.ears import Ears, EarSettings
from runtime.mind.grammar import Grammar
from runtime.speech.asr import Recogniser
from runtime.speech.spotter import Spotter
from runtime.starter import FOLDER

STEP = 1280


class WrittenDoubt(Spotter):
    """Doubts as written; remembers what it was shown."""

    def __init__(self, doubt: float) -> None:
        self.doubts, self.shown = doubt, list[Samples]()

    def doubt_a_sound(self, samples: Samples) -> float:
        self.shown.append(samples)
        return self.doubts


class WrittenScores:
    """A head with written scores, one a step."""

    def __init__(self, *scores: float) -> None:
        self.settings = [HeadSettings("rex", threshold=0.8, patience=2, refractory_s=1.5)]
        self._scores = scores

    def step(self, block: AudioBlock) -> list[tuple[int, list[float]]]:
        end = block.start_sample + len(block.samples)
        return [(end, [self._scores[end // STEP - 1]])]

    def reset(self) -> None:
        pass


def hits(doubt: float, *scores: float, alone: bool = False) -> tuple[list[int], WrittenDoubt]:
    """Steps that were hits, from 0; and the witness."""
    spotter = WrittenDoubt(doubt)
    detector = WakeDetector([FOLDER / "wake" / "hey_buddy.onnx"], witnesses=lambda name: spotter)
    detector._scorer = WrittenScores(*scores)
    detector._triggers[0]._settings = detector._scorer.settings[0]
    blocks = [AudioBlock(np.full(STEP, i, np.int16), i * STEP) for i in range(len(scores))]
    return [i for i, b in enumerate(blocks) for _ in detector.step(b, alone=alone)], spotter


def test_what_the_head_leaves_open_the_witness_decides() -> None:
    assert hits(MOST_DOUBT, 0.1, LOOSE, 0.1)[0] == [1]
    assert hits(MOST_DOUBT + 0.1, 0.1, LOOSE, 0.1)[0] == []


def test_a_head_that_is_sure_is_heard_whatever_the_witness_says() -> None:
    assert hits(99.0, 0.9, 0.9, 0.1)[0] == [1]


def test_nobody_is_asked_where_the_head_hears_nothing_or_the_pet_itself_speaks() -> None:
    assert hits(0.0, 0.1, LOOSE - 0.01)[1].shown == []
    found, spotter = hits(0.0, 0.5, 0.5, alone=True)
    assert found == []
    assert spotter.shown == []


def test_one_name_is_one_hit_and_the_witness_is_not_asked_twice_in_a_moment() -> None:
    assert hits(0.0, *[0.5] * 10)[0] == [0]
    assert len(hits(99.0, *[0.5] * 10)[1].shown) == 5


def test_it_is_shown_two_seconds_up_to_the_step() -> None:
    spotter = hits(99.0, *[0.1] * 39, 0.5)[1]
    assert len(spotter.shown[0]) == 32_000
    assert spotter.shown[0][-1] == 39


def test_a_name_nobody_can_say_has_no_witness() -> None:
    recogniser = Recogniser(FOLDER / "asr", Grammar.load("context: {expressions: {sit: [sit]}}"))
    assert recogniser.name_spotter("hey buddy") is not None
    assert recogniser.name_spotter("小白") is None
    assert recogniser.name_spotter("qzxvom") is None
    assert not Witness(None, Recent()).says(STEP, 0.9)


def test_doubt_a_sound_weighs_long_and_short_words_alike() -> None:
    from tests.runtime.speech.test_spotter import heard

    silence = heard(*[""] * 20)
    long, short = (
        Spotter(lambda s: silence, [("B", "AH", "D", "IY")]),
        Spotter(lambda s: silence, [("B", "IY")]),
    )
    any_sound = np.zeros(9, np.int16)
    assert long.doubt(any_sound) == pytest.approx(2 * short.doubt(any_sound))
    assert long.doubt_a_sound(any_sound) == pytest.approx(short.doubt_a_sound(any_sound))


@pytest.mark.parametrize("wanted", [False, True])
def test_the_ears_ask_only_where_the_settings_want_it_and_the_pet_is_silent(wanted: bool) -> None:
    spotter = WrittenDoubt(99.0)
    heads = [FOLDER / "wake" / "hey_buddy.onnx"]
    settings = EarSettings(
        heads, [], WakeSettings(witness=wanted), TurnSettings(), witnesses=lambda name: spotter
    )
    ears = Ears(settings)
    ears._wake._scorer = WrittenScores(0.5, 0.5)
    for i, deaf in enumerate((True, False)):
        ears.step(AudioBlock(np.zeros(STEP, np.int16), i * STEP), deaf=deaf)
        assert bool(spotter.shown) == (wanted and not deaf)
