"""The same checkpoint by `optimum-cli export onnx` alone, measured beside ours in the same run."""

import subprocess
import sys
import tempfile
from pathlib import Path

from export.models import variants
from export.models.checkpoint import Checkpoint
from export.models.samples import Samples
from export.models.variants import Truth, Variant
from runtime.contracts.errors import ExportError

LIMIT_S = 1_800


def measure(checkpoint: Checkpoint, samples: Samples, truth: Truth, scratch: Path) -> Variant:
    """Size, latency, parity and figure of its file. ExportError where it cannot export this checkpoint."""
    file = export(checkpoint.folder, checkpoint.task.optimum, scratch)
    return variants.measure(checkpoint, file, "fp32", "optimum-cli alone", samples, truth)


def export(folder: Path, task: str, scratch: Path) -> Path:
    """Its `model.onnx` of the checkpoint in `folder`, below `scratch`; `task` as optimum calls it."""
    out = Path(tempfile.mkdtemp(dir=scratch))
    optimum = str(Path(sys.executable).with_name("optimum-cli"))
    line = [optimum, "export", "onnx", "--task", task, "--model", str(folder), str(out)]
    try:
        subprocess.run(line, check=True, capture_output=True, text=True, timeout=LIMIT_S)
    except (OSError, subprocess.SubprocessError) as error:
        said = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
        last = said[-1] if said else type(error).__name__
        raise ExportError(f"optimum-cli alone cannot export {folder} ({last}); leave out --peer") from error
    return out / "model.onnx"
