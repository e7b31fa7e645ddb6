"""Grammar decoding against brute force: every way to spend every step, on grammars small enough for that."""

import itertools

import numpy as np
import pytest

from runtime.contracts.errors import GrammarError
from runtime.mind.grammar import Grammar
from runtime.speech.decoder import GrammarDecoder
from runtime.speech.letters import letter_graph
from runtime.speech.units import BLANK, UNITS, decode, encode
from tests.fakes.uniform_asr import spelled

NO_FILLER = 1e6


def grammar(*expressions: str) -> Grammar:
    lines = "".join(f"      - '{e}'\n" for e in expressions)
    return Grammar.load(f"context:\n  expressions:\n    one:\n{lines}")


def brute_force(log_probs: np.ndarray, sentences: list[str]) -> dict[str, float]:
    """Best alignment of every sentence that fits, over all unit sequences."""
    letters = sorted({BLANK, *encode("".join(sentences))})
    best: dict[str, float] = {}
    for path in itertools.product(letters, repeat=len(log_probs)):
        collapsed = [u for i, u in enumerate(path) if u != BLANK and (i == 0 or path[i - 1] != u)]
        text = decode(collapsed)
        if text in sentences:
            score = float(sum(log_probs[t, u] for t, u in enumerate(path)))
            best[text] = max(score, best.get(text, -np.inf))
    return best


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
    ],
)
def test_the_two_best_sentences_are_exact(expressions: list[str], sentences: list[str], seed: int) -> None:
    log_probs = random_log_probs(6, seed)
    wanted = sorted(brute_force(log_probs, sentences).items(), key=lambda item: -item[1])
    found = GrammarDecoder(letter_graph(grammar(*expressions).automaton()), NO_FILLER).decode(log_probs, 3)
    assert [path.text for path in found][:2] == [text for text, _ in wanted][:2]
    np.testing.assert_allclose([p.score for p in found][:2], [s for _, s in wanted][:2], rtol=1e-4)


def test_what_is_spelled_is_found_with_names_around_it() -> None:
    graph = letter_graph(grammar("sit down", "good boy").automaton(), ["hey buddy", "buddy"])
    decoder = GrammarDecoder(graph)
    for said in ("sit down", "hey buddy sit down", "buddy good boy", "good boy buddy", "hey buddy"):
        assert decoder.decode(spelled(said))[0].text == said


def test_half_a_name_before_and_a_noise_after_are_swallowed() -> None:
    found = GrammarDecoder(letter_graph(grammar("sit down", "good boy").automaton())).decode(
        spelled("dy sit downm")
    )
    assert found[0].text == "sit down"
    assert found[0].filler_steps > 0


def test_a_near_miss_of_letters_still_finds_the_sentence() -> None:
    decoder = GrammarDecoder(letter_graph(grammar("turn left", "turn right", "stop").automaton()))
    assert decoder.decode(spelled("torn lept"), 2)[0].text == "turn left"


def test_too_little_sound_for_any_sentence_is_no_sentence() -> None:
    decoder = GrammarDecoder(letter_graph(grammar("good boy").automaton()), NO_FILLER)
    assert decoder.decode(np.zeros((0, len(UNITS)), np.float32)) == []
    assert decoder.decode(random_log_probs(2, 0)) == []


def test_a_letter_the_network_does_not_know_is_an_error() -> None:
    with pytest.raises(GrammarError, match="no letter 'é'"):
        letter_graph(grammar("café").automaton())
