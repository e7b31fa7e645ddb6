"""From a trained causal model to the robot's file: ONNX with a flat cache, int8, and proof they agree."""

import io
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import nn
from transformers import DynamicCache, PreTrainedModel

from runtime.engines import Engine
from training import stored

OPSET = 18
LEAST_AGREEMENT = 0.99
"""Of the likeliest tokens; a way of rounding below this is given up"""


class FlatCache(nn.Module):
    """The model with each tensor of its cache as an input and an output, as optimum does it."""

    def __init__(self, model: PreTrainedModel) -> None:
        super().__init__()
        self.model = model
        self.layers = model.config.num_hidden_layers

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        position_ids: torch.Tensor,
        *past: torch.Tensor,
    ) -> tuple[torch.Tensor, ...]:
        """(B, T), (B, P + T), (B, T), each past (B, heads, P, width) -> (B, T, V), each with P + T."""
        cache = DynamicCache()
        for layer in range(self.layers):
            cache.update(past[2 * layer], past[2 * layer + 1], layer)
        out = self.model(
            input_ids=input_ids, attention_mask=attention_mask, position_ids=position_ids,
            past_key_values=cache, use_cache=True,
        )  # fmt: skip
        present = [t for layer in out.past_key_values.layers for t in (layer.keys, layer.values)]
        return out.logits, *present


def cache_names(prefix: str, layers: int) -> list[str]:
    return [f"{prefix}.{layer}.{part}" for layer in range(layers) for part in ("key", "value")]


def export(model: PreTrainedModel, path: Path) -> None:
    """Float ONNX with free batch, length and past."""
    config = model.config
    layers = config.num_hidden_layers
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    past_length, length = 3, 4
    past = [torch.zeros(2, heads, past_length, width) for _ in range(2 * layers)]
    inputs = (
        torch.zeros(2, length, dtype=torch.long),
        torch.ones(2, past_length + length, dtype=torch.long),
        torch.arange(past_length, past_length + length)[None].expand(2, length),
    )
    batch, sequence, before = (torch.export.Dim.AUTO for _ in range(3))
    shapes = (
        {0: batch, 1: sequence}, {0: batch, 1: torch.export.Dim.AUTO}, {0: batch, 1: sequence},
        tuple({0: batch, 2: before} for _ in past),
    )  # fmt: skip
    names = ["input_ids", "attention_mask", "position_ids", *cache_names("past_key_values", layers)]
    path.parent.mkdir(parents=True, exist_ok=True)
    model.eval()
    with torch.no_grad(), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        torch.onnx.export(
            FlatCache(model).eval(), (*inputs, *past), str(path), input_names=names,
            output_names=["logits", *cache_names("present", layers)], dynamic_shapes=shapes,
            opset_version=OPSET, dynamo=True, external_data=False, verbose=False,
        )  # fmt: skip
    proto = onnx.load(str(path))
    stored.bare(proto)
    onnx.save(proto, str(path))


def dynamic_int8(source: Path, target: Path) -> None:
    """Weights and activations of the matrix products; the fastest for long prompts. What is not of a matrix
    product, as an embedding, is stored as halves."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(
        source, target, op_types_to_quantize=["MatMul", "Gemm"], weight_type=QuantType.QInt8,
        per_channel=True, extra_options={"MatMulConstBOnly": True},
    )  # fmt: skip
    proto = onnx.load(str(target))
    stored.halve(proto)
    onnx.save(proto, str(target))


def stored_int8(source: Path, target: Path) -> None:
    """Weights alone, in blocks: where an outlying activation would drown the others. The rest as above."""
    proto = onnx.load(str(source))
    stored.to_bytes(proto)
    stored.halve(proto)
    onnx.save(proto, str(target))


def quantise(source: Path, target: Path, golden: Sequence[Sequence[int]]) -> str:
    """The first way that agrees with float at LEAST_AGREEMENT of all places, else the last; its name."""
    reference = [logits_of(Engine(source), tokens) for tokens in golden]
    ways = {"dynamic": dynamic_int8, "stored": stored_int8}
    for name, way in ways.items():
        way(source, target)
        agreeing = compare(reference, [logits_of(Engine(target), tokens) for tokens in golden]).agreeing
        print(f"int8, {name}: {100 * agreeing:.2f} % as float", file=sys.stderr)
        if agreeing >= LEAST_AGREEMENT:
            break
    return name


@dataclass(frozen=True)
class Parity:
    """How far another engine agrees with the reference over some sequences."""

    agreeing: float
    """Share of positions with the same likeliest token"""
    largest: float
    """Difference of any logit, of those a position really chooses among (the eight likeliest)"""


def compare(reference: Sequence[np.ndarray], other: Sequence[np.ndarray]) -> Parity:
    """Both: logits (T, V) of each sequence."""
    same, largest = [], 0.0
    for one, two in zip(reference, other, strict=True):
        same.append(one.argmax(axis=1) == two.argmax(axis=1))
        best = np.argsort(-one, axis=1)[:, :8]
        gap = np.take_along_axis(one, best, 1) - np.take_along_axis(two, best, 1)
        largest = max(largest, float(np.abs(gap).max()))
    return Parity(float(np.concatenate(same).mean()), largest)


def logits_of(engine: Engine, tokens: Sequence[int]) -> np.ndarray:
    """(T, V) of one sequence read at once."""
    feeds: dict[str, np.ndarray] = {
        "input_ids": np.array([tokens], np.int64),
        "attention_mask": np.ones((1, len(tokens)), np.int64),
        "position_ids": np.arange(len(tokens), dtype=np.int64)[None],
    }
    for name, shape in engine.input_shapes.items():
        if name.startswith("past_key_values."):
            feeds[name] = np.zeros((1, shape[1], 0, shape[3]), np.float32)
    return engine.run(feeds)["logits"][0]


@torch.no_grad()
def torch_logits(model: PreTrainedModel, tokens: Sequence[int]) -> np.ndarray:
    return model(input_ids=torch.tensor([list(tokens)])).logits[0].numpy()
