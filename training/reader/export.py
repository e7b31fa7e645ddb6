"""From the trained reader to the robot's files: ONNX with small weights, proved to agree with the trained."""

import io
import logging
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from tokenizers import Tokenizer

from runtime.contracts.errors import TrainingError
from runtime.intervals import Share
from runtime.mind.reader import Reader
from training import stored
from training.reader.network import ReaderNet, encode
from training.reader.rounding import BLOCK, rounded

BATCH = 64
OPSET = 21
"""The first with numbers of 4 bits"""


def export(net: ReaderNet, tokenizer: Tokenizer, out: Path) -> None:
    """`model.onnx` (weights of 4 bits) and `tokenizer.json`; free batch and length."""
    out.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as folder:
        whole = Path(folder) / "float.onnx"
        write_float(net, tokenizer, whole)
        _quantise(whole, out / "model.onnx")
    tokenizer.save(str(out / "tokenizer.json"), pretty=False)


def write_float(net: ReaderNet, tokenizer: Tokenizer, path: Path) -> None:
    """`path` as float32 ONNX, as it is before its weights are rounded."""
    inputs = encode(tokenizer, ["one two three", "four"])
    batch, length = torch.export.Dim("batch", min=1, max=512), torch.export.Dim("length", min=2, max=64)
    shapes = {"input_ids": {0: batch, 1: length}, "attention_mask": {0: batch, 1: length}}
    with torch.no_grad(), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        torch.onnx.export(
            net.eval().float(), inputs, str(path), input_names=["input_ids", "attention_mask"],
            output_names=["danger", "feelings"], dynamic_shapes=shapes, dynamo=True, external_data=False,
            opset_version=OPSET, verbose=False,
        )  # fmt: skip


def _quantise(whole: Path, target: Path) -> None:
    """Weights of products and tables to blocks of 4 bits."""
    import onnx
    from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

    logging.getLogger("onnxruntime.quantization").setLevel(logging.WARNING)
    quantiser = MatMulNBitsQuantizer(
        onnx.load(str(whole)), block_size=BLOCK, is_symmetric=True, accuracy_level=4,
        op_types_to_quantize=("MatMul", "Gather"),
    )  # fmt: skip
    quantiser.process()
    stored.bare(quantiser.model.model)
    onnx.save(quantiser.model.model, str(target))


@dataclass(frozen=True, slots=True)
class Parity:
    """Shipped against trained."""

    same: Share
    worst: float
    """Largest difference of a probability of danger"""

    def __str__(self) -> str:
        return f"{self.same} decided alike, at most {self.worst:.2f} apart"


def parity(
    net: ReaderNet, tokenizer: Tokenizer, reader: Reader, golden: Sequence[str], least: float
) -> Parity:
    """Over `golden`, `net` with its weights rounded as it was trained; TrainingError where less than the
    share `least` is decided alike."""
    read = rounded(net)
    shipped = np.array([reader.read(text).danger for text in golden])
    with torch.no_grad():
        logits = [read(*encode(tokenizer, golden[at : at + BATCH]))[0] for at in range(0, len(golden), BATCH)]
    trained = torch.cat(logits).sigmoid().numpy()
    alike = int(((shipped >= reader.threshold) == (trained >= reader.threshold)).sum())
    found = Parity(Share(alike, len(golden)), float(np.abs(shipped - trained).max()))
    if alike < least * len(golden):
        raise TrainingError(f"the shipped reader is not the trained one: {found}; quantise it less")
    return found
