"""Where a robot keeps what it must not lose: its life, and what it knows of its people."""

import os
import time
from pathlib import Path

_FIRST_TRUE_S = 1_767_225_600
"""The year 2026"""


def data_folder(robot_id: str) -> Path:
    """The robot's own below XDG_DATA_HOME, or `~/.local/share` where that is unset."""
    data = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(data).expanduser() / "everpaw" / robot_id


def wall_s() -> float | None:
    """Seconds since 1970; None while this computer's clock was never set (it starts in 1970 then)."""
    now_s = time.time()
    return now_s if now_s > _FIRST_TRUE_S else None
