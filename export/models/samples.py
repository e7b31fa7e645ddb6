"""What a model is proved and calibrated with: real sentences, or real recordings, as its inputs.

The first half calibrates, the second half is compared: no model is proved on what it was calibrated with.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Tokenizer

from export.models import talk
from export.models.checkpoint import Checkpoint
from runtime.audio.soundfiles import read_audio
from runtime.contracts.errors import ExportError
from runtime.engines import Engine
from training.data.sentences import EVERYDAY, orders

Inputs = dict[str, npt.NDArray[np.generic]]
T = TypeVar("T")
COUNTED = "counted"
"""Beside the inputs of a prompt: so many tokens at its end are the reply, which figures count"""
LEAST = 32
"""Golden inputs of a proof"""
MOST_LESSONS = 2_000
MOST_TOKENS = 64
LONGEST_S = 4.0
SOUNDS = (".flac", ".wav")


@dataclass(frozen=True)
class Samples:
    calibrate: list[Inputs]
    prove: list[Inputs]
    source: str
    teach: list[Inputs] = field(default_factory=list)
    """What is left to learn from"""
    texts: list[str] = field(default_factory=list)
    """All that a tokenizer must know"""


def gather(checkpoint: Checkpoint, path: Path | None, most: int = 2 * LEAST) -> Samples:
    """`path`: a folder of recordings, or a file of sentences, one a line; without it the house's own, for a
    dialogue model of ours its own prompts.

    ExportError where there are fewer than 2 x LEAST, or where a model that hears gets no recordings.
    """
    if checkpoint.task.sound:
        if path is None:
            raise ExportError("this model hears: give --samples FOLDER of recordings to prove it with")
        found, rest = _sounds(checkpoint, path, most)
    elif path is None and talk.is_ours(checkpoint):
        return _prompts(checkpoint, most)
    else:
        found, rest = _texts(checkpoint, path, most)
    if len(found) < 2 * LEAST:
        raise ExportError(f"{path or 'the built-in list'}: {len(found)} samples; give at least {2 * LEAST}")
    source = path.name if path else "everyday sentences and orders"
    texts = [] if checkpoint.task.sound else sentences(path)
    return Samples(found[::2], found[1::2], source, rest, texts)


def _prompts(checkpoint: Checkpoint, most: int) -> Samples:
    tokenizer = _tokenizer(checkpoint)

    def inputs(line: talk.Line) -> Inputs:
        read, reply = (tokenizer.encode(text, add_special_tokens=False).ids for text in line)
        return {
            "input_ids": np.array([[*read, *reply]], np.int64),
            COUNTED: np.array([[len(reply)]], np.int64),
        }

    golden, lessons = talk.lines("held_out", most), talk.lines("train", MOST_LESSONS // 4)
    found, teach = [inputs(line) for line in golden], [inputs(line) for line in lessons]
    texts = [text for line in (*golden, *lessons) for text in line]
    return Samples(found[::2], found[1::2], "the pet's held-out prompts", teach, texts)


def _sounds(checkpoint: Checkpoint, folder: Path, most: int) -> tuple[list[Inputs], list[Inputs]]:
    files = sorted(p for p in folder.rglob("*") if p.suffix in SOUNDS)
    normal = bool(checkpoint.front_end.get("do_normalize", True))

    def inputs(paths: Sequence[Path]) -> list[Inputs]:
        return [{"input_values": heard(read_audio(path), normal)} for path in paths]

    golden, rest = map(inputs, _split(files, most))
    return golden, rest


def _split(everything: Sequence[T], most: int) -> tuple[list[T], list[T]]:
    """Up to `most`, evenly drawn, and of the others as many as one learns from."""
    step = max(1, len(everything) // most)
    chosen = set(range(0, len(everything), step)[:most])
    rest = [one for n, one in enumerate(everything) if n not in chosen]
    return [everything[n] for n in sorted(chosen)], rest[:MOST_LESSONS]


def heard(samples: npt.NDArray[np.int16], normal: bool) -> npt.NDArray[np.float32]:
    """(1, T) as transformers' feature extractor for raw speech gives it: of mean 0 and variance 1."""
    wave = samples[: int(LONGEST_S * 16_000)].astype(np.float32) / 32_768
    if normal:
        wave = (wave - wave.mean()) / np.sqrt(wave.var() + 1e-7)
    return wave[None].astype(np.float32)


def _tokenizer(checkpoint: Checkpoint) -> Tokenizer:
    if checkpoint.tokenizer is None:
        raise ExportError(f"{checkpoint.folder} has no tokenizer.json; save its fast tokenizer beside it")
    try:
        tokenizer = Tokenizer.from_file(str(checkpoint.tokenizer))
    except Exception as error:  # tokenizers raises a bare Exception
        raise ExportError(f"{checkpoint.tokenizer} is no tokenizer ({error}); save it again") from error
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def _texts(checkpoint: Checkpoint, path: Path | None, most: int) -> tuple[list[Inputs], list[Inputs]]:
    tokenizer = _tokenizer(checkpoint)

    def inputs(lines: Sequence[str]) -> list[Inputs]:
        read = (_tokens(tokenizer, line) for line in lines)
        return [{"input_ids": np.array([ids], np.int64)} for ids in read if ids]

    golden, rest = map(inputs, _split(sentences(path), most))
    return golden, rest


def _tokens(tokenizer: Tokenizer, line: str) -> list[int]:
    return list(tokenizer.encode(line).ids[:MOST_TOKENS])


def sentences(path: Path | None) -> list[str]:
    """Lines of a file, else what people say every day and what owners say to a pet."""
    if path is None:
        return sorted({*EVERYDAY, *orders()})
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ExportError(
            f"--samples {path} is not UTF-8 ({error.reason}); give sentences, one a line"
        ) from error
    return [line.strip() for line in text.splitlines() if line.strip()]


def feeds_for(engine: Engine, given: Inputs) -> Inputs:
    """`given` and what else this engine asks for: a mask of ones, positions, an empty past."""
    first = next(iter(given.values()))
    batch, length = first.shape[:2]
    plain: Inputs = {
        "attention_mask": np.ones((batch, length), np.int64),
        "token_type_ids": np.zeros((batch, length), np.int64),
        "position_ids": np.tile(np.arange(length, dtype=np.int64), (batch, 1)),
    }
    feeds: Inputs = {}
    for name in engine.inputs:
        if name in given:
            feeds[name] = given[name]
        elif name in plain:
            feeds[name] = plain[name]
        elif name.startswith("past_key_values."):
            _, heads, _, width = engine.input_shapes[name]
            feeds[name] = np.zeros((batch, heads, 0, width), engine.input_types[name])  # type: ignore[arg-type]
        else:
            raise ExportError(f"the exported model asks for {name!r}, which nobody here can give")
    return feeds


def of_engine(engine: Engine, output: str, inputs: Sequence[Inputs]) -> list[npt.NDArray[np.float32]]:
    """What an engine answers to each."""
    return [np.asarray(engine.run(feeds_for(engine, one))[output], np.float32) for one in inputs]


def tensors(given: Inputs) -> dict[str, torch.Tensor]:
    """What a network of torch reads of it."""
    return {name: torch.from_numpy(value) for name, value in given.items() if name != COUNTED}


@torch.no_grad()
def of_torch(checkpoint: Checkpoint, inputs: Sequence[Inputs]) -> list[npt.NDArray[np.float32]]:
    """What the checkpoint itself answers."""
    answers = []
    for one in inputs:
        given = tensors(one)
        answers.append(getattr(checkpoint.model(**given), checkpoint.task.output).float().numpy())
    return answers
