"""A trained network's weights as a file: the same weights, the same bytes."""

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import save_file


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
