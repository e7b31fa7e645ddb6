"""The starter's networks in torch again, from the weights of their shipped files.

Their checkpoints are not in the repository. What comes out computes in float32 with the shipped weights, so
it tells what graph and arithmetic cost, not what rounding the weights once did.
"""

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx.numpy_helper import to_array
from torch import nn
from transformers import PreTrainedModel

from runtime.contracts.errors import ExportError
from runtime.speech.units import UNITS
from training.asr.acoustic import Acoustic, Recogniser
from training.behaviour.starter import Net
from training.dialogue.model import Size, new_model
from training.wake.head import Head

_LINEAR = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
"""In the order of a Llama layer's graph"""


def weights(path: Path) -> dict[str, np.ndarray]:
    """Name -> values in float32; `.half` is taken off the names of those that are stored so."""
    graph = onnx.load(str(path)).graph
    return {entry.name.removesuffix(".half"): to_array(entry) for entry in graph.initializer}


def head(path: Path) -> Head:
    """A wake or stop head."""
    found = weights(path)
    count = len(found) // 2
    layers = tuple((found[f"weight{n}"], found[f"bias{n}"]) for n in range(count))
    return Head(layers)


def head_module(source: Head) -> nn.Module:
    """(B, T, 96) -> (B, 1) probabilities."""
    steps: list[nn.Module] = [nn.Flatten()]
    for number, (weight, bias) in enumerate(source.layers):
        linear = nn.Linear(weight.shape[1], weight.shape[0])
        linear.load_state_dict({"weight": torch.tensor(weight), "bias": torch.tensor(bias)})
        steps += [linear, nn.ReLU() if number < len(source.layers) - 1 else nn.Sigmoid()]
    return nn.Sequential(*steps).eval()


def behaviour(path: Path) -> Net:
    found = {k: torch.from_numpy(v.copy()) for k, v in weights(path).items() if k.startswith("layers.")}
    net = Net(len(found["layers.4.bias"]))
    net.load_state_dict(found)
    return net.eval()


def recogniser(path: Path) -> Recogniser:
    """The acoustic network with its people's ears, which are made anew from their tables."""
    graph = onnx.load(str(path)).graph
    found = weights(path)
    units = len(UNITS)
    plain = {k.removeprefix("acoustic."): v for k, v in found.items() if k.startswith("acoustic.")}
    recurrent = [node for node in graph.node if node.op_type == "LSTM"]
    dim = next(a.i for a in recurrent[0].attribute if a.name == "hidden_size")
    made = _behind_casts(graph)
    for layer, node in enumerate(recurrent):
        given = [found[made.get(name, name).removesuffix(".half")] for name in node.input[1:4]]
        plain |= _lstm(f"layers.{layer}.0", *given, dim)
    [product] = [node for node in graph.node if node.op_type == "MatMul" and _is(found, made, node, 2 * dim)]
    plain["head.weight"] = found[made.get(product.input[1], product.input[1]).removesuffix(".half")].T
    network = Acoustic(units, dim, len(recurrent))
    state = {k: torch.from_numpy(np.array(v, np.float32)) for k, v in plain.items()}
    missing, unexpected = network.load_state_dict(state, strict=False)
    if missing or unexpected:
        raise ExportError(
            f"{path} is no recogniser of this version: {[*missing, *unexpected]}; train it again"
        )
    return Recogniser(network).eval()


def _behind_casts(graph: onnx.GraphProto) -> dict[str, str]:
    return {node.output[0]: node.input[0] for node in graph.node if node.op_type == "Cast"}


def _is(found: dict[str, np.ndarray], made: dict[str, str], node: onnx.NodeProto, rows: int) -> bool:
    name = made.get(node.input[1], node.input[1]).removesuffix(".half")
    return name in found and found[name].shape[0] == rows


def _lstm(name: str, w: np.ndarray, r: np.ndarray, b: np.ndarray, dim: int) -> dict[str, np.ndarray]:
    """ONNX keeps gates as input, output, forget, cell; torch as input, forget, cell, output."""

    def turned(rows: np.ndarray) -> np.ndarray:
        i, o, f, c = rows.reshape(4, dim, *rows.shape[1:])
        return np.concatenate([i, f, c, o])

    found = {}
    for side, end in enumerate(("", "_reverse")):
        found[f"{name}.weight_ih_l0{end}"] = turned(w[side])
        found[f"{name}.weight_hh_l0{end}"] = turned(r[side])
        found[f"{name}.bias_ih_l0{end}"] = turned(b[side][: 4 * dim])
        found[f"{name}.bias_hh_l0{end}"] = turned(b[side][4 * dim :])
    return found


def dialogue(path: Path) -> PreTrainedModel:
    """The starter's Llama, its int8 blocks multiplied out."""
    graph = onnx.load(str(path)).graph
    found = weights(path)
    plain = {k.removeprefix("model."): v for k, v in found.items() if k.startswith("model.")}
    products = [node for node in graph.node if node.op_type == "MatMulNBits"]
    for number, node in enumerate(products):
        layer, part = divmod(number, len(_LINEAR))
        place = "self_attn" if part < 4 else "mlp"
        plain[f"model.layers.{layer}.{place}.{_LINEAR[part]}.weight"] = _whole(node, found)
    vocabulary, hidden = plain["lm_head.weight"].shape
    inner = plain["model.layers.0.mlp.up_proj.weight"].shape[0]
    model = new_model(Size(vocabulary, hidden, len(products) // len(_LINEAR), inner), 0, 0)
    plain["model.embed_tokens.weight"] = plain["lm_head.weight"]
    model.load_state_dict({k: torch.from_numpy(np.array(v, np.float32)) for k, v in plain.items()})
    return model.eval()


def _whole(node: onnx.NodeProto, found: dict[str, np.ndarray]) -> np.ndarray:
    """(N, K) of a MatMulNBits of 8 bits: each block of bytes around 128, times its scale."""
    blocks, scales = found[node.input[1]], found[node.input[2]]
    size = {a.name: a.i for a in node.attribute}
    values = (blocks.astype(np.float32) - 128) * scales.reshape(*blocks.shape[:2], 1)
    return values.reshape(size["N"], -1)[:, : size["K"]]
