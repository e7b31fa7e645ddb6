"""Where a robot keeps what it must not lose: its life, and what it knows of its people."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runtime.contracts.errors import FactError

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


@contextmanager
def in_use(folder: Path, *, alone: bool = False) -> Iterator[None]:
    """This process works with the data of `folder`; `alone`: and no other does, else FactError."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(folder / ".in-use", os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(handle, "a") as file:
        try:
            fcntl.flock(file, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError as error:
            busy = "a robot runs on" if alone else "data are being erased in"
            raise FactError(f"{busy} {folder}; end it first, then try again") from error
        yield
