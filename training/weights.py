"""A trained network's weights as a file: the same weights, the same bytes."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx.numpy_helper import to_array
from safetensors.torch import save_file

from training.stored import BYTES, HALF, SCALES


def keep(weights: Mapping[str, torch.Tensor], folder: Path) -> Path:
    """`checkpoint.safetensors` in `folder`, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "checkpoint.safetensors"
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
    return {name.removesuffix(HALF): values for name, values in found.items()}
