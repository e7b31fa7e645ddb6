"""`everpaw export` of what our own recipes left: a wake or stop head, a recogniser, a behaviour, a reader.

The network stands in torch again, from the checkpoint beside the folder (`OUT.work`) where it is still there,
else from the file's own weights. Inputs and figures are those of `part`; what the robot reads beside the
model goes along.
"""

import argparse
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from export.models import folder, graph, hearing, pareto, reading, variants
from export.models.parity import Answers, compare, metric_misses, misses
from export.models.part import Part
from export.models.variants import Variant
from runtime.contracts.errors import ConfigError, ExportError
from runtime.engines import Engine
from training import provenance

MARKS: dict[str, Callable[[Path, Path], Part]] = {
    "asr.json": hearing.asr,
    "behaviour.json": reading.behaviour,
    "reader.json": reading.reader,
}
"""What stands beside `model.onnx` -> who makes it ready: (EVERPAW_DATA, folder) -> part"""
_EQUAL = 1e-4
"""A TFLite twin may differ from its head by so much"""
_NOT_OURS = ("samples", "teacher", "heal", "peer")


def finder(path: Path) -> Callable[[Path], Part] | None:
    """Makes the part of `path` ready, given EVERPAW_DATA; None where no recipe of ours left it."""
    if path.suffix == ".onnx" and path.is_file():
        return lambda data: hearing.head(data, path)
    for mark, make in MARKS.items():
        if (path / mark).is_file() and (path / "model.onnx").is_file():
            return lambda data, make=make: make(data, path)  # type: ignore[misc]
    return None


def run(args: argparse.Namespace, find: Callable[[Path], Part]) -> dict[str, Any]:
    """Fill `args.out`, whole or not at all; what was measured."""
    if given := [f"--{name}" for name in _NOT_OURS if getattr(args, name)]:
        raise ExportError(f"{', '.join(given)}: only for a checkpoint of transformers; leave it out")
    if args.prune != type(args.prune)():
        raise ExportError("--prune: only for a checkpoint of transformers; leave it out")
    if not os.environ.get("EVERPAW_DATA"):
        raise ConfigError("real recordings and sentences prove this model: set EVERPAW_DATA")
    part = find(Path(os.environ["EVERPAW_DATA"]))
    with tempfile.TemporaryDirectory(dir=args.out.parent, prefix=f".{args.out.name}.") as name:
        scratch = Path(name)
        made = _variants(part, args.precision, args.target, scratch)
        chosen = variants.choose(made, args.accept_miss)
        if args.plot:
            pareto.draw(made, chosen, part.name, args.plot)
        report = {
            "checkpoint_sha256": _origin(part).checkpoint_sha256, "family": "everpaw", "task": part.name,
            "exporter": "everpaw", "target": args.target, "samples": "EVERPAW_DATA",
            "metrics_float": part.judge(part.torch)[0], "rule": variants.RULE, "chosen": chosen.precision,
            "variants": [one.row for one in made],
        }  # fmt: skip
        _fill(scratch / "out", part, made, chosen, report)
        if args.out.exists():
            args.out.rmdir()
        (scratch / "out").rename(args.out)
    return report


def _variants(part: Part, precisions: Sequence[str], target: str, scratch: Path) -> list[Variant]:
    float_file = scratch / "float.onnx"
    with graph.quiet():
        part.write(float_file)
    answers = [part.torch(one) for one in part.inputs]
    meant, _ = part.judge(part.torch)
    facts = Engine(part.file).metadata

    def prove(path: Path, precision: str, way: str) -> Variant:
        graph.tag(path, facts | {"precision": precision})
        return _measured(part, path, precision, way, answers, meant)

    calibrate = part.feeds(part.spare, Engine(float_file).inputs[0])
    made = [variants.make(float_file, precision, target, calibrate, prove) for precision in precisions]
    return variants.timed(made, lambda path: part.ask(Engine(path)), part.inputs)


def _measured(
    part: Part, path: Path, precision: str, way: str, answers: Answers, meant: dict[str, float]
) -> Variant:
    answer = part.ask(Engine(path))
    parity = compare(answers, [answer(one) for one in part.inputs])
    figures, _ = part.judge(answer)
    missed = misses(parity, precision) + metric_misses(part.name, meant, figures)
    return Variant(precision, way, path, path.stat().st_size, parity, figures, tuple(missed))


def _origin(part: Part) -> provenance.Provenance:
    found = provenance.read(part.file) or provenance.Provenance()
    known = found.checkpoint_sha256 or provenance.sha256_of(part.file)
    return found.model_copy(update={"checkpoint_sha256": known})


def _fill(out: Path, part: Part, made: Sequence[Variant], chosen: Variant, report: dict[str, Any]) -> None:
    """The chosen model under its own name, with what it is read with; `variants/`; `export.json` last."""
    out.mkdir()
    head = part.name in ("wake", "stop")
    for file in part.file.parent.iterdir():
        twin = file.suffix == ".tflite"
        with_it = file.stem == part.file.stem if head else not file.name.endswith(provenance.SUFFIX)
        if file.is_file() and with_it and file != part.file and (chosen.parity.max_abs <= _EQUAL or not twin):
            shutil.copyfile(file, out / file.name)
    for one in made:
        target = out / (part.file.name if one is chosen else f"variants/{one.precision}.onnx")
        target.parent.mkdir(exist_ok=True)
        shutil.copyfile(one.path, target)
        told = {
            "precision": one.precision, "metrics": one.metrics, "metrics_float": report["metrics_float"],
            "parity": one.parity.figures, "misses": one.misses,
        }  # fmt: skip
        provenance.write(target, _origin(part).model_copy(update=told))
    (out / folder.REPORT).write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
