"""Each model of the starter as torch, as float ONNX and as it is shipped, side by side on real inputs.

    EVERPAW_DATA=... python -m export.models.starter [--only asr] [--peer] [--json]

Golden inputs are real recordings and sentences that no training has seen; the task's own figure is counted by
the robot's own code around whichever network answers. Files are timed in turns, one thread each, so that
other work of the machine falls on all alike. `--peer` adds what `optimum-cli export onnx` alone makes of the
models that it can export. Exit 1 where a shipped file misses a threshold.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from export.models import graph, hearing, peer, reading
from export.models.parity import compare, metric_misses, misses
from export.models.part import Part
from export.models.timing import in_turns_ms
from runtime.contracts.errors import ConfigError
from runtime.engines import Engine

PARTS: dict[str, Callable[[Path], Part]] = {
    "asr": hearing.asr, "wake": hearing.wake, "stop": hearing.stop,
    "behaviour": reading.behaviour, "reader": reading.reader, "dialogue": reading.dialogue,
}  # fmt: skip
PEER = "optimum-cli"


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m export.models.starter", description="Parity of the starter."
    )
    parser.add_argument("--only", choices=PARTS, help="one model")
    parser.add_argument(
        "--peer", action="store_true", help="optimum-cli's own file beside, where it makes one"
    )
    parser.add_argument("--json", action="store_true", help="one object a line")
    args = parser.parse_args(argv)
    if not os.environ.get("EVERPAW_DATA"):
        raise ConfigError("real recordings are needed: set EVERPAW_DATA")
    torch.set_num_threads(1)
    missed = 0
    for name in [args.only] if args.only else PARTS:
        row = measure(PARTS[name](Path(os.environ["EVERPAW_DATA"])), args.peer)
        missed += bool(row["misses"])
        print(json.dumps(row) if args.json else _line(row), flush=True)
    return int(missed > 0)


def measure(part: Part, with_peer: bool = False) -> dict[str, Any]:
    """Parity of float ONNX and of the shipped file with torch, the figures of all, bytes and milliseconds."""
    answers = [part.torch(one) for one in part.inputs]
    meant, words = part.judge(part.torch)
    row: dict[str, Any] = {"model": part.name, "golden": len(part.inputs), "misses": []}
    row["torch"] = {"figures": meant, "told": words}
    with tempfile.TemporaryDirectory() as scratch:
        files = _files(part, Path(scratch), with_peer)
        ask = {name: part.ask(Engine(path)) for name, path in files.items()}
        for name, answer in ask.items():
            found = compare(answers, [answer(one) for one in part.inputs])
            figures, words = part.judge(answer)
            row[name] = {"parity": found.figures, "figures": figures, "told": words}
            row[name]["bytes"] = files[name].stat().st_size
            missed = misses(found, part.precision if name == "shipped" else "fp32")
            missed += metric_misses(part.name, meant, figures)
            row["misses"] += [f"{name}: {miss}" for miss in missed if name != PEER]
        for name, took_ms in in_turns_ms(ask, part.inputs).items():
            row[name]["ms"] = round(took_ms, 3)
    return row


def _files(part: Part, scratch: Path, with_peer: bool) -> dict[str, Path]:
    files = {"onnx": scratch / "float.onnx", "shipped": part.file}
    with graph.quiet():
        part.write(files["onnx"])
        if with_peer and part.checkpoint:
            part.checkpoint(scratch / "checkpoint")
    if with_peer and part.checkpoint:
        files[PEER] = peer.export(scratch / "checkpoint", "text-generation-with-past", scratch)
    return files


def _line(row: dict[str, Any]) -> str:
    lines = [f"{row['model']}, {row['golden']} golden inputs", f"  torch       {row['torch']['told']}"]
    for name in ("onnx", "shipped", PEER):
        if name in row:
            found = row[name]
            parity, cost = found["parity"], f"{found['bytes']:,} bytes, {found['ms']:.2f} ms"
            same = f"cosine {parity['cosine']:.6f}, same {100 * parity['agreement']:.2f} %"
            lines.append(f"  {name:<11} max abs {parity['max_abs']:.2g}, {same}; {cost}; {found['told']}")
    return "\n".join([*lines, *(f"  ✗ {miss}" for miss in row["misses"])])


if __name__ == "__main__":
    sys.exit(main())
