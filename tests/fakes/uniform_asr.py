"""A recogniser's folder whose network hears every phone equally well, or always the same words."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from runtime.speech.evidence import EVIDENCE
from runtime.speech.features import MELS, describe
from runtime.speech.pronounce import DICTIONARY, Pronouncer
from runtime.speech.units import BLANK, UNITS, encode
from runtime.starter import FOLDER

PRONOUNCER = Pronouncer.load(FOLDER / "asr")


def write_asr(folder: Path, text: str | None = None, *, bias: float = 4.0) -> Path:
    """`text`: what it hears whatever is said, once; None: uniform phones. `bias`: belief in the grammar."""
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(_uniform() if text is None else _always(text), str(folder / "model.onnx"))
    shutil.copyfile(FOLDER / "asr" / DICTIONARY, folder / DICTIONARY)
    settings = {
        "units": list(UNITS),
        "front_end": describe(),
        "weights": [-4.0] + [0.0] * (len(EVIDENCE) - 1),
        "bias": bias,
        "words": {"hello": 5, "world": 3},
    }
    (folder / "asr.json").write_text(json.dumps(settings), encoding="utf-8")
    return folder


def said(text: str, sure: float = 0.98) -> np.ndarray:
    """Log-probabilities (steps, units) of `text` as the dictionary says it; see `spelled`."""
    return spelled([phone for word in text.split() for phone in PRONOUNCER.must(word)[0]], sure)


def spelled(phones: Sequence[str], sure: float = 0.98) -> np.ndarray:
    """Log-probabilities (steps, units) of `phones`, two steps each and one of blank."""
    units = [BLANK]
    for unit in encode(phones):
        units += [unit, unit, BLANK]
    probabilities = np.full((len(units), len(UNITS)), (1 - sure) / (len(UNITS) - 1), np.float32)
    probabilities[np.arange(len(units)), units] = sure
    return np.log(probabilities)


def _uniform() -> onnx.ModelProto:
    """The mean over mels times zero, one row of logits a frame."""
    weights = numpy_helper.from_array(np.zeros((MELS, len(UNITS)), np.float32), "w")
    nodes = [
        helper.make_node("MatMul", ["features", "w"], ["logits"]),
        helper.make_node("LogSoftmax", ["logits"], ["log_probs"], axis=-1),
    ]
    return _model(nodes, [weights], "frames")


def _always(text: str) -> onnx.ModelProto:
    table = numpy_helper.from_array(said(text)[None], "table")
    zero = numpy_helper.from_array(np.zeros((), np.float32), "zero")
    nodes = [
        helper.make_node("ReduceSum", ["features"], ["sum"], keepdims=0),
        helper.make_node("Mul", ["sum", "zero"], ["nothing"]),
        helper.make_node("Add", ["table", "nothing"], ["log_probs"]),
    ]
    return _model(nodes, [table, zero], "steps")


def _model(nodes: list[onnx.NodeProto], weights: list[onnx.TensorProto], steps: str) -> onnx.ModelProto:
    features = helper.make_tensor_value_info("features", TensorProto.FLOAT, [1, "frames", MELS])
    log_probs = helper.make_tensor_value_info("log_probs", TensorProto.FLOAT, [1, steps, len(UNITS)])
    graph = helper.make_graph(nodes, "fake", [features], [log_probs], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
