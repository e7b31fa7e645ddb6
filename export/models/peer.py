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
    folder = Path(tempfile.mkdtemp(dir=scratch))
    line = [
        str(Path(sys.executable).with_name("optimum-cli")),
        "export",
        "onnx",
        "--task",
        checkpoint.task.optimum,
    ]
    try:
        subprocess.run(
            [*line, "--model", str(checkpoint.folder), str(folder)],
            check=True, capture_output=True, text=True, timeout=LIMIT_S,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError) as error:
        said = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
        last = said[-1] if said else type(error).__name__
        raise ExportError(
            f"optimum-cli alone cannot export {checkpoint.folder} ({last}); leave out --peer"
        ) from error
    return variants.measure(checkpoint, folder / "model.onnx", "fp32", "optimum-cli alone", samples, truth)
