"""Where a robot keeps what it must not lose: its life, and what it knows of its people."""

import os
from pathlib import Path


def data_folder(robot_id: str) -> Path:
    """The robot's own below XDG_DATA_HOME, or `~/.local/share` where that is unset."""
    data = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(data).expanduser() / "everpaw" / robot_id
