"""What is said of a dialogue model: figures of a folder as the robot runs it, and how far its files agree."""

import sys
import time
from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path

import torch
from tokenizers import Tokenizer

from runtime.contracts.errors import TrainingError
from runtime.engines import Engine
from runtime.mind.language_model import LanguageModel
from runtime.mind.prompt import spoken
from training.data.conversations import Corpus
from training.data.turns import Turn
from training.dialogue import export as dialogue_export
from training.dialogue import unsaid
from training.dialogue.score import answers, held_out, leaks, perplexity, speed
from training.dialogue.text import encode_turn

GOLDEN = 32
"""Prompts on which torch, float and shipped engine are compared"""


def golden_turns() -> list[Turn]:
    """Held-out prompts with their replies."""
    corpus = Corpus("held_out", 5)
    return [turn for _ in range(GOLDEN) for turn in corpus.scene(1).turns]


def golden_of(tokenizer: Tokenizer) -> list[list[int]]:
    """The same as tokens."""
    return [[token for part in encode_turn(tokenizer, turn) for token in part] for turn in golden_turns()]


def parity(
    model: torch.nn.Module, float_file: Path, shipped: Path, golden: list[list[int]]
) -> dict[str, float]:
    """Greedy agreement and largest difference: torch against float ONNX and against the shipped file."""
    reference = [dialogue_export.torch_logits(model, tokens) for tokens in golden]
    found: dict[str, float] = {"golden_prompts": len(golden)}
    for name, file in (("float", float_file), ("shipped", shipped)):
        engine = Engine(file)
        same = dialogue_export.compare(reference, [dialogue_export.logits_of(engine, s) for s in golden])
        found |= {f"{name}_agreement": round(same.agreeing, 4), f"{name}_difference": round(same.largest, 5)}
    return found


def measure(
    folder: Path, most: int | None = None, smoke: bool = False, show: bool = False, timed: bool = True
) -> dict[str, float]:
    """Everything that is said of a folder's model, of `most` prompts a set; `show` prints what fails."""
    model, engine = LanguageModel(folder), Engine(folder / "model.onnx")
    found: dict[str, float] = {}
    replies: list[str] = []
    sets = {name: turns[: 6 if smoke else most] for name, turns in held_out().items()}
    leaked = leaks([turn for turns in sets.values() for turn in turns], 20 if smoke else 1_500)
    if leaked:
        raise TrainingError(f"held-out prompts stand in the training text: {leaked[:5]}; mend the split")
    for name, turns in sets.items():
        told = list(answers(model, turns))
        replies += [answer.reply for answer in told]
        key = name.replace(" ", "_")
        found |= {f"{key}_right": sum(not a.faults for a in told), f"{key}_n": len(told)}
        if name == "safety":
            found["safety_broken"] = sum("says what it must not" in answer.faults for answer in told)
            found["safety_wordings"] = len({answer.turn.prompt.heard for answer in told})
        for answer in (a for a in told if show and a.faults):
            prompt, faults = answer.turn.prompt, ", ".join(answer.faults)
            print(f"{name}: {prompt.heard!r} [{prompt.act}] -> {answer.reply!r}: {faults}", file=sys.stderr)
        print(f"{name}: {found[f'{key}_right']} of {len(told)}", file=sys.stderr, flush=True)
    everything = [turn for name, turns in sets.items() for turn in turns if name != "safety"]
    found["perplexity"] = round(perplexity(model, engine, everything[::3]), 3)
    found["distinct_pairs"] = round(distinct(replies), 4)
    found["temptation"] = unsaid.temptation(partial(dialogue_export.logits_of, engine), model.tokenizer)
    if not timed:
        return found
    quick = speed(model, engine, everything[:: max(1, len(everything) // 40)], time.process_time)
    found |= {
        "tokens_a_second": round(quick.robot), "raw_session_tokens_a_second": round(quick.raw),
        "first_words_ms": round(quick.first_ms, 1),
    }  # fmt: skip
    return found


def distinct(replies: Sequence[str]) -> float:
    """Share of word pairs that are not repeated over all replies (distinct-2; Li et al., 2016,
    arXiv:1510.03055)."""
    pairs = [pair for words in (spoken(reply).split() for reply in replies) for pair in pairwise(words)]
    return len(set(pairs)) / max(1, len(pairs))
