"""`everpaw export CHECKPOINT --out DIR`: ONNX files of a model, proved against it; the best is chosen."""

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from export.models import plan
from runtime.contracts.errors import ExportError

_LINE = "{:<2} {:<9} {:>12} {:>8} {:>8} {:>8} {:>9}  {}"


def main(argv: list[str]) -> int:
    """`everpaw export`."""
    args = _parse(argv)
    if args.families:
        from export.models.graph import families

        print(json.dumps(families()) if args.json else _families_told(families()))
        return 0
    report = run(args)
    print(json.dumps(report) if args.json else table(report))
    return 0


def run(args: argparse.Namespace) -> dict[str, object]:
    """Fill `args.out`, whole or not at all; what was measured."""
    import torch

    from export.models import folder, graph, house, inside, pareto, peer, samples, smaller, variants
    from export.models.checkpoint import load
    from export.models.metrics import figures

    if args.out.exists() and any(args.out.iterdir()):
        raise ExportError(f"{args.out} is not empty; give a new folder")
    torch.set_num_threads(args.threads)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    if find := house.finder(args.checkpoint):
        return house.run(args, find)
    original = load(args.checkpoint)
    given = samples.gather(original, args.samples)
    answers = samples.of_torch(original, given.prove)
    metrics = figures(original, given.prove, answers, answers)
    with tempfile.TemporaryDirectory(dir=args.out.parent, prefix=f".{args.out.name}.") as scratch:
        teacher = load(args.teacher) if args.teacher else None
        small = smaller.make(original, given, args.prune, args.heal, teacher, Path(scratch))
        checkpoint, inputs = small.checkpoint, small.samples
        truth = variants.Truth(samples.of_torch(checkpoint, inputs.prove), answers, metrics)
        float_file = Path(scratch) / "float.onnx"
        maker = graph.write(checkpoint, float_file)

        def prove(path: Path, precision: str, way: str) -> variants.Variant:
            graph.tag(path, inside.facts(checkpoint, precision, args.target))
            return variants.measure(checkpoint, path, precision, way, inputs, truth)

        made = [
            variants.make(float_file, precision, args.target, inputs.calibrate, prove)
            for precision in args.precision
        ]
        if args.peer:
            beside = variants.Truth(answers, answers, metrics)
            made.append(peer.measure(original, given, beside, Path(scratch)))
        made = variants.timed(made, variants.runner, inputs.prove)
        theirs = made.pop() if args.peer else None
        chosen = variants.choose(made, args.accept_miss)
        report: dict[str, object] = {
            "checkpoint_sha256": checkpoint.sha256, "family": checkpoint.family, "task": checkpoint.task.name,
            "exporter": maker, "target": args.target, "samples": inputs.source,
            "metrics_float": truth.metrics, "rule": variants.RULE, "chosen": chosen.precision,
            "variants": [one.row for one in made],
        } | small.facts  # fmt: skip
        if theirs:
            report["peer"] = theirs.row
        if args.plot:
            pareto.draw(made, chosen, f"{checkpoint.task.name} ({checkpoint.family})", args.plot)
        folder.fill(Path(scratch) / "out", checkpoint, made, chosen, report)
        if args.out.exists():
            args.out.rmdir()
        (Path(scratch) / "out").rename(args.out)
    return report


def table(report: dict[str, object]) -> str:
    """One line a variant."""
    lines = [_LINE.format("", "precision", "bytes", "ms", "max abs", "cosine", "same", "task")]
    for row in report["variants"]:  # type: ignore[attr-defined]
        mark = "→" if row["precision"] == report["chosen"] else "✗" if row["misses"] else ""
        lines.append(_line(mark, row["precision"], row))
        lines += [f"   missed: {sentence}" for sentence in row["misses"]]
    if "peer" in report:
        lines.append(_line("", "optimum", report["peer"]))  # type: ignore[arg-type]
    return "\n".join([*lines, f"chosen: {report['chosen']}; {report['rule']}"])


def _line(mark: str, name: str, row: dict[str, Any]) -> str:
    parity, metrics = row["parity"], ", ".join(f"{k} {v:g}" for k, v in row["metrics"].items())
    numbers = f"{row['bytes']:,}", f"{row['latency_ms']:.2f}", f"{parity['max_abs']:.2g}"
    alike = f"{parity['cosine']:.5f}", f"{100 * parity['agreement']:.2f} %"
    return _LINE.format(mark, name, *numbers, *alike, metrics)


def _families_told(found: dict[str, dict[str, list[str]]]) -> str:
    return "\n".join(
        f"{task}: optimum exports {len(parts['can'])} families: {', '.join(parts['can'])}\n"
        f"  and has no way for {len(parts['cannot'])}: {', '.join(parts['cannot'])}"
        for task, parts in found.items()
    )


def _precisions(text: str) -> list[str]:
    known = ("fp32", "fp16", "int8", "int4")
    found = text.split(",")
    if wrong := [name for name in found if name not in known]:
        raise argparse.ArgumentTypeError(f"{', '.join(wrong)}: known are {', '.join(known)}")
    return sorted(set(found), key=known.index)


def _parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="everpaw export", description="ONNX of a trained model, proved against it; the best is chosen."
    )
    parser.add_argument(
        "checkpoint",
        type=Path,
        nargs="?",
        help="folder of transformers, a LoRA adapter, or what our own recipes left: a folder, or HEAD.onnx",
    )
    parser.add_argument("--out", type=Path, help="a new folder")
    parser.add_argument("--precision", type=_precisions, default=["fp32", "int8"], help="fp32,fp16,int8,int4")
    parser.add_argument("--target", choices=("cpu", "cuda", "tensorrt"), default="cpu")
    parser.add_argument("--samples", type=Path, help="folder of recordings, or a file of sentences")
    parser.add_argument(
        "--prune",
        type=plan.parse,
        default=plan.Plan(),
        metavar="heads=N,layers=N,vocabulary",
        help="take out what is least needed",
    )
    parser.add_argument(
        "--teacher", type=Path, help="a larger checkpoint of the same tokenizer to learn from"
    )
    parser.add_argument(
        "--heal", type=int, metavar="STEPS", help="of learning after pruning or from --teacher; 300"
    )
    parser.add_argument("--plot", type=Path, help="a picture of size and latency against the task's figure")
    parser.add_argument(
        "--peer", action="store_true", help="measure optimum-cli's own file beside, in the same run"
    )
    parser.add_argument("--accept-miss", action="store_true", help="ship one that misses a threshold, marked")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--families", action="store_true", help="what optimum can export, and what not")
    parser.add_argument("--json", action="store_true", help="one object")
    args = parser.parse_args(argv)
    if args.threads < 1 or (args.heal or 0) < 0:
        parser.error(f"--threads {args.threads}, --heal {args.heal}: give 1 or more, 0 or more")
    if not args.families and (args.checkpoint is None or args.out is None):
        parser.error("give CHECKPOINT and --out DIR, or --families")
    return args


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
