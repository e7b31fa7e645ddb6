"""The talker of a pack: streams, ends, bounds, seeds, the persona's cache, and spoilt files."""

import json
import sys
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from runtime import starter
from runtime.contracts.errors import PackError
from runtime.mind.casing import Casing
from runtime.mind.language_model import LanguageModel, Memory, _Persona
from runtime.mind.prompt import END, Prompt, persona_text, render
from runtime.mind.reply import Pieces
from runtime.mind.sampling import Logits, Sampling, next_token
from runtime.mind.spelling import Spelling, Words, words_in
from tests.fakes import scripted_lm

WORDS = ["i", "love", "my", "red", "ball", ".", "!", "sit", "down", "yes", "anna", "is", "here", "who"]
PROMPT = Prompt("Buddy", "who is anna", ("I love my red ball.",), ("Anna is here",), mood="happy", act="sit")


def prompt_length(prompt: Prompt) -> int:
    return len(scripted_lm.tokenizer_of(WORDS).encode(render(prompt)).ids)


def scripted(folder: Path, script: str, prompt: Prompt = PROMPT, **card: object) -> LanguageModel:
    written = scripted_lm.write(folder, WORDS, script.split(), prompt_length(prompt), **card)
    return LanguageModel(written)


def test_it_streams_words_as_they_come_and_ends(tmp_path: Path) -> None:
    model = scripted(tmp_path, f"i love my red ball . {END}")
    pieces = list(model.stream(PROMPT, seed=1))
    assert "".join(pieces) == "i love my red ball ."
    assert len(pieces) > 3
    assert model.last_tokens == 7


def test_nothing_is_computed_that_nobody_asks_for(tmp_path: Path) -> None:
    model = scripted(tmp_path, f"i love my red ball . {END}")
    pieces = model.stream(PROMPT, seed=1)
    next(pieces)
    assert model.last_tokens < 5


def test_capitals_come_back(tmp_path: Path) -> None:
    model = scripted(tmp_path, f"yes ! anna is here . {END}", cased=False)
    assert "".join(model.stream(PROMPT, seed=1)) == "Yes ! Anna is here ."


def test_a_reply_without_an_end_is_cut_at_a_sentence_near_the_limit(tmp_path: Path) -> None:
    model = scripted(tmp_path, "i love my red ball . " + "sit down " * 5, most=9)
    assert "".join(model.stream(PROMPT, seed=1)) == "i love my red ball ."


def test_uniform_logits_stay_within_the_limit_and_say_no_tag(tmp_path: Path) -> None:
    model = LanguageModel(scripted_lm.write(tmp_path, WORDS, most=30, sampling=Sampling(top_p=1.0)))
    replies = {"".join(model.stream(PROMPT, seed=seed)) for seed in range(20)}
    assert len(replies) > 10
    assert not any("<" in reply and "<unk>" not in reply for reply in replies)
    assert all(len(reply.split()) <= 30 for reply in replies)


def test_the_same_seed_says_the_same(tmp_path: Path) -> None:
    model = LanguageModel(scripted_lm.write(tmp_path, WORDS))
    again = LanguageModel(tmp_path)
    for seed in range(5):
        assert list(model.stream(PROMPT, seed=seed)) == list(again.stream(PROMPT, seed=seed))


def test_the_persona_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = scripted(tmp_path, f"yes {END}")
    read: list[int] = []
    step = model._step
    monkeypatch.setattr(
        model, "_step", lambda tokens, *rest: (read.append(len(tokens)), step(tokens, *rest))[1]
    )
    whole, persona = prompt_length(PROMPT), len(model._encode(persona_text(PROMPT)))
    assert "".join(model.stream(PROMPT, seed=0)) == "".join(model.stream(PROMPT, seed=0)) == "yes"
    assert read == [persona, whole - persona, 1, whole - persona, 1]
    other = replace(PROMPT, card=("I love Anna.",))
    list(model.stream(other, seed=0))
    assert read[5] == len(model._encode(persona_text(other)))


def test_replies_made_in_turn_take_nothing_from_each_other(tmp_path: Path) -> None:
    """A reply that was stopped makes its last token while the next one begins."""
    model = LanguageModel(scripted_lm.write(tmp_path, WORDS, words=("yes", "sit"), most=20))
    other = Prompt("Rex", "sit down", ("I love sticks.",))
    alone = [list(model.stream(prompt, seed=5)) for prompt in (PROMPT, other)]
    made: tuple[list[str], list[str]] = ([], [])
    for pieces in zip_longest(model.stream(PROMPT, seed=5), model.stream(other, seed=5)):
        for mine, piece in zip(made, pieces, strict=True):
            mine += [] if piece is None else [piece]
    assert [*made] == alone


