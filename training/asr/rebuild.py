"""The recogniser's network in torch again, from the weights of its shipped file."""

from pathlib import Path

import numpy as np
import onnx
import torch

from runtime.contracts.errors import TrainingError
from runtime.speech.units import UNITS
from training.asr.acoustic import Acoustic, Recogniser
from training.weights import shipped


def recogniser(path: Path) -> Recogniser:
    """The acoustic network with its people's ears, which are made anew from their tables."""
    graph = onnx.load(str(path)).graph
    found = shipped(path)
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
        raise TrainingError(
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
