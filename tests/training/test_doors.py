"""Every recipe that is a folder opens by `python -m training.NAME`, as its card says."""

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="pip install 'everpaw[training]'")
DOORS = sorted(path.parent.name for path in Path(__file__).parents[2].glob("training/*/__main__.py"))


@pytest.mark.parametrize("name", DOORS)
def test_the_door_opens(name: str) -> None:
    line = [sys.executable, "-m", f"training.{name}", "--help"]
    shown = subprocess.run(line, capture_output=True, text=True, timeout=120)
    assert shown.returncode == 0, shown.stderr
    assert "--out" in shown.stdout


def test_a_mistake_at_a_door_is_one_line(tmp_path: Path) -> None:
    line = [sys.executable, "-m", "training.reader", "--start", str(tmp_path), "--out", str(tmp_path / "out")]
    told = subprocess.run(line, capture_output=True, text=True, timeout=120)
    assert told.returncode == 1
    assert told.stderr.startswith(f"everpaw: {tmp_path} holds no encoder")
    assert told.stderr.count("\n") == 1
