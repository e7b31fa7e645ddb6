"""Batches of clips on disk, named by the hash of all that shapes them, so a second training starts where the
first one was: the order, the words, the voices installed, the programs that make sound of them.
"""

import hashlib
import os
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from training.data import voices
from training.data.speech import cache_folder

Fields = tuple[npt.NDArray[np.float32], float, str, str]
"""Embeddings (steps, 96), end in seconds, kind, text"""
_HERE = Path(__file__).parents[1]
_SHAPERS = (
    *("wake/clips.py", "wake/ends.py", "asr/align.py"),
    *(f"data/{name}.py" for name in ("augment", "noise", "voices", "animals", "embeddings", "sentences")),
)


def place(order: object, words: object | None) -> Path:
    """Where the order's clips are kept; `words` only where they matter."""
    files = [(file, *_stat(Path(file))) for file in getattr(order, "files", ())]
    key = hashlib.sha256(repr((order, words, files, _surroundings())).encode()).hexdigest()
    return cache_folder().parent / "wake" / f"{key[:32]}.npz"


def _stat(path: Path) -> tuple[int, ...]:
    paths = sorted(path.rglob("*")) if path.is_dir() else [path]
    return tuple(n for p in paths for n in (p.stat().st_size, p.stat().st_mtime_ns))


@cache
def _surroundings() -> str:
    programs = b"".join((_HERE / name).read_bytes() for name in _SHAPERS)
    spoken = repr((voices.all_voices(), os.environ.get("EVERPAW_DATA")))
    return hashlib.sha256(programs + spoken.encode()).hexdigest()


def load(path: Path) -> list[Fields] | None:
    """None where nothing whole is there."""
    try:
        with np.load(path) as kept:
            lengths, rows = kept["lengths"], kept["rows"].astype(np.float32)
            ends, kinds, texts = kept["ends"], kept["kinds"], kept["texts"]
    except (OSError, ValueError, KeyError, EOFError):
        return None
    pieces = np.split(rows, np.cumsum(lengths)[:-1])
    return [(p, float(e), str(k), str(t)) for p, e, k, t in zip(pieces, ends, kinds, texts, strict=True)]


def save(path: Path, clips: list[Fields]) -> None:
    """Whole or not at all; an embedding's 12 in half precision is exact to a hundredth."""
    if not clips:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
        np.savez(
            file,
            rows=np.concatenate([c[0] for c in clips]).astype(np.float16),
            lengths=[len(c[0]) for c in clips],
            ends=[c[1] for c in clips],
            kinds=[c[2] for c in clips],
            texts=[c[3] for c in clips],
        )
    os.replace(file.name, path)
