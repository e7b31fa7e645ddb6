"""Weights stored small in an ONNX file and unfolded at load, by plain operators that every provider knows.

What is unfolded computes in float32 as fast as a float file does. Kernels that compute with packed weights
(`MatMulNBits`) round what flows through them, or unpack all weights at every call where a processor has no
kernel of their width.
"""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

BLOCK = 64
"""Rows of a matrix that share a scale"""
HALF, BYTES, SCALES = ".half", ".bytes", ".scales"
"""What stands behind a weight's name in the file"""
KERNEL_SCALES = "_scales"
"""The same behind a weight that onnxruntime's quantiser packed for its own kernels"""
_LARGE = 100.0
_FEW = 1_000


def halve(proto: onnx.ModelProto) -> None:
    """Store large weights as float16: half the file, the same arithmetic.

    Weights of large size (the Gaussians' coefficients) stay as they are: they need the digits. So do tables
    of probabilities, of which none is negative: where a logarithm is taken, the small ones count (a
    recogniser's mixture weights as halves moved its answers by 0.11 nats).
    """
    unfolded = []
    for weight in list(proto.graph.initializer):
        if weight.data_type != TensorProto.FLOAT or np.prod(weight.dims) < _FEW:
            continue
        name, values = weight.name, numpy_helper.to_array(weight)
        if name.endswith((SCALES, KERNEL_SCALES)) or _needs_digits(values):
            continue
        small = numpy_helper.from_array(values.astype(np.float16), f"{name}{HALF}")
        _replace(proto.graph, weight, small)
        unfolded.append(helper.make_node("Cast", [small.name], [name], to=TensorProto.FLOAT))
    _before(proto.graph, unfolded)


def to_bytes(proto: onnx.ModelProto) -> None:
    """Store the right side of every `MatMul` as int8, with a scale for every BLOCK rows of each column.

    A matrix whose rows do not go into blocks has one scale a column. What `halve` leaves as it is stays so.
    """
    right = {node.input[1] for node in proto.graph.node if node.op_type == "MatMul"}
    unfolded = []
    for weight in list(proto.graph.initializer):
        if weight.name in right and weight.data_type == TensorProto.FLOAT and len(weight.dims) == 2:
            values = numpy_helper.to_array(weight)
            if _needs_digits(values):
                continue
            small, scales = _packed(values)
            unfolded += _unpacking(proto.graph, weight, small, scales)
    _before(proto.graph, unfolded)


def bare(proto: onnx.ModelProto) -> None:
    """Without what an exporter tells of its own machine: stack traces, paths, the names of classes."""
    graph = proto.graph
    for part in (graph, *graph.node, *graph.input, *graph.output, *graph.value_info, *graph.initializer):
        del part.metadata_props[:]
        part.ClearField("doc_string")


def _needs_digits(values: np.ndarray) -> bool:
    return bool(np.abs(values).max() > _LARGE or values.min() >= 0)


def _packed(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(rows, columns) -> int8 (blocks, rows of one, columns), scales (blocks, 1, columns).

    The largest value of a block is -128 times its scale, so packing what was packed changes nothing.
    """
    rows, columns = values.shape
    blocks = values.astype(np.float32).reshape(-1, BLOCK if rows % BLOCK == 0 else rows, columns)
    place = np.abs(blocks).argmax(axis=1, keepdims=True)
    scales = np.take_along_axis(blocks, place, axis=1) / np.float32(-128)
    scales[scales == 0] = 1
    return np.rint(blocks / scales).clip(-128, 127).astype(np.int8), scales


def _unpacking(
    graph: onnx.GraphProto, weight: onnx.TensorProto, small: np.ndarray, scales: np.ndarray
) -> list[onnx.NodeProto]:
    name = weight.name
    shape = numpy_helper.from_array(np.array(weight.dims, np.int64), f"{name}.shape")
    _replace(graph, weight, numpy_helper.from_array(small, f"{name}{BYTES}"))
    graph.initializer.extend([numpy_helper.from_array(scales, f"{name}{SCALES}"), shape])
    return [
        helper.make_node("Cast", [f"{name}{BYTES}"], [f"{name}.cast"], to=TensorProto.FLOAT),
        helper.make_node("Mul", [f"{name}.cast", f"{name}{SCALES}"], [f"{name}.blocks"]),
        helper.make_node("Reshape", [f"{name}.blocks", shape.name], [name]),
    ]


def _replace(graph: onnx.GraphProto, weight: onnx.TensorProto, by: onnx.TensorProto) -> None:
    graph.initializer.remove(weight)
    graph.initializer.append(by)


def _before(graph: onnx.GraphProto, nodes: list[onnx.NodeProto]) -> None:
    rest = list(graph.node)
    del graph.node[:]
    graph.node.extend([*nodes, *rest])
