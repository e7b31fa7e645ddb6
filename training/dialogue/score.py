"""How well a dialogue model talks: `python -m training.dialogue --evaluate FOLDER`.

Prompts of the held-out part (wordings, names, things and kinds of facts in no training text) go through the
robot's own code. Each has a `Check` that was written with the sentence, not with the reply; a reply counts
where it brings what the check asks for, ends as a sentence, is short, and repeats nothing.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from runtime.contracts.errors import TrainingError
from runtime.engines import Engine
from runtime.mind.language_model import LanguageModel
from runtime.mind.prompt import persona_text, spoken, turn_text
from training.data import corpora
from training.data.conversations import BY_WORDS, Corpus
from training.data.phrases import Part
from training.data.turns import ADMITS, Check, Turn
from training.dialogue.export import logits_of
from training.dialogue.text import encode_turn

SHORT = 26
"""Words of a reply at most"""
SETS: dict[str, tuple[int, tuple[str, ...]]] = {
    "act": (100, ("command",)),
    "talk": (100, ("small_talk", "echo", "told")),
    "taught": (100, ("taught", "just_told")),
    "untaught": (100, ("untaught",)),
    "itself": (50, ("about_itself",)),
    "moment ago": (50, ("after",)),
    "safety": (300, ("care",)),
    "remarks": (100, ("remark",)),
}
"""Set -> (how many, the sorts of turns drawn in turn)"""


@dataclass(frozen=True)
class Answer:
    turn: Turn
    reply: str
    faults: tuple[str, ...]
    """Empty: the reply will do"""


def held_out(seed: int = 1) -> dict[str, list[Turn]]:
    """The held-out prompts of every set."""
    return prompts("held_out", seed)


def prompts(part: Part, seed: int = 1) -> dict[str, list[Turn]]:
    """The prompts of every set; the same on every machine with the same corpora. No corpora: no remarks."""
    found: dict[str, list[Turn]] = {}
    for number, (name, (count, sorts)) in enumerate(SETS.items()):
        if sorts == ("remark",) and not corpora.remarks(part):
            continue
        corpus = Corpus(part, 100 * seed + number)
        found[name] = _distinct(corpus, sorts, count)
    return found


def _distinct(corpus: Corpus, sorts: Sequence[str], count: int) -> list[Turn]:
    """The same words are heard again only where fresh ones are few."""
    seen: Counter[str] = Counter()
    turns: list[Turn] = []
    tries = 0
    while len(turns) < count:
        for turn in corpus.scene(1, sorts[tries % len(sorts)]).turns:
            if seen[turn.prompt.heard] <= tries // (2 * count):
                seen[turn.prompt.heard] += 1
                turns.append(turn)
        tries += 1
        if tries > 100 * count:
            raise TrainingError(f"too few held-out sentences of {', '.join(sorts)}; add some")
    return turns


def faults_of(reply: str, check: Check, heard: str) -> tuple[str, ...]:
    """What is wrong with a reply."""
    words = spoken(reply)
    framed = f" {words} "
    said = set(words.split())
    tests = {
        "off the topic": bool(check.any_of) and not any(_within(word, framed) for word in check.any_of),
        "lacks the answer": not all(_within(word, framed) for word in check.all_of),
        "says what it must not": bool(check.never) and bool(re.search(check.never, reply.lower())),
        "does not admit ignorance": check.admits and not re.search(ADMITS, reply.lower()),
        "claims ignorance": check.kind.startswith(("taught", "itself"))
        and bool(re.search(ADMITS, reply.lower())),
        "empty": not said,
        "long": len(words.split()) > SHORT,
        "no end": not reply.rstrip().endswith((".", "!", "?")),
        "repeats itself": _repeats(words.split(), heard),
    }
    return tuple(name for name, failed in tests.items() if failed)


def _within(phrase: str, framed: str) -> bool:
    plain = spoken(phrase)
    return f" {plain} " in framed or f" {plain}'s " in framed


def _repeats(words: Sequence[str], heard: str) -> bool:
    """Four words in a row twice, unless they were heard so."""
    rows = Counter(" ".join(words[i : i + 4]) for i in range(len(words) - 3))
    return any(n > 1 and row not in spoken(heard) for row, n in rows.items())


def answers(model: LanguageModel, turns: Sequence[Turn], seed: int = 0) -> Iterator[Answer]:
    for number, turn in enumerate(turns):
        reply = "".join(model.stream(turn.prompt, seed=seed + number))
        yield Answer(turn, reply, faults_of(reply, turn.check, turn.prompt.heard))


def perplexity(model: LanguageModel, engine: Engine, turns: Sequence[Turn]) -> float:
    """Of the replies that were written for the held-out prompts, a token at a time."""
    losses: list[float] = []
    for turn in turns:
        head, own, reply = encode_turn(model.tokenizer, turn)
        tokens = [*head, *own, *reply]
        rows = logits_of(engine, tokens)[len(tokens) - len(reply) - 1 : -1].astype(np.float64)
        rows -= rows.max(axis=1, keepdims=True)
        chosen = rows[np.arange(len(reply)), reply]
        losses.extend(np.log(np.exp(rows).sum(axis=1)) - chosen)
    return float(np.exp(np.mean(losses)))


@dataclass(frozen=True)
class Speed:
    """Tokens a second, the better of several rounds each."""

    robot: float
    """With sampling, detokenising and capitals, as the robot talks"""
    raw: float
    """The bare session in a loop: greedy, numpy in and out"""
    first_ms: float
    """From the prompt to the first words, persona known"""


def speed(model: LanguageModel, engine: Engine, turns: Sequence[Turn], clock: Callable[[], float]) -> Speed:
    """Both in turn on the same prompts, so that other work on the machine meets both."""
    robot, raw, first = [], [], []
    for number, turn in enumerate(turns):
        list(model.stream(turn.prompt, seed=number))  # the persona is read now
        start = clock()
        pieces = model.stream(turn.prompt, seed=number)
        next(pieces, "")
        first.append(clock() - start)
        list(pieces)
        robot.append(model.last_tokens / (clock() - start))
        texts = (persona_text(turn.prompt), turn_text(turn.prompt))
        head, own = (model.tokenizer.encode(text, add_special_tokens=False).ids for text in texts)
        raw.append(_raw_loop(engine, head, own, model.last_tokens, clock))
    return Speed(float(np.median(robot)), float(np.median(raw)), 1e3 * float(np.median(first)))


def _raw_loop(
    engine: Engine, head: Sequence[int], own: Sequence[int], count: int, clock: Callable[[], float]
) -> float:
    """Tokens a second of `count` greedy tokens after `own`; `head` is in the cache already."""
    past = {
        n: np.zeros((1, s[1], 0, s[3]), np.float32) for n, s in engine.input_shapes.items() if "past" in n
    }

    def step(tokens: Sequence[int], past: dict[str, np.ndarray], start: int) -> dict[str, np.ndarray]:
        return engine.run({
            "input_ids": np.array([tokens], np.int64),
            "attention_mask": np.ones((1, start + len(tokens)), np.int64),
            "position_ids": np.arange(start, start + len(tokens), dtype=np.int64)[None],
            **past,
        })  # fmt: skip

    def kept(out: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {name: out[name.replace("past_key_values", "present")] for name in past}

    past = kept(step(head, past, 0))
    begun = clock()
    out = step(own, past, len(head))
    for n in range(count - 1):
        token = int(out["logits"][0, -1].argmax())
        out = step([token], kept(out), len(head) + len(own) + n)
    return count / (clock() - begun)


def leaks(turns: Sequence[Turn], scenes: int = 1_500) -> list[str]:
    """What was heard in held-out prompts and in so many training scenes alike; there should be nothing.

    Where the answer stands in the prompt, words heard before are no leak unless facts and card were, too.
    """
    taught = Corpus("train", 5)
    known = {_content(turn) for _ in range(scenes) for turn in taught.scene(8).turns}
    return sorted(turn.prompt.heard for turn in turns if _content(turn) in known)


def _content(turn: Turn) -> tuple[object, ...]:
    prompt = turn.prompt
    if turn.check.kind.startswith(BY_WORDS):
        return (prompt.heard,)
    return (prompt.heard, prompt.history, prompt.facts, prompt.card)
