"""From a trained network to a folder: ONNX that eats plain sound, checked against torch."""

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from transformers import PreTrainedModel

from runtime.contracts.audio import SAMPLE_RATE_HZ
from runtime.contracts.errors import TrainingError
from runtime.engines import Engine
from training.ctc.model import FromSound

OPSET = 17
LARGEST_GAP = 1e-2
"""Nats between torch and the file at the likeliest label, beyond which it is not written"""


def write_onnx(
    model: PreTrainedModel, columns: Sequence[int], path: Path, clips: Sequence[np.ndarray]
) -> float:
    """`samples` (1, N) -> `log_probs` (1, steps, labels); the largest gap to torch on `clips`, in nats.

    Written only where it answers as torch does, to clips of other lengths than the one it was traced with.
    """
    network = FromSound(model.eval(), columns).eval()
    draft = path.with_suffix(".part")
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the older exporter: as exact here, and twenty times as fast
        torch.onnx.export(
            network, (torch.randn(1, SAMPLE_RATE_HZ + 77) / 10,), str(draft), input_names=["samples"],
            output_names=["log_probs"], dynamic_axes={"samples": {1: "samples"}, "log_probs": {1: "steps"}},
            opset_version=OPSET, dynamo=False,
        )  # fmt: skip
    engine = Engine(draft)
    gap = max(_gap(network, engine, clip) for clip in clips)
    if gap > LARGEST_GAP:
        draft.unlink()
        raise TrainingError(
            f"the ONNX file answers otherwise than torch, by {gap:.3f} nats; nothing is written"
        )
    draft.replace(path)
    return gap


@torch.no_grad()
def _gap(network: FromSound, engine: Engine, clip: np.ndarray) -> float:
    samples = np.asarray(clip, np.float32)[None]
    wanted = network(torch.from_numpy(samples)).numpy()
    found = np.asarray(engine.run({"samples": samples})["log_probs"], np.float32)
    best = wanted.argmax(-1)[..., None]
    return float(np.abs(np.take_along_axis(found, best, -1) - np.take_along_axis(wanted, best, -1)).max())
