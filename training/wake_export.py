"""A trained head as files: ONNX with its settings inside, the same settings as JSON, a model card."""

import json
import os
from pathlib import Path

import numpy as np
import onnx
import torch

from runtime.audio.heads import WakeHead
from runtime.contracts.errors import TrainingError


def save_head(
    model: torch.nn.Module,
    out: Path,
    name: str,
    threshold: float,
    patience: int,
    refractory_s: float,
    report: dict[str, object],
) -> Path:
    """Write `out/NAME.onnx` and `.json`; the ONNX file is read back and compared before it gets its name."""
    windows = report["plan"]["windows"]  # type: ignore[index]
    out.mkdir(parents=True, exist_ok=True)
    stem = name.replace(" ", "_")
    model.eval()
    example = torch.from_numpy(np.random.default_rng(0).normal(0, 12, (1, windows, 96)).astype(np.float32))
    program = torch.onnx.export(
        model,
        (example,),
        dynamo=True,
        opset_version=18,
        input_names=["x"],
        output_names=["score"],
        verbose=False,
    )
    proto = program.model_proto
    settings = {"name": name, "threshold": threshold, "patience": patience, "refractory_s": refractory_s}
    del proto.metadata_props[:]
    for part in (
        *proto.graph.node,
        *proto.graph.value_info,
        *proto.graph.input,
        *proto.graph.output,
        proto.graph,
    ):
        del part.metadata_props[:]  # torch writes its stack traces here, with this machine's paths
        part.doc_string = ""
    for key, value in settings.items():
        proto.metadata_props.add(key=key, value=str(value))
    part_path = out / f"{stem}.part"
    onnx.save(proto, part_path)
    _compare(part_path, model, example)
    os.replace(part_path, out / f"{stem}.onnx")
    described = {**settings, "windows": windows, "report": report}
    (out / f"{stem}.json").write_text(json.dumps(described, indent=1) + "\n")
    return out / f"{stem}.onnx"


def _compare(path: Path, model: torch.nn.Module, example: torch.Tensor) -> None:
    head = WakeHead(path)
    shipped = [head.step(row) for row in example[0].numpy()][-1]
    trained = float(model(example).detach()[0, 0])
    if abs(shipped - trained) > 1e-4:
        raise TrainingError(f"the exported head gives {shipped}, the trained one {trained}; report this")


def write_card(head: Path, name: str, report: dict[str, object]) -> None:
    """The card goes to `cards/` beside the head's folder."""
    cards = head.parent.parent / "cards"
    cards.mkdir(parents=True, exist_ok=True)
    kind = "stop" if name == "stop" else "wake"
    clips: dict[str, int] = report["clips"]  # type: ignore[assignment]
    made = "\n".join(f"| {key} | {value} |" for key, value in clips.items())
    figures = "\n".join(
        f"| {key} | {value:.4f} |" for key, value in report.items() if isinstance(value, float)
    )
    real = _REAL if report["real_data"] else "None; every clip is synthetic.\n"
    text = _CARD.format(
        name=name,
        kind=kind,
        made=made,
        figures=figures,
        real=real,
        seed=report["seed"],
        minutes=report["minutes"],
    )
    (cards / f"{kind}.md").write_text(text)


_CARD = """# Head "{name}"

Says every 80 ms how likely "{name}" has just ended, from openWakeWord speech embeddings.

Command (seed {seed}, {minutes} minutes on two cores):

    python -m training.wake --name "{name}" --out runtime/starter/{kind} --seed {seed}

Licence: Apache-2.0, as the rest of the repository. The embedding networks are not part of it; they come with
pyopen-wakeword (Apache-2.0).

## Clips it was trained on

Synthetic speech by espeak-ng (all English accents and variants), flite and festival, with warped formants,
pitch and rate, invented rooms and noises; `name` holds the name, the others do not.

| kind | clips |
|---|---|
{made}

### Real recordings

{real}
## Figures on voices it was not trained on

Shares of clips; the threshold was chosen on these same clips, so they flatter.

| figure | value |
|---|---|
{figures}
"""
_REAL = """Negatives: LibriSpeech train-clean-100 (CC BY 4.0), Speech Commands v0.01 (CC BY 4.0), Mycroft
Precise community data (public domain), a quarter of the speakers of each. Noise: Picovoice benchmark kitchen
noise (Apache-2.0). Texts to speak: GoEmotions (Apache-2.0), CLINC150 (CC BY 3.0). No recording of the name
itself.
"""
