"""Where a shipped model comes from: `NAME.provenance.json` beside `NAME.onnx`.

From the data, by hash, to the checkpoint, by hash, to the file, and what was measured of it. Recipes and the
exporter write it, the packer takes it into the manifest.
"""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from runtime.contracts.errors import TrainingError
from runtime.contracts.pack import Sha256, file_sha256

SUFFIX = ".provenance.json"
CHECKPOINT = "provenance.json"
"""In a checkpoint's folder; `everpaw export` takes it into the provenance of what it writes"""


class Provenance(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    precision: str = "fp32"
    licence: str = "Apache-2.0"
    command: str = ""
    datasets: dict[str, Sha256] = {}
    """Name -> sha256 of each set it was trained on"""
    checkpoint_sha256: Sha256 | None = None
    metrics: dict[str, float] = {}
    """Of the file that is shipped"""
    metrics_float: dict[str, float] = {}
    """Of the checkpoint"""
    parity: dict[str, float] = {}
    """How the file's answers differ from the checkpoint's, on golden inputs"""
    misses: tuple[str, ...] = ()
    """Thresholds it misses, accepted by who exported it"""
    unknown: tuple[str, ...] = ()
    """What of all this cannot be told any more, in sentences"""
    model_sha256: Sha256 | None = None
    """Of the file that this tells of"""


def beside(model: Path) -> Path:
    return model.with_name(model.stem + SUFFIX)


def write(model: Path, provenance: Provenance) -> None:
    """Whole or not at all; bound to the bytes of `model`, which stands there already."""
    _write(beside(model), provenance.model_copy(update={"model_sha256": file_sha256(model)}))


def write_in(checkpoint: Path, datasets: Mapping[str, Path], command: str) -> None:
    """What the checkpoint of this folder learned from, by hash."""
    _write(checkpoint / CHECKPOINT, Provenance(command=command, datasets=_hashes(datasets)))


def read(model: Path) -> Provenance | None:
    """None where nobody wrote one; TrainingError for one that cannot be used, or is of another file."""
    found = _read(beside(model))
    if found and found.model_sha256 not in (None, file_sha256(model)):
        raise TrainingError(
            f"{beside(model)} tells of another {model.name} than the one beside it; make the model again "
            "with its recipe, or take that file away"
        )
    return found


def read_in(checkpoint: Path) -> Provenance | None:
    """The same, of a checkpoint's folder."""
    return _read(checkpoint / CHECKPOINT)


def _write(path: Path, provenance: Provenance) -> None:
    draft = path.with_suffix(".new")
    draft.write_text(provenance.model_dump_json(indent=1, exclude_unset=True) + "\n", encoding="utf-8")
    draft.replace(path)


def _read(path: Path) -> Provenance | None:
    if not path.is_file():
        return None
    try:
        return Provenance.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise TrainingError(
            f"{path} is damaged ({error.errors()[0]['msg']}); export the model again"
        ) from error


def sha256_of(path: Path) -> str:
    """Of a file's bytes; of a folder, all its files with their names, wherever the folder stands."""
    if path.is_file():
        return file_sha256(path)
    files = sorted(p for p in path.rglob("*") if p.is_file())
    lines = (f"{file_sha256(file)}  {file.relative_to(path).as_posix()}\n" for file in files)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def corpora(*names: str) -> dict[str, Path]:
    """Those of these folders and files that EVERPAW_DATA holds, by name; none where it is unset."""
    root = os.environ.get("EVERPAW_DATA")
    return {name: Path(root) / name for name in names if (Path(root) / name).exists()} if root else {}


def own(*names: str) -> dict[str, Path]:
    """Data that stands in this repository, beside the code that reads it."""
    folder = Path(__file__).parent / "data"
    return {name: folder / name for name in names}


def record(
    model: Path,
    checkpoint: Path,
    datasets: Mapping[str, Path],
    command: str,
    precision: str = "fp32",
    metrics: Mapping[str, float] | None = None,
) -> None:
    """Write where `model` comes from, each set of data and the checkpoint by hash, and what it measured."""
    write(
        model,
        Provenance(
            precision=precision, command=command, datasets=_hashes(datasets),
            checkpoint_sha256=sha256_of(checkpoint), metrics=dict(metrics or {}),
        ),
    )  # fmt: skip


def _hashes(datasets: Mapping[str, Path]) -> dict[str, str]:
    return {name: sha256_of(path) for name, path in datasets.items()}
