"""What an export leaves: the chosen model with what it is read with, the other variants, a report."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from export.models.checkpoint import Checkpoint
from export.models.variants import Variant
from training import provenance
from training.school.examples import OUT_OF_SCOPE

COMPANIONS = ("tokenizer.json", "vocab.json", "preprocessor_config.json")
REPORT, SCHOOL = "export.json", "school.json"


def fill(
    folder: Path, checkpoint: Checkpoint, made: Sequence[Variant], chosen: Variant, report: dict[str, Any]
) -> None:
    """`model.onnx`, `variants/PRECISION.onnx`, each with its provenance; companions; `export.json` last."""
    folder.mkdir()
    for one in made:
        target = folder / ("model.onnx" if one is chosen else f"variants/{one.precision}.onnx")
        target.parent.mkdir(exist_ok=True)
        shutil.copyfile(one.path, target)
        provenance.write(target, _provenance(checkpoint, one, report["metrics_float"]))
    for name in COMPANIONS:
        if (checkpoint.folder / name).is_file():
            shutil.copyfile(checkpoint.folder / name, folder / name)
    _card(checkpoint, folder, chosen)
    (folder / REPORT).write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def _provenance(
    checkpoint: Checkpoint, one: Variant, metrics_float: dict[str, float]
) -> provenance.Provenance:
    known = {
        key: checkpoint.facts[key] for key in ("licence", "command", "datasets") if key in checkpoint.facts
    }
    return provenance.Provenance(
        precision=one.precision, checkpoint_sha256=checkpoint.sha256, metrics=one.metrics,
        metrics_float=metrics_float, parity=one.parity.figures, misses=one.misses, **known,
    )  # fmt: skip


def _card(checkpoint: Checkpoint, folder: Path, chosen: Variant) -> None:
    """The task's settings (`dialogue.json`) with this file's precision, without figures of another file; of a
    checkpoint of the school what the robot's classifier asks for."""
    source = checkpoint.folder / f"{checkpoint.task.name}.json"
    if source.is_file():
        card = json.loads(source.read_text(encoding="utf-8"))
        card |= {"precision": chosen.precision, "metrics": {}}
        (folder / source.name).write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    elif checkpoint.task.name == "behaviour" and (checkpoint.folder / SCHOOL).is_file():
        school = json.loads((checkpoint.folder / SCHOOL).read_text(encoding="utf-8"))
        labels = ["" if label == OUT_OF_SCOPE else label for label in school["labels"]]
        card = {"labels": labels, "temperature": school["temperature"], "threshold": school["threshold"]}
        (folder / "behaviour.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
