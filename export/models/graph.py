"""A float ONNX graph of a checkpoint: by optimum's exporter, or by torch's own where optimum has no way."""

import contextlib
import io
import logging
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import onnx
import torch
import transformers
from optimum.exporters.onnx import onnx_export_from_model
from optimum.exporters.tasks import TasksManager

from export.models import whisper
from export.models.checkpoint import TASKS, Checkpoint, Task
from runtime.contracts.errors import ExportError
from training.dialogue.export import export as export_flat_cache

_TABLES = {
    "AutoModelForCausalLM": "MODEL_FOR_CAUSAL_LM_MAPPING_NAMES",
    "AutoModelForCTC": "MODEL_FOR_CTC_MAPPING_NAMES",
    "AutoModelForSequenceClassification": "MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES",
    "AutoModel": "MODEL_MAPPING_NAMES",
}


def write(checkpoint: Checkpoint, path: Path) -> str:
    """`path` as float32 ONNX with free axes, a causal model with its cache; who made it.

    ExportError where neither optimum nor we have a way for this family.
    """
    if isinstance(checkpoint.model, whisper.Ears):
        with quiet():
            whisper.write(checkpoint.model, path)
        return "torch.export"
    if can(checkpoint.family, checkpoint.task):
        _by_optimum(checkpoint, path)
        return "optimum"
    if checkpoint.task.name != "dialogue":
        raise ExportError(
            f"optimum has no way to export {checkpoint.family} for {checkpoint.task.optimum}; "
            "`everpaw export --families` tells what it can"
        )
    export_flat_cache(checkpoint.model, path)
    return "torch.export"


def can(family: str, task: Task) -> bool:
    """Does optimum know how?"""
    try:
        known = TasksManager.get_supported_tasks_for_model_type(family, "onnx", library_name="transformers")
    except KeyError:
        return False
    return task.optimum in known


def families() -> dict[str, dict[str, list[str]]]:
    """Task -> families of transformers that optimum exports, and those it does not."""
    tables = transformers.models.auto.modeling_auto
    found: dict[str, dict[str, list[str]]] = {}
    for task in {task.name: task for task in TASKS.values()}.values():
        names = sorted(getattr(tables, _TABLES[task.loader]))
        able = [name for name in names if can(name, task)]
        found[task.name] = {"can": able, "cannot": [name for name in names if name not in able]}
    return found


def _by_optimum(checkpoint: Checkpoint, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as scratch, quiet(), torch.no_grad():
        onnx_export_from_model(
            checkpoint.model, Path(scratch), task=checkpoint.task.optimum, do_validation=False
        )
        made = sorted(p.name for p in Path(scratch).glob("*.onnx*"))
        if made != ["model.onnx"]:
            raise ExportError(f"{checkpoint.folder} gives {made}, not one file of less than 2 GB")
        (Path(scratch) / "model.onnx").replace(path)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Without the tracers' warnings; errors still come out."""
    with (
        warnings.catch_warnings(),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        warnings.simplefilter("ignore")
        logging.disable(logging.WARNING)
        try:
            yield
        finally:
            logging.disable(logging.NOTSET)


def tag(path: Path, facts: dict[str, str]) -> None:
    """Write `facts` into the file's metadata; what stood there under other names stays."""
    model = onnx.load(str(path))
    kept = {entry.key: entry.value for entry in model.metadata_props}
    onnx.helper.set_model_props(model, {**kept, **facts})
    onnx.save(model, str(path))


def has(path: Path, *kinds: str) -> bool:
    """Is there a node of one of these kinds?"""
    graph = onnx.load(str(path), load_external_data=False).graph
    return any(node.op_type in kinds for node in graph.node)
