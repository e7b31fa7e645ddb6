"""A head as a TFLite file, for Home Assistant and pyopen-wakeword; written without TensorFlow."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from runtime.contracts.errors import MissingExtraError
from training.wake.head import halves

_VERSION = 3
"""Of the schema; what every TFLite since 2018 reads"""
_KINDS = {"float32": "FLOAT32", "float16": "FLOAT16", "int32": "INT32"}
_VERSIONS = {"DEQUANTIZE": 3}
"""Of an operator: the first that takes halves"""
Floats = npt.NDArray[np.float32]


def write(layers: Sequence[tuple[Floats, Floats]], name: str) -> bytes:
    """[1, T, 96] -> [1, 1]: flatten, fully connected layers with ReLU between, a sigmoid.

    Weights are (out, in), stored as halves where that loses nothing. Raises MissingExtraError without the
    packages `tflite` and `flatbuffers`.
    """
    try:
        import flatbuffers
        import tflite
    except ImportError as error:
        raise MissingExtraError("tflite", "training") from error
    file = _File(flatbuffers.Builder(1 << 16), tflite)
    features = layers[0][0].shape[1]
    entry = file.tensor("x", (1, features // 96, 96))
    flat = file.tensor("flat", (1, features))
    shape = file.tensor("shape", (2,), np.array([1, features], np.int32))
    file.operator("RESHAPE", [entry, shape], flat)
    here = flat
    for number, (weight, bias) in enumerate(layers):
        out = file.tensor(f"layer{number}", (1, len(bias)))
        constants = [file.weight(f"weight{number}", weight), file.tensor(f"bias{number}", bias.shape, bias)]
        file.operator("FULLY_CONNECTED", [here, *constants], out, relu=number < len(layers) - 1)
        here = out
    score = file.tensor("score", (1, 1))
    file.operator("LOGISTIC", [here], score)
    return file.finish(entry, score, name)


class _File:
    """Tables of a TFLite model, children before parents as flatbuffers wants them."""

    def __init__(self, builder: Any, schema: Any) -> None:
        self._b, self._s = builder, schema
        self._buffers = [self._buffer(None)]  # number 0 means no data
        self._tensors: list[int] = []
        self._operators: list[int] = []
        self._codes: list[str] = []

    def _buffer(self, data: bytes | None) -> int:
        b, s = self._b, self._s
        if data is not None:
            b.StartVector(1, len(data), 16)  # TFLite reads floats where they lie
            b.head -= len(data)
            b.Bytes[b.head : b.head + len(data)] = data
            vector = b.EndVector()
        s.BufferStart(b)
        if data is not None:
            s.BufferAddData(b, vector)
        return s.BufferEnd(b)

    def tensor(self, name: str, shape: Sequence[int], values: npt.NDArray[Any] | None = None) -> int:
        """Its number; a constant of its own type where `values` are given, else float32."""
        b, s, number = self._b, self._s, 0
        if values is not None:
            number = len(self._buffers)
            self._buffers.append(self._buffer(np.ascontiguousarray(values).tobytes()))
        kind = _KINDS[values.dtype.name if values is not None else "float32"]
        title, dims = b.CreateString(name), self._numbers(shape)
        s.TensorStart(b)
        s.TensorAddShape(b, dims)
        s.TensorAddType(b, getattr(s.TensorType, kind))
        s.TensorAddBuffer(b, number)
        s.TensorAddName(b, title)
        self._tensors.append(s.TensorEnd(b))
        return len(self._tensors) - 1

    def weight(self, name: str, values: Floats) -> int:
        """A constant to compute with in float32."""
        if (small := halves(values)) is None:
            return self.tensor(name, values.shape, values)
        stored, whole = self.tensor(f"{name}.half", values.shape, small), self.tensor(name, values.shape)
        self.operator("DEQUANTIZE", [stored], whole)
        return whole

    def operator(self, kind: str, inputs: Sequence[int], output: int, relu: bool = False) -> None:
        b, s = self._b, self._s
        if kind not in self._codes:
            self._codes.append(kind)
        options = None
        if kind == "FULLY_CONNECTED":
            s.FullyConnectedOptionsStart(b)
            activation = s.ActivationFunctionType
            s.FullyConnectedOptionsAddFusedActivationFunction(b, activation.RELU if relu else activation.NONE)
            options = s.FullyConnectedOptionsEnd(b)
        taken, given = self._numbers(inputs), self._numbers([output])
        s.OperatorStart(b)
        s.OperatorAddOpcodeIndex(b, self._codes.index(kind))
        s.OperatorAddInputs(b, taken)
        s.OperatorAddOutputs(b, given)
        if options is not None:
            s.OperatorAddBuiltinOptionsType(b, s.BuiltinOptions.FullyConnectedOptions)
            s.OperatorAddBuiltinOptions(b, options)
        self._operators.append(s.OperatorEnd(b))

    def finish(self, entry: int, score: int, name: str) -> bytes:
        b, s = self._b, self._s
        taken, given = self._numbers([entry]), self._numbers([score])
        tensors, operators = self._tables(self._tensors), self._tables(self._operators)
        s.SubGraphStart(b)
        s.SubGraphAddTensors(b, tensors)
        s.SubGraphAddInputs(b, taken)
        s.SubGraphAddOutputs(b, given)
        s.SubGraphAddOperators(b, operators)
        graphs = self._tables([s.SubGraphEnd(b)])
        codes = self._tables([self._code(kind) for kind in self._codes])
        buffers, title = self._tables(self._buffers), b.CreateString(name)
        s.ModelStart(b)
        s.ModelAddVersion(b, _VERSION)
        s.ModelAddOperatorCodes(b, codes)
        s.ModelAddSubgraphs(b, graphs)
        s.ModelAddDescription(b, title)
        s.ModelAddBuffers(b, buffers)
        b.Finish(s.ModelEnd(b), b"TFL3")
        return bytes(b.Output())

    def _code(self, kind: str) -> int:
        b, s, number = self._b, self._s, getattr(self._s.BuiltinOperator, kind)
        s.OperatorCodeStart(b)
        s.OperatorCodeAddDeprecatedBuiltinCode(b, number)
        s.OperatorCodeAddBuiltinCode(b, number)
        s.OperatorCodeAddVersion(b, _VERSIONS.get(kind, 1))
        return s.OperatorCodeEnd(b)

    def _numbers(self, values: Sequence[int]) -> int:
        return self._b.CreateNumpyVector(np.array(values, np.int32))

    def _tables(self, offsets: Sequence[int]) -> int:
        self._b.StartVector(4, len(offsets), 4)
        for offset in reversed(offsets):
            self._b.PrependUOffsetTRelative(offset)
        return self._b.EndVector()
