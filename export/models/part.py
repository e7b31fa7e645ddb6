"""A model of our own recipes, ready to be compared: its network in torch, real inputs, its own figure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load_file

from export.models.metrics import Figures
from export.models.samples import Inputs
from runtime.engines import Engine
from training import weights

Floats = npt.NDArray[np.float32]
Answer = Callable[[Floats], Floats]
"""One input -> what the network makes of it"""
Figure = tuple[Figures, str]
"""A task's own figures, and the same in words"""


def first_output(engine: Engine) -> Answer:
    """Of a network with one input."""
    return lambda one: np.asarray(engine.run({engine.inputs[0]: one})[engine.outputs[0]], np.float32)


@dataclass(frozen=True)
class Part:
    """One model, ready to be compared."""

    name: str
    file: Path
    inputs: Sequence[Floats]
    torch: Answer
    write: Callable[[Path], None]
    """Float ONNX of the torch network"""
    judge: Callable[[Answer], Figure]
    """The task's own figures of any of the three"""
    precision: str = "fp32"
    """Of the shipped file"""
    ask: Callable[[Engine], Answer] = first_output
    """What a file's answer is"""
    tokens: bool = False
    """Its inputs are numbers of tokens"""
    spare: Sequence[Floats] = ()
    """More real inputs, to calibrate with"""
    checkpoint: Callable[[Path], None] | None = None
    """Leaves the network in a folder as a checkpoint of transformers, where optimum-cli takes it"""

    def feeds(self, inputs: Sequence[Floats], name: str) -> list[Inputs]:
        """As a file whose first input is `name` takes them."""
        return [{name: one.astype(np.int64)[None] if self.tokens else one} for one in inputs]


def restore(network: torch.nn.Module, out: Path) -> None:
    """The weights as they were trained, where the recipe that filled `out` left them beside it."""
    kept = weights.beside(out) / weights.NAME
    if kept.is_file():
        network.load_state_dict(load_file(kept))


def of_torch(network: torch.nn.Module) -> Answer:
    @torch.no_grad()
    def answer(one: Floats) -> Floats:
        return network(torch.from_numpy(np.ascontiguousarray(one))).numpy()

    return answer
