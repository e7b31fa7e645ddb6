"""The starter's networks in torch again, from the weights of their shipped files.

Their checkpoints are not in the repository. What comes out computes in float32 with the shipped weights, so
it tells what graph and arithmetic cost, not what rounding the weights once did.
"""

from pathlib import Path

import numpy as np
import onnx
import torch
from torch import nn
from transformers import PreTrainedModel

from training.behaviour.starter import Net
from training.dialogue.model import Size, new_model
from training.wake.head import Head
from training.weights import shipped

_LINEAR = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
"""In the order of a Llama layer's graph"""


def head(path: Path) -> Head:
    """A wake or stop head."""
    found = shipped(path)
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
    found = {k: torch.from_numpy(v.copy()) for k, v in shipped(path).items() if k.startswith("layers.")}
    net = Net(len(found["layers.4.bias"]))
    net.load_state_dict(found)
    return net.eval()


def dialogue(path: Path) -> PreTrainedModel:
    """The starter's Llama."""
    graph = onnx.load(str(path)).graph
    found = shipped(path)
    plain = {k.removeprefix("model."): v for k, v in found.items() if k.startswith("model.")}
    products = [n.input[1] for n in graph.node if n.op_type == "MatMul" and n.input[1] in found]
    for number, name in enumerate(products):
        layer, part = divmod(number, len(_LINEAR))
        place = "self_attn" if part < 4 else "mlp"
        plain[f"model.layers.{layer}.{place}.{_LINEAR[part]}.weight"] = found[name].T
    vocabulary, hidden = plain["lm_head.weight"].shape
    inner = plain["model.layers.0.mlp.up_proj.weight"].shape[0]
    model = new_model(Size(vocabulary, hidden, len(products) // len(_LINEAR), inner), 0, 0)
    plain["model.embed_tokens.weight"] = plain["lm_head.weight"]
    model.load_state_dict({k: torch.from_numpy(np.array(v, np.float32)) for k, v in plain.items()})
    return model.eval()
