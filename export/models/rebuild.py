"""The starter's networks in torch again, from the weights of their shipped files.

Their checkpoints are not in the repository. What comes out computes in float32 with the shipped weights, so
it tells what graph and arithmetic cost, not what rounding the weights once did.
"""

from pathlib import Path

import numpy as np
import onnx
import torch
from torch import nn
from transformers import BertConfig, BertModel, PreTrainedModel

from training.behaviour.starter import Net
from training.dialogue.model import Size, new_model
from training.reader.network import ReaderNet
from training.wake.head import Head
from training.weights import NIBBLES, shipped

_LINEAR = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
"""In the order of a Llama layer's graph"""
_ENCODER = (
    "attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense",
    "intermediate.dense", "output.dense",
)  # fmt: skip
"""The same of a BERT layer"""
_HEAD_WIDTH = 32
"""Of MiniLM's encoders"""


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


def reader(path: Path) -> ReaderNet:
    """The starter's encoder with its two heads."""
    graph = onnx.load(str(path)).graph
    found = shipped(path)
    products = [n.input[1].removesuffix(NIBBLES) for n in graph.node if n.op_type == "MatMulNBits"]
    plain = {k: v for k, v in found.items() if k.partition(".")[0] in ("encoder", "danger", "feelings")}
    for number, name in enumerate(products):
        layer, part = divmod(number, len(_ENCODER))
        plain[f"encoder.encoder.layer.{layer}.{_ENCODER[part]}.weight"] = found[name]
    words, width = plain["encoder.embeddings.word_embeddings.weight"].shape
    config = BertConfig(
        vocab_size=words, hidden_size=width, num_hidden_layers=len(products) // len(_ENCODER),
        num_attention_heads=width // _HEAD_WIDTH,
        intermediate_size=len(plain["encoder.encoder.layer.0.intermediate.dense.bias"]),
        max_position_embeddings=len(plain["encoder.embeddings.position_embeddings.weight"]),
        attn_implementation="eager",
    )  # fmt: skip
    net = ReaderNet(BertModel(config, add_pooling_layer=False))
    wanted = net.state_dict()
    net.load_state_dict({k: torch.from_numpy(np.array(v)) for k, v in plain.items() if k in wanted})
    return net.eval()
