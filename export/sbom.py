"""The pack's bill of materials, `sbom.json`: CycloneDX 1.6, written by its specification.

Every model is a `machine-learning-model` with its card, every other file a `data` component. No time and no
random number enters it: the serial number is made of the content.
"""

import json
import uuid
from collections.abc import Mapping
from typing import Any

from runtime.contracts.pack import PackFile, PackModel

SBOM_NAME = "sbom.json"
_SPACE = uuid.UUID("5f1f4c06-64d5-5d2c-9a0c-5b7f0f9d9c1e")
_SPDX = frozenset(
    {"Apache-2.0", "MIT", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "CC-BY-4.0", "CC-BY-SA-4.0"}
)
"""The licences that are told by their identifier; another is told by its name"""
_TASKS = {
    "wake": "keyword spotting",
    "stop": "keyword spotting",
    "asr": "speech recognition",
    "behaviour": "intent classification",
    "reader": "text classification",
    "mood": "emotion classification",
    "dialogue": "text generation",
}


def sbom(name: str, version: str, files: Mapping[str, PackFile], models: Mapping[str, PackModel]) -> str:
    """JSON text; `version` is that of everpaw, which made the pack."""
    by_file = {model.file: model for model in models.values()}
    components = [_component(path, entry, by_file.get(path)) for path, entry in sorted(files.items())]
    content = json.dumps(components, sort_keys=True)
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(_SPACE, name + content)}",
        "version": 1,
        "metadata": {
            "tools": {"components": [{"type": "application", "name": "everpaw", "version": version}]},
            "component": {"type": "application", "bom-ref": "pack", "name": name},
        },
        "components": components,
    }
    return json.dumps(document, indent=1) + "\n"


def _component(path: str, entry: PackFile, model: PackModel | None) -> dict[str, Any]:
    hashes = [{"alg": "SHA-256", "content": entry.sha256}]
    if model is None:
        return {"type": "data", "bom-ref": path, "name": path, "hashes": hashes}
    return {
        "type": "machine-learning-model",
        "bom-ref": path,
        "name": path,
        "hashes": hashes,
        "licenses": [{"license": {"id" if model.licence in _SPDX else "name": model.licence}}],
        "modelCard": _card(model),
    }


def _card(model: PackModel) -> dict[str, Any]:
    parameters: dict[str, Any] = {
        "task": _TASKS[model.task],
        "inputs": [{"format": f"{name} {shape}"} for name, shape in sorted(model.inputs.items())],
        "outputs": [{"format": f"{name} {shape}"} for name, shape in sorted(model.outputs.items())],
    }
    if model.datasets:
        parameters["datasets"] = [
            {
                "type": "dataset",
                "name": name,
                "contents": {"properties": [{"name": "sha256", "value": digest}]},
            }
            for name, digest in sorted(model.datasets.items())
        ]
    metrics = [
        {"type": name, "value": str(value), "slice": which}
        for which, found in (("shipped", model.metrics), ("float", model.metrics_float))
        for name, value in sorted(found.items())
    ]
    return {"modelParameters": parameters, "quantitativeAnalysis": {"performanceMetrics": metrics}}
