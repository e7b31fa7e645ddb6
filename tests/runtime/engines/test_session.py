"""The engine's manners: clear errors, no telemetry."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from runtime import starter
from runtime.contracts.errors import PackError
from runtime.engines import Engine

_RUN_ONE = """
import sys
from pathlib import Path
from runtime.engines import Engine
Engine(Path(sys.argv[1]))
"""


def test_a_file_that_is_no_model_is_told(tmp_path: Path) -> None:
    broken = tmp_path / "model.onnx"
    broken.write_bytes(b"not a model")
    with pytest.raises(PackError, match="not a usable ONNX model"):
        Engine(broken)


def test_running_a_model_leaves_no_telemetry_behind(tmp_path: Path) -> None:
    """With telemetry on, onnxruntime writes a session id into the temporary folder as it starts."""
    model = starter.load_pack().files("stop", ".onnx")[0]
    home = tmp_path / "home"
    home.mkdir()
    environment = {k: v for k, v in os.environ.items() if k != "ORT_DISABLE_TELEMETRY" and k != "CI"}
    environment |= {"TMPDIR": str(tmp_path), "HOME": str(home)}
    subprocess.run([sys.executable, "-c", _RUN_ONE, str(model)], env=environment, check=True)
    assert [p.name for p in tmp_path.rglob("*")] == ["home"]
