"""The ways to make an exported model smaller, by precision and by what it is to run on."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx.numpy_helper import from_array, to_array
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer
from onnxruntime.quantization.shape_inference import quant_pre_process
from onnxruntime.transformers.float16 import convert_float_to_float16

from export.models.graph import has
from export.models.samples import Inputs, feeds_for
from runtime.contracts.errors import ExportError
from runtime.engines import Engine
from training import stored
from training.dialogue.export import dynamic_int8

Way = Callable[[Path, Path, Sequence[Inputs]], None]
"""(float file, target, inputs to calibrate with)"""
PRECISIONS = ("fp32", "fp16", "int8", "int4")
_BLOCK = 32


def as_it_is(source: Path, target: Path, inputs: Sequence[Inputs]) -> None:
    target.write_bytes(source.read_bytes())


def stored_half(source: Path, target: Path, inputs: Sequence[Inputs]) -> None:
    """Weights stored in half precision and cast at load: a processor computes in float32 anyway."""
    model = onnx.load(str(source))
    stored.halve(model)
    onnx.save(model, str(target))


def computed_half(source: Path, target: Path, inputs: Sequence[Inputs]) -> None:
    """Everything inside in half precision, inputs and outputs as they were: for a GPU."""
    model = convert_float_to_float16(onnx.load(str(source)), keep_io_types=True, disable_shape_infer=True)
    onnx.save(model, str(target))


def dynamic(source: Path, target: Path, inputs: Sequence[Inputs]) -> None:
    """Convolutions by static scales from real activations, matrix products by scales of the moment.

    A dynamic convolution is several times slower than the float one, so there is none.
    """
    if not has(source, "Conv"):
        dynamic_int8(source, target)
        return
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        convolved = Path(scratch) / "convolved.onnx"
        _static(source, convolved, inputs, ["Conv"])
        dynamic_int8(convolved, target)


def stored_bytes(source: Path, target: Path, inputs: Sequence[Inputs]) -> None:
    """Int8 weights with a scale for every 64, unfolded at load; what flows between stays float."""
    model = _as_products(onnx.load(str(source)))
    stored.to_bytes(model)
    stored.halve(model)
    onnx.save(model, str(target))


def weights_int8(source: Path, target: Path, inputs: Sequence[Inputs]) -> None:
    """MatMulNBits: 8-bit weights, a scale for every 64, packed in the GPU's memory too.

    Not for a processor: with float activations it unpacks all weights at every call there.
    """
    _in_blocks(source, target, 8, stored.BLOCK, 0)


def static(source: Path, target: Path, inputs: Sequence[Inputs]) -> None:
    """QDQ around every convolution and matrix product, as TensorRT wants it."""
    _static(source, target, inputs, ["Conv", "MatMul", "Gemm"])


def weights_int4(source: Path, target: Path, inputs: Sequence[Inputs]) -> None:
    """MatMulNBits: 4-bit weights, a scale for every 32; the rest as halves."""
    _in_blocks(source, target, 4, _BLOCK, 4)


def _in_blocks(source: Path, target: Path, bits: int, block: int, accuracy: int) -> None:
    quantizer = MatMulNBitsQuantizer(
        _as_products(onnx.load(str(source))), bits=bits, block_size=block, is_symmetric=True,
        accuracy_level=accuracy, op_types_to_quantize=("MatMul",),
    )  # fmt: skip
    quantizer.process()
    stored.halve(quantizer.model.model)
    onnx.save(quantizer.model.model, str(target))


WAYS: dict[str, dict[str, tuple[Way, ...]]] = {
    "cpu": {
        "fp32": (as_it_is,),
        "fp16": (stored_half,),
        "int8": (dynamic, stored_bytes),
        "int4": (weights_int4,),
    },
    "cuda": {
        "fp32": (as_it_is,),
        "fp16": (computed_half,),
        "int8": (weights_int8,),
        "int4": (weights_int4,),
    },
    "tensorrt": {"fp32": (as_it_is,), "fp16": (computed_half,), "int8": (static,)},
}
"""What it runs on -> precision -> ways, the first that passes the thresholds is taken"""


def ways(target: str, precision: str) -> tuple[Way, ...]:
    try:
        return WAYS[target][precision]
    except KeyError as error:
        known = ", ".join(WAYS[target])
        raise ExportError(f"there is no way to {precision} for {target}; it takes {known}") from error


def _static(source: Path, target: Path, inputs: Sequence[Inputs], kinds: list[str]) -> None:
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        prepared = Path(scratch) / "prepared.onnx"
        quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
        quantize_static(
            str(prepared), str(target), _Reader(Engine(source), inputs), quant_format=QuantFormat.QDQ,
            op_types_to_quantize=kinds, per_channel=True, activation_type=QuantType.QInt8,
            weight_type=QuantType.QInt8,
            extra_options={"ActivationSymmetric": True, "WeightSymmetric": True, "MatMulConstBOnly": True},
        )  # fmt: skip


class _Reader(CalibrationDataReader):  # type: ignore[misc]
    """Real inputs, one after the other, as the quantizer asks for them."""

    def __init__(self, engine: Engine, inputs: Sequence[Inputs]) -> None:
        self._feeds: Iterator[Inputs] = (feeds_for(engine, one) for one in inputs)

    def get_next(self) -> Inputs | None:
        return next(self._feeds, None)


def _as_products(model: onnx.ModelProto) -> onnx.ModelProto:
    """Every matrix of weights as the right side of a plain MatMul, since only that is taken in blocks.

    A `Gemm` becomes a product and a sum. A matrix that is stored turned round (an embedding tied to the
    output) is turned once and for all.
    """
    graph = model.graph
    constants = {entry.name: entry for entry in graph.initializer}
    nodes = list(graph.node)
    del graph.node[:]
    for node in nodes:
        if node.op_type == "Gemm" and node.input[1] in constants and not _turned(node, "transA"):
            graph.node.extend(_product_and_sum(node, constants, graph))
        elif node.op_type == "Transpose" and node.input[0] in constants:
            order = next((list(a.ints) for a in node.attribute if a.name == "perm"), None)
            _constant(graph, node.output[0], to_array(constants[node.input[0]]).transpose(order))
        else:
            graph.node.append(node)
    used = {name for node in graph.node for name in node.input}
    kept = [entry for entry in graph.initializer if entry.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)
    return model


def _product_and_sum(
    node: onnx.NodeProto, constants: dict[str, onnx.TensorProto], graph: onnx.GraphProto
) -> list[onnx.NodeProto]:
    weights = to_array(constants[node.input[1]])
    weights = (weights.T if _turned(node, "transB") else weights) * _scale(node, "alpha")
    name = f"{node.output[0]}.weights"
    _constant(graph, name, weights.astype(np.float32))
    if len(node.input) < 3:
        return [onnx.helper.make_node("MatMul", [node.input[0], name], [node.output[0]], name=name)]
    product, bias = f"{node.output[0]}.product", node.input[2]
    if (scale := _scale(node, "beta")) != 1 and bias in constants:
        _constant(graph, f"{bias}.scaled", to_array(constants[bias]) * np.float32(scale))
        bias = f"{bias}.scaled"
    return [
        onnx.helper.make_node("MatMul", [node.input[0], name], [product], name=name),
        onnx.helper.make_node("Add", [product, bias], [node.output[0]]),
    ]


def _constant(graph: onnx.GraphProto, name: str, values: np.ndarray) -> None:
    graph.initializer.append(from_array(np.ascontiguousarray(values), name))


def _turned(node: onnx.NodeProto, name: str) -> bool:
    return any(a.name == name and a.i for a in node.attribute)


def _scale(node: onnx.NodeProto, name: str) -> float:
    return next((float(a.f) for a in node.attribute if a.name == name), 1.0)
