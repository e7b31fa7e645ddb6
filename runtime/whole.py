"""A file is written whole or not at all: beside its place first, then into it."""

import os
from pathlib import Path


def put(path: Path, data: bytes, mode: int = 0o600) -> None:
    """`data` in the place of what `path` held; OSError leaves the old one, as a full disk or a kill does."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def drafts(path: Path) -> list[Path]:
    """What a killed process may have left beside `path`."""
    return [found for found in path.parent.glob(".*") if found.name.startswith(f".{path.name}.")]
