"""The recogniser on networks that hear a fixed text, or nothing in particular."""

import json
from pathlib import Path

import numpy as np
import pytest

from runtime.contracts.errors import PackError
from runtime.mind.grammar import Grammar
from runtime.speech.asr import Recogniser, audible
from runtime.speech.free import Lexicon, transcribe
from runtime.speech.units import BLANK, UNITS, greedy
from tests.fakes.uniform_asr import PRONOUNCER, said, spelled, write_asr

SOUND = (np.random.default_rng(1).standard_normal(32_000) * 2_000).astype(np.int16)
PET = Grammar.load(
    "context: {expressions: {sit: ['sit (down)'], praise: ['good [boy, girl]'], bye: ['bye buddy']}}"
)
NAMES = ["hey buddy"]


@pytest.mark.parametrize(
    ("spoken", "heard"),
    [
        ("sit down", "sit down"),
        ("hey buddy sit down", "sit down"),
        ("buddy good girl", "good girl"),
        ("good boy buddy", "good boy"),
        ("bye buddy", "bye buddy"),
    ],
)
def test_a_command_is_in_the_grammar_and_loses_the_name(tmp_path: Path, spoken: str, heard: str) -> None:
    best = Recogniser(write_asr(tmp_path, spoken), PET, prefixes=NAMES).recognise(SOUND)[0]
    assert (best.text, best.in_grammar) == (heard, True)
    assert best.confidence > 0.9


def test_runners_up_are_other_sentences_and_less_sure(tmp_path: Path) -> None:
    found = Recogniser(write_asr(tmp_path, "good boy"), PET).recognise(SOUND, n=3)
    assert [h.text for h in found][:2] == ["good boy", "good girl"]
    assert found[0].confidence > found[1].confidence


def test_a_rival_is_a_sentence_that_means_something_else(tmp_path: Path) -> None:
    recogniser = Recogniser(write_asr(tmp_path, "good boy"), PET, prefixes=NAMES)
    first, *others = recogniser.sentences(recogniser.sounds(SOUND), 4)
    assert others[0].text == "good girl"
    meant = next(one for one in others if not one.text.startswith("good"))
    assert recogniser.margin([first, *others]) == first.score - meant.score > first.score - others[0].score
    assert recogniser.margin([first, others[0]]) == float("inf")


def test_other_words_come_back_as_free_text(tmp_path: Path) -> None:
    found = Recogniser(write_asr(tmp_path, "hey buddy hello world"), PET, prefixes=NAMES).recognise(SOUND)
    assert [(h.text, h.in_grammar) for h in found] == [("hello world", False)]


def test_only_the_name_is_nothing_said(tmp_path: Path) -> None:
    assert Recogniser(write_asr(tmp_path, "hey buddy"), PET, prefixes=NAMES).recognise(SOUND) == []


def test_without_a_grammar_all_text_is_free(tmp_path: Path) -> None:
    found = Recogniser(write_asr(tmp_path, "hello world"), None).recognise(SOUND)
    assert [(h.text, h.in_grammar) for h in found] == [("hello world", False)]


def test_a_network_that_knows_nothing_is_not_believed(tmp_path: Path) -> None:
    found = Recogniser(write_asr(tmp_path), PET).recognise(SOUND)
    assert not any(h.in_grammar for h in found)


@pytest.mark.parametrize("length", [0, 1, 410, 411])
def test_next_to_no_sound_is_silence_or_harmless(tmp_path: Path, length: int) -> None:
    assert not any(h.in_grammar for h in Recogniser(write_asr(tmp_path), PET).recognise(SOUND[:length]))


def test_the_same_sound_gives_the_same_answer(tmp_path: Path) -> None:
    recogniser = Recogniser(write_asr(tmp_path, "sit down"), PET)
    assert recogniser.recognise(SOUND) == recogniser.recognise(SOUND)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"units": ["a"]}, "other units"),
        ({"front_end": {"mels": 80}}, "front end"),
        ({"weights": [1.0]}, "weights"),
        ({"bias": "much"}, "bias"),
    ],
)
def test_an_unfit_asr_json_is_refused(tmp_path: Path, change: dict[str, object], says: str) -> None:
    folder = write_asr(tmp_path)
    settings = json.loads((folder / "asr.json").read_text()) | change
    (folder / "asr.json").write_text(json.dumps(settings))
    with pytest.raises(PackError, match=says):
        Recogniser(folder, PET)


def test_a_missing_model_is_refused(tmp_path: Path) -> None:
    (write_asr(tmp_path) / "model.onnx").unlink()
    with pytest.raises(PackError, match=r"model\.onnx"):
        Recogniser(tmp_path, PET)
    with pytest.raises(PackError, match="cannot be read"):
        Recogniser(tmp_path / "none", PET)


def test_blanks_may_be_made_dearer_than_sounds(tmp_path: Path) -> None:
    folder = write_asr(tmp_path, "sit down")
    plain = Recogniser(folder, PET).sounds(SOUND).log_probs
    settings = json.loads((folder / "asr.json").read_text()) | {"blank_penalty": 1.5}
    (folder / "asr.json").write_text(json.dumps(settings))
    dearer = Recogniser(folder, PET).sounds(SOUND).log_probs
    np.testing.assert_allclose(np.exp(dearer).sum(axis=1), 1.0, atol=1e-4)
    odds = [rows[:, BLANK] - rows[:, BLANK + 1] for rows in (plain, dearer)]
    np.testing.assert_allclose(odds[0] - odds[1], 1.5, atol=1e-3)


def test_squeezing_keeps_the_text() -> None:
    silence = np.log(np.full((40, len(UNITS)), 1e-5, np.float32))
    silence[:, BLANK] = -1e-4
    long = np.concatenate([silence, said("sit"), silence, said("down")])
    short = long[audible(long)]
    assert len(short) < len(long) - 70
    assert greedy(short) == greedy(long)


def test_free_text_is_made_of_words_that_exist() -> None:
    lexicon = Lexicon({"world": 3, "hello": 5}, PRONOUNCER)
    assert transcribe(said("hello world"), lexicon).text == "hello world"


def test_a_strange_sound_is_passed_over_and_its_neighbours_kept() -> None:
    lexicon = Lexicon({"world": 3, "hello": 5}, PRONOUNCER)
    log_probs = np.concatenate([said("hello"), spelled(["SH"]), said("world")])
    assert transcribe(log_probs, lexicon).text == "hello world"


def test_the_frequent_one_of_two_words_that_sound_alike() -> None:
    assert transcribe(said("right"), Lexicon({"right": 30, "write": 3}, PRONOUNCER)).text == "right"
    assert transcribe(said("right"), Lexicon({"right": 3, "write": 30}, PRONOUNCER)).text == "write"


def test_a_word_cut_off_at_the_end_is_left_out() -> None:
    lexicon = Lexicon({"world": 3, "hello": 5}, PRONOUNCER)
    assert transcribe(np.concatenate([said("hello"), spelled(["W", "ER"])]), lexicon).text == "hello"


def test_the_word_before_tells_which_of_two_words_that_sound_alike() -> None:
    counts, pairs = {"turn": 9, "please": 9, "right": 9, "write": 9}, {"turn right": 8, "please write": 8}
    lexicon = Lexicon(counts, PRONOUNCER, pairs=pairs)
    assert transcribe(said("turn write"), lexicon).text == "turn right"
    assert transcribe(said("please right"), lexicon).text == "please write"