def test_a_persona_exchanged_meanwhile_is_not_taken_for_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, step = scripted(tmp_path, f"yes {END}"), LanguageModel._step
    "".join(model.stream(PROMPT, seed=0))
    known, nobody = model._persona, _Persona()
    fed: list[object] = []

    class Exchanged(tuple[str, ...]):
        """Between the look at it and its use another thread puts its own in place."""

        def __ne__(self, other: object) -> bool:
            model._persona = nobody
            return tuple(self) != other

    def noting(tokens: list[int], memory: Memory, start: int) -> tuple[Memory, Logits]:
        fed.append(memory)
        return step(model, tokens, memory, start)

    model._persona = replace(known, of=Exchanged(known.of))
    monkeypatch.setattr(model, "_step", noting)
    assert "".join(model.stream(PROMPT, seed=0)) == "yes"
    assert model._persona is nobody
    assert fed[0] is known.memory


def test_words_beyond_what_is_read_cost_nothing(tmp_path: Path) -> None:
    """Every beginning of a word is kept: 100,000 letters in one would fill the memory."""
    model = LanguageModel(scripted_lm.write(tmp_path, WORDS, words=("yes", "sit"), most=5))
    long = replace(PROMPT, heard="a" * 100_000)
    tracemalloc.start()
    list(model.stream(long, seed=0))
    assert tracemalloc.get_traced_memory()[1] < 20_000_000
    tracemalloc.stop()


def test_many_threads_are_told_what_one_is() -> None:
    model = LanguageModel(starter.load_pack().part("dialogue"))
    cards = [("I love my red ball.",), ("I am a robot dog.", "I sleep in a basket.")]
    prompts = [Prompt("Buddy", f"{heard} {n}", cards[n % 2]) for n, heard in enumerate(["who are you"] * 6)]

    def told(n: int) -> str:
        return "".join(model.stream(prompts[n], seed=n))

    alone = [told(n) for n in range(len(prompts))]
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(len(prompts)) as threads:
            assert list(threads.map(told, range(len(prompts)))) == alone
    finally:
        sys.setswitchinterval(before)


def test_an_unknown_act_or_mood_is_told_as_none(tmp_path: Path) -> None:
    model = scripted(tmp_path, f"yes {END}")
    strange = replace(PROMPT, act="moonwalk", mood="grumpy")
    assert "".join(model.stream(strange, seed=0)) == "yes"


