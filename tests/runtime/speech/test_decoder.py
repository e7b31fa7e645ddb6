"""Grammar decoding against brute force: every way to spend every step, on grammars small enough for that."""

import itertools

import numpy as np
import pytest

from runtime.contracts.errors import GrammarError
from runtime.mind.grammar import Grammar
from runtime.speech.decoder import GrammarDecoder
from runtime.speech.graph import SpokenGrammar
from runtime.speech.pronounce import Pronouncer
from runtime.speech.units import BLANK, UNITS, decode, encode
from tests.fakes.uniform_asr import PRONOUNCER, said, spelled

NO_FILLER = 1e6
TOYS = Pronouncer(["a\tAA", "ab\tAA B", "b\tB", "aa\tAA AA", "aba\tAA B AA", "ba\tB AA\tB"])
"""Words so short that every alignment can be tried"""


def grammar(*expressions: str) -> Grammar:
    lines = "".join(f"      - '{e}'\n" for e in expressions)
    return Grammar.load(f"context:\n  expressions:\n    one:\n{lines}")


def brute_force(log_probs: np.ndarray, sentences: list[str]) -> dict[str, float]:
    """Best alignment of every sentence that fits, over all unit sequences."""
    texts = {way: text for text in sentences for way in ways(text)}
    best: dict[str, float] = {}
    for path in itertools.product([BLANK, *encode(["AA", "B"])], repeat=len(log_probs)):
        collapsed = decode(u for i, u in enumerate(path) if u != BLANK and (i == 0 or path[i - 1] != u))
        if text := texts.get(tuple(collapsed)):
            score = float(sum(log_probs[t, u] for t, u in enumerate(path)))
            best[text] = max(score, best.get(text, -np.inf))
    return best


def ways(text: str) -> list[tuple[str, ...]]:
    """Every way to say `text` with the toys."""
    choices = itertools.product(*(TOYS.must(word) for word in text.split()))
    return [tuple(phone for way in choice for phone in way) for choice in choices]


def decoder(*expressions: str, names: tuple[str, ...] = (), penalty: float = 2.0) -> GrammarDecoder:
    return GrammarDecoder(SpokenGrammar(grammar(*expressions).automaton(), PRONOUNCER, names), penalty)


def random_log_probs(steps: int, seed: int) -> np.ndarray:
    logits = np.random.default_rng(seed).normal(0.0, 2.0, (steps, len(UNITS)))
    return (logits - np.log(np.exp(logits).sum(1, keepdims=True))).astype(np.float32)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(
    ("expressions", "sentences"),
    [
        (["[a, ab, b]"], ["a", "ab", "b"]),
        (["aa (b)"], ["aa", "aa b"]),
        (["[a, aba]", "b"], ["a", "aba", "b"]),
        (["a (a)"], ["a", "a a"]),
        (["ba", "a"], ["ba", "a"]),
    ],
)
def test_the_two_best_sentences_are_exact(expressions: list[str], sentences: list[str], seed: int) -> None:
    log_probs = random_log_probs(6, seed)
    wanted = sorted(brute_force(log_probs, sentences).items(), key=lambda item: -item[1])
    toys = SpokenGrammar(grammar(*expressions).automaton(), TOYS)
    found = GrammarDecoder(toys, NO_FILLER).decode(log_probs, 3)
    assert [path.text for path in found][:2] == [text for text, _ in wanted][:2]
    np.testing.assert_allclose([p.score for p in found][:2], [s for _, s in wanted][:2], rtol=1e-4)


def test_what_is_said_is_found_with_names_around_it() -> None:
    pet = decoder("sit down", "good boy", names=("hey buddy", "buddy"))
    for text in ("sit down", "hey buddy sit down", "buddy good boy", "good boy buddy", "hey buddy"):
        assert pet.decode(said(text))[0].text == text


def test_every_way_to_say_a_word_is_understood() -> None:
    for way in PRONOUNCER.must("the"):
        log_probs = np.concatenate([said("on"), spelled(way), said("floor")])
        assert decoder("on the floor", "on a floor").decode(log_probs)[0].text == "on the floor"


def test_half_a_name_before_and_a_noise_after_are_swallowed() -> None:
    log_probs = np.concatenate([spelled(["D", "IY"]), said("sit down"), spelled(["M"])])
    found = decoder("sit down", "good boy").decode(log_probs)
    assert found[0].text == "sit down"
    assert found[0].filler_steps > 0


def test_a_near_miss_of_sounds_still_finds_the_sentence() -> None:
    torn_lept = spelled(["T", "AO", "R", "N", "L", "EH", "P", "T"])
    assert decoder("turn left", "turn right", "stop").decode(torn_lept, 2)[0].text == "turn left"


def test_of_two_words_that_sound_alike_the_grammar_decides() -> None:
    assert decoder("turn right").decode(said("turn write"))[0].text == "turn right"


def test_too_little_sound_for_any_sentence_is_no_sentence() -> None:
    good = decoder("good boy", penalty=NO_FILLER)
    assert good.decode(np.zeros((0, len(UNITS)), np.float32)) == []
    assert good.decode(random_log_probs(2, 0)) == []


def test_a_word_that_nobody_told_how_to_say_is_an_error() -> None:
    with pytest.raises(GrammarError, match="how 'qwrtz' is said"):
        decoder("hello qwrtz")
