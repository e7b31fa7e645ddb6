"""The words a model needs: tokens that no text uses leave its tokenizer, and their rows its embedding."""

import copy
import json
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import nn

from export.models.checkpoint import TOKENIZER, Checkpoint
from export.models.samples import COUNTED, Inputs
from runtime.contracts.errors import ExportError


def shrink(checkpoint: Checkpoint, texts: Iterable[str], folder: Path) -> tuple[Checkpoint, dict[int, int]]:
    """A copy of the checkpoint in `folder` that knows only what `texts` need, and old number -> new.

    Letters, bytes and special tokens stay, so that any text can still be spelt.
    """
    if checkpoint.tokenizer is None:
        raise ExportError(f"{checkpoint.folder} has no tokenizer.json to prune")
    table = json.loads(checkpoint.tokenizer.read_text(encoding="utf-8"))
    kept = _kept(table, Tokenizer.from_file(str(checkpoint.tokenizer)), texts)
    numbers = {old: new for new, old in enumerate(sorted(kept.values()))}
    shutil.copytree(checkpoint.folder, folder)
    (folder / TOKENIZER).write_text(
        json.dumps(_less(table, kept, numbers), ensure_ascii=False), encoding="utf-8"
    )
    model = copy.deepcopy(checkpoint.model)
    rows = torch.tensor(sorted(kept.values()))
    _cut(model, rows)
    for name in ("pad_token_id", "eos_token_id", "bos_token_id"):
        value = getattr(model.config, name, None)
        if isinstance(value, int):
            setattr(model.config, name, numbers.get(value))
    return replace(checkpoint, folder=folder, model=model), numbers


def renumber(inputs: Sequence[Inputs], numbers: dict[int, int]) -> list[Inputs]:
    """The same sentences in the smaller vocabulary."""
    look = np.vectorize(numbers.__getitem__, otypes=[np.int64])
    return [
        {name: value if name == COUNTED else look(value) for name, value in one.items()} for one in inputs
    ]


def _kept(table: dict[str, Any], tokenizer: Tokenizer, texts: Iterable[str]) -> dict[str, int]:
    if table["model"]["type"] not in ("BPE", "WordPiece"):
        raise ExportError(
            f"a tokenizer of the kind {table['model']['type']} cannot be pruned; BPE, WordPiece can"
        )
    everything: dict[str, int] = tokenizer.get_vocab(with_added_tokens=True)
    own = {entry["content"] for entry in table["added_tokens"]} | {table["model"].get("unk_token")}
    used = {token for text in texts for token in tokenizer.encode(text).tokens}
    letters = {token for token in everything if len(token.removeprefix("##")) == 1}
    wanted = {token for token in used | own | letters if token in everything}
    made = {"".join(pair): pair for pair in _merges(table)}
    waiting = list(wanted)
    while waiting:  # a token needs the parts it is merged from
        for part in made.get(waiting.pop(), ()):
            if part not in wanted:
                wanted.add(part)
                waiting.append(part)
    return {token: everything[token] for token in wanted}


def _merges(table: dict[str, Any]) -> list[tuple[str, str]]:
    pairs = table["model"].get("merges", [])
    halves = (pair.split(" ", 1) if isinstance(pair, str) else pair for pair in pairs)
    return [(first, second) for first, second in halves]


def _less(table: dict[str, Any], kept: dict[str, int], numbers: dict[int, int]) -> dict[str, Any]:
    model = table["model"]
    model["vocab"] = {
        t: numbers[n] for t, n in sorted(model["vocab"].items(), key=lambda e: e[1]) if t in kept
    }
    if "merges" in model:
        model["merges"] = [list(p) for p in _merges(table) if {*p, "".join(p)} <= kept.keys()]
    for entry in table["added_tokens"]:
        entry["id"] = numbers[entry["id"]]
    processor = table.get("post_processor") or {}
    for entry in (processor.get("special_tokens") or {}).values():
        entry["ids"] = [numbers[n] for n in entry["ids"]]
    for side in ("sep", "cls"):
        if side in processor:
            processor[side] = [processor[side][0], numbers[processor[side][1]]]
    return table


def _cut(model: Any, rows: torch.Tensor) -> None:
    """Rows of the embedding, and of the output where it is not the same matrix."""
    old, output = model.get_input_embeddings(), model.get_output_embeddings()
    tied = output is not None and output.weight is old.weight
    weight = old.weight.detach().index_select(0, rows)
    new = nn.Embedding(*weight.shape)
    new.weight = nn.Parameter(weight)
    model.set_input_embeddings(new)
    if output is not None:
        output.weight = new.weight if tied else nn.Parameter(output.weight.detach().index_select(0, rows))
        if getattr(output, "bias", None) is not None:
            output.bias = nn.Parameter(output.bias.detach().index_select(0, rows))
        output.out_features = len(rows)
    model.config.vocab_size = len(rows)