def test_a_long_talk_loses_its_oldest_turns_first_and_a_long_card_is_an_error(tmp_path: Path) -> None:
    talk = replace(PROMPT, history=(("sit down", "yes"),) * 4)
    room = prompt_length(replace(talk, history=talk.history[:1]))
    model = LanguageModel(scripted_lm.write(tmp_path, WORDS, context=room + 40, most=40))
    persona = len(model._encode(persona_text(talk)))
    assert len(model._fitting(talk, persona)[1].history) == 1
    with pytest.raises(PackError, match="shorten the persona's card"):
        list(model.stream(replace(PROMPT, card=("ball " * 40,) * 4), seed=0))


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json", "dialogue.json"])
@pytest.mark.parametrize("damage", ["missing", "empty", "half", "noise"])
def test_a_spoilt_file_is_named(tmp_path: Path, name: str, damage: str) -> None:
    file = scripted_lm.write(tmp_path, WORDS) / name
    whole = file.read_bytes()
    if damage == "missing":
        file.unlink()
    else:
        noise = np.random.default_rng(0).bytes(200)
        file.write_bytes({"empty": b"", "half": whole[: len(whole) // 2], "noise": noise}[damage])
    with pytest.raises(PackError, match=name):
        LanguageModel(tmp_path)


def test_files_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    scripted_lm.write(tmp_path, WORDS)
    scripted_lm.tokenizer_of([*WORDS, *map(str, range(99))]).save(str(tmp_path / "tokenizer.json"))
    with pytest.raises(PackError, match="the tokenizer"):
        LanguageModel(tmp_path)
    scripted_lm.write(tmp_path, WORDS)
    card = json.loads((tmp_path / "dialogue.json").read_text())
    (tmp_path / "dialogue.json").write_text(json.dumps(card | {"acts": ["none", "moonwalk"]}))
    with pytest.raises(PackError, match="<act:moonwalk>"):
        LanguageModel(tmp_path)
    (tmp_path / "dialogue.json").write_text(json.dumps(card | {"contxt": 9}))
    with pytest.raises(PackError, match="contxt"):
        LanguageModel(tmp_path)


def test_only_what_is_likely_enough_is_drawn_and_as_often_as_it_is_likely() -> None:
    chance = np.random.default_rng(3)
    logits = np.log(np.array([0.5, 0.25, 0.15, 0.1], np.float32))
    rule = Sampling(temperature=1, top_p=0.8, repetition_penalty=1)
    drawn = [next_token(logits, [], rule, chance) for _ in range(4_000)]
    shares = np.bincount(drawn, minlength=4) / len(drawn)
    assert shares[3] == 0
    assert np.abs(shares[:3] - np.array([0.5, 0.25, 0.15]) / 0.9).max() < 0.03
    many = np.zeros(5_000, np.float32)
    assert len({next_token(many, [], Sampling(top_p=1), chance) for _ in range(2_000)}) == 128
    assert next_token(logits, [0, 1], rule.model_copy(update={"no_repeat": 1}), chance) in (2, 3)


@pytest.mark.parametrize("kind", ["metaspace", "bytes"])
def test_a_text_grows_by_pieces_to_what_the_tokenizer_makes_of_it(kind: str) -> None:
    made = Tokenizer(models.BPE(unk_token="?"))
    if kind == "bytes":
        made.pre_tokenizer, made.decoder = pre_tokenizers.ByteLevel(), decoders.ByteLevel()
        alphabet = pre_tokenizers.ByteLevel.alphabet()
    else:
        made.pre_tokenizer, made.decoder, alphabet = pre_tokenizers.Metaspace(), decoders.Metaspace(), []
    text = "Anna's café is here, isn't it? Yes! Žofie."
    made.train_from_iterator([text] * 9, trainers.BpeTrainer(vocab_size=300, initial_alphabet=alphabet))
    pieces, tokens, grown = Pieces(made), [], ""
    for token in made.encode(text).ids:
        grown = pieces.joined(grown, tokens, token)
        tokens.append(token)
        assert grown == made.decode(tokens)
    assert grown.strip() == text


def test_no_phrase_comes_twice_and_greedy_is_greedy() -> None:
    chance = np.random.default_rng(0)
    logits = np.array([0.0, 1.0, 3.0, 2.0], np.float32)
    greedy = Sampling(temperature=0, no_repeat=2, repetition_penalty=1)
    assert next_token(logits, [], greedy, chance) == 2
    assert next_token(logits, [1, 2, 1], greedy, chance) == 3
    assert next_token(logits, [1, 2, 1], greedy.model_copy(update={"no_repeat": 0}), chance) == 2
    narrow = Sampling(temperature=1, top_p=0.5)
    assert {next_token(logits, [], narrow, chance) for _ in range(50)} == {2}


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("you are anna. i'm jose!", "You are Anna. I'm José!"),
        ("hi, lou-ann lives in new york", "Hi, Lou-Ann lives in New York"),
        ("see you on monday in may", "See you on Monday in may"),
    ],
)
def test_names_are_spelled_as_they_were_given(said: str, written: str) -> None:
    prompt = Prompt(
        "Buddy", "x", ("My friend is Lou-Ann.",), ("the sister of José is Anna", "she lives in New York")
    )
    casing = Casing(prompt)
    assert "".join(casing.write(part) for part in said.split("|")) == written


def test_no_word_that_neither_was_taught_nor_stands_in_the_prompt() -> None:
    taught = Words.of(words_in(["Your keys are in the cup. I'm fine."]))
    spelling = Spelling(taught, ["Anna's cupboard", "lives in Lyon"])
    for text in ("your keys are in the cu", "your cupbo", "in lyon", "anna's", "i'", "anna's cupboard. i'm"):
        assert spelling.fits(text, ended=False), text
    for text in ("your cupen", "in lyo.", "piza", "anna cupbo is"):
        assert not spelling.fits(text, ended=False), text
    assert spelling.fits("in lyon", ended=True)
    assert not spelling.fits("in lyo", ended=True)
    another = Spelling(taught, ["pizza"])
    assert another.fits("the pizza", ended=True)
    assert not another.fits("the cupboard", ended=True)


def test_a_model_is_held_to_its_words(tmp_path: Path) -> None:
    model = LanguageModel(scripted_lm.write(tmp_path, WORDS, words=("yes", "sit"), most=20))
    said = {word for seed in range(20) for word in "".join(model.stream(PROMPT, seed=seed)).split()}
    known = words_in([PROMPT.name, PROMPT.heard, *PROMPT.card, *PROMPT.facts, "yes", "sit"])
    assert {word for word in said if word.isalpha()} <= known
    assert "down" not in said
