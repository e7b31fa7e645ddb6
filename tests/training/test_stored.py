"""Weights stored small: what is unfolded is what was packed, and packing again changes nothing."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnx", reason="needs the extra: pip install 'everpaw[training]'")
pytest.importorskip("torch", reason="needs the extra: pip install 'everpaw[training]'")

import onnx
from onnx import TensorProto, helper, numpy_helper

from runtime.engines import Engine
from runtime.starter import FOLDER
from training import stored
from training.weights import shipped

RNG = np.random.default_rng(3)


def _product(rows: int, columns: int, path: Path) -> np.ndarray:
    """`y` = table[n] @ w; the values of w."""
    weights = {
        "table": RNG.normal(0, 1, (40, rows)).astype(np.float32),
        "w": RNG.normal(0, 1, (rows, columns)).astype(np.float32),
    }
    weights["w"][:, 0] = 0
    graph = helper.make_graph(
        [helper.make_node("Gather", ["table", "n"], ["x"]), helper.make_node("MatMul", ["x", "w"], ["y"])],
        "product",
        [helper.make_tensor_value_info("n", TensorProto.INT64, [None])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, columns])],
        [numpy_helper.from_array(values, name) for name, values in weights.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)]), str(path))
    return weights["w"]


def _packed(path: Path) -> Path:
    proto = onnx.load(str(path))
    stored.to_bytes(proto)
    stored.halve(proto)
    onnx.checker.check_model(proto, full_check=True)
    onnx.save(proto, str(path.with_name("small.onnx")))
    return path.with_name("small.onnx")


@pytest.mark.parametrize("rows", [stored.BLOCK, 3 * stored.BLOCK, 48])
def test_bytes_unfold_to_nearly_the_weights_and_to_themselves(rows: int, tmp_path: Path) -> None:
    whole = tmp_path / "float.onnx"
    weights = _product(rows, 56, whole)
    small = _packed(whole)
    assert small.stat().st_size < 0.6 * whole.stat().st_size
    found = shipped(small)
    assert found["w"].shape == weights.shape
    assert 0 < np.abs(found["w"] - weights).max() < 0.04
    feeds = {"n": np.arange(40)}
    answer = np.asarray(Engine(small).run(feeds)["y"])
    assert np.allclose(answer, found["table"].astype(np.float32) @ found["w"], atol=1e-4)

    again = onnx.load(str(whole))
    for weight in again.graph.initializer:
        weight.CopyFrom(numpy_helper.from_array(found[weight.name].astype(np.float32), weight.name))
    onnx.save(again, str(whole))
    assert np.array_equal(shipped(_packed(whole))["w"], found["w"])


def test_probabilities_are_not_halved(tmp_path: Path) -> None:
    _product(stored.BLOCK, 56, tmp_path / "float.onnx")
    proto = onnx.load(str(tmp_path / "float.onnx"))
    table = next(entry for entry in proto.graph.initializer if entry.name == "table")
    table.CopyFrom(numpy_helper.from_array(np.abs(numpy_helper.to_array(table)) * 1e-7, "table"))
    stored.halve(proto)
    assert {entry.name for entry in proto.graph.initializer} == {"table", f"w{stored.HALF}"}


@pytest.mark.parametrize("spoil", [np.abs, lambda values: values * 1e4])
def test_nor_are_large_numbers_and_probabilities_bytes(
    spoil: Callable[[np.ndarray], np.ndarray], tmp_path: Path
) -> None:
    _product(stored.BLOCK, 56, tmp_path / "float.onnx")
    proto = onnx.load(str(tmp_path / "float.onnx"))
    weight = next(entry for entry in proto.graph.initializer if entry.name == "w")
    weight.CopyFrom(numpy_helper.from_array(spoil(numpy_helper.to_array(weight)), "w"))
    stored.to_bytes(proto)
    assert {entry.name for entry in proto.graph.initializer} == {"table", "w"}


def test_the_dialogue_model_has_plain_operators_and_bytes() -> None:
    graph = onnx.load(str(FOLDER / "dialogue" / "model.onnx")).graph
    assert {node.domain for node in graph.node} == {""}
    packed = [entry for entry in graph.initializer if entry.data_type == TensorProto.INT8]
    assert len(packed) == 28


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.onnx")), ids=lambda path: path.stem)
def test_shipped_files_tell_nothing_of_the_machine_that_made_them(path: Path) -> None:
    proto = onnx.load(str(path))
    told = [node.name for node in proto.graph.node if node.metadata_props or node.doc_string]
    assert told == []
    node = proto.graph.node[0]
    node.doc_string = "here"
    entry = node.metadata_props.add()
    entry.key, entry.value = "where", "a folder"
    stored.bare(proto)
    assert not node.metadata_props
    assert not node.doc_string
