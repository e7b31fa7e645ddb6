"""A trained network's weights as a file: the same weights, the same bytes."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx.numpy_helper import to_array
from safetensors.torch import save_file

from training.stored import BYTES, HALF, SCALES

NAME = "checkpoint.safetensors"
NIBBLES = "_Q4"
"""What onnxruntime's quantiser to blocks of 4 bits puts behind a weight's name"""


def keep(weights: Mapping[str, torch.Tensor], folder: Path) -> Path:
    """`NAME` in `folder`, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / NAME
    draft = path.with_suffix(".part")
    save_file({name: value.detach().contiguous() for name, value in weights.items()}, draft)
    draft.replace(path)
    return path


def beside(out: Path) -> Path:
    """Where the checkpoint of what is shipped in `out` stands: not in it, so that no pack takes it along."""
    return out.with_name(f"{out.name}.work")


def shipped(path: Path) -> dict[str, np.ndarray]:
    """Name -> values in float32 of a file's weights, however they are stored."""
    found = {entry.name: to_array(entry) for entry in onnx.load(str(path)).graph.initializer}
    for name in [name for name in found if name.endswith(BYTES)]:
        plain = name.removesuffix(BYTES)
        blocks = found.pop(name) * found.pop(f"{plain}{SCALES}")
        found[plain] = blocks.reshape(found.pop(f"{plain}.shape"))
    for name in [name for name in found if name.endswith(NIBBLES)]:
        plain = name.removesuffix(NIBBLES)
        found[plain] = _unfolded(found.pop(name), found.pop(f"{plain}_scales"))
    return {
        name.removesuffix(HALF): values.astype(np.float32) if name.endswith(HALF) else values
        for name, values in found.items()
    }


def _unfolded(packed: np.ndarray, scales: np.ndarray) -> np.ndarray:
    """Float of a table of int4 (rows, K), or of a `MatMulNBits`, two to a byte (rows, blocks, bytes)."""
    if packed.dtype == np.uint8:
        pairs = np.stack([packed & 15, packed >> 4], axis=-1)
        steps = pairs.reshape(len(packed), -1).astype(np.float32) - 8
    else:
        steps = packed.astype(np.float32)
    rows = len(steps)
    return (steps.reshape(rows, scales.shape[-1], -1) * scales[..., None]).reshape(rows, -1)
