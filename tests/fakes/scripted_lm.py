"""A causal language model in ONNX, made by hand: it says the words of a script, whatever it reads.

Its cache is a real one: `present` is `past` with as many columns more as tokens were read, and what it says
next depends on how many those are. Without a script every token is equally likely.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, pre_tokenizers

from runtime.mind.emotion import MOODS
from runtime.mind.language_model import Card
from runtime.mind.prompt import TAGS, act_tag, mood_tag

ACTS = ("none", "sit", "curious")
LENGTH = 600


def tokenizer_of(words: Sequence[str]) -> Tokenizer:
    """One token a word and a mark; all tags."""
    tags = [*TAGS, *map(mood_tag, MOODS), *map(act_tag, ACTS)]
    vocabulary = {w: i for i, w in enumerate(dict.fromkeys(["<unk>", *words]))}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.add_special_tokens(tags)
    return tokenizer


def write(
    folder: Path,
    vocabulary: Sequence[str],
    script: Sequence[str] | None = None,
    after: int = 0,
    **card: object,
) -> Path:
    """A `dialogue/` folder; the script begins after `after` tokens of prompt."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = tokenizer_of(vocabulary)
    tokenizer.save(str(folder / "tokenizer.json"))
    table = np.zeros((LENGTH, tokenizer.get_vocab_size()), np.float32)
    for place, word in enumerate(script or ()):
        table[after + place - 1, tokenizer.token_to_id(word)] = 50.0
    onnx.save(_model(table), str(folder / "model.onnx"))
    settings = Card.model_validate({"acts": ACTS, **card})
    (folder / "dialogue.json").write_text(settings.model_dump_json())
    return folder


def _model(table: np.ndarray) -> onnx.ModelProto:
    """logits = table[position]; the cache (B, 1, P, 2) grows by the tokens read."""
    ids = helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["b", "t"])
    places = helper.make_tensor_value_info("position_ids", TensorProto.INT64, ["b", "t"])
    cache = [
        (kind, helper.make_tensor_value_info(f"{kind}.0.{part}", TensorProto.FLOAT, ["b", 1, "p", 2]))
        for kind in ("past_key_values", "present")
        for part in ("key", "value")
    ]
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["b", "t", table.shape[1]])
    constants = {"table": table, "axes": np.array([1, 3]), "two": np.array([1, 1, 1, 2])}
    nodes = [
        helper.make_node("Gather", ["table", "position_ids"], ["logits"]),
        helper.make_node("Cast", ["input_ids"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["floats", "axes"], ["column"]),  # (B, 1, T, 1)
        helper.make_node("Tile", ["column", "two"], ["read"]),  # (B, 1, T, 2)
        *(
            helper.make_node("Concat", [f"past_key_values.0.{part}", "read"], [f"present.0.{part}"], axis=2)
            for part in ("key", "value")
        ),
    ]
    graph = helper.make_graph(
        nodes, "scripted", [ids, places, *(v for k, v in cache if k == "past_key_values")],
        [logits, *(v for k, v in cache if k == "present")],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )  # fmt: skip
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
