"""A trained head as files: ONNX with its settings inside, TFLite, the settings as JSON, a model card."""

import ctypes as C
import json
import os
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from runtime.audio.heads import WakeHead
from runtime.contracts.errors import TrainingError
from training.stored import HALF
from training.wake import tflite
from training.wake.head import Head, halves
from training.wake.plan import Plan

_OPSET, _IR_VERSION = 17, 8
_EQUAL = 1e-4
Floats = npt.NDArray[np.float32]


def save_head(
    head: Head, out: Path, name: str, threshold: float, plan: Plan, report: dict[str, object]
) -> Path:
    """Write `out/NAME.onnx`, `.tflite` and `.json`; path of the first.

    Both networks are read back by the programs that will run them and compared with the trained one before
    they get their names; TrainingError where one differs.
    """
    out.mkdir(parents=True, exist_ok=True)
    stem = name.replace(" ", "_")
    settings = {
        "name": name,
        "threshold": threshold,
        "patience": plan.patience,
        "refractory_s": plan.refractory_s,
    }
    model, twin = out / f"{stem}.onnx", out / f"{stem}.tflite"
    drafts = [out / f"{stem}.part.onnx", out / f"{stem}.part.tflite"]
    onnx.save(graph_of(head, settings), drafts[0])
    drafts[1].write_bytes(tflite.write(head.layers, name))
    windows = np.random.default_rng(0).normal(0, 12, (32, head.windows, 96)).astype(np.float32)
    for draft, scores in zip(drafts, (onnx_scores, tflite_scores), strict=True):
        difference = float(np.abs(scores(draft, windows) - head(windows)).max())
        if difference > _EQUAL:
            raise TrainingError(f"{draft} differs by {difference:.2g} from the trained head; report this")
    os.replace(drafts[0], model)
    os.replace(drafts[1], twin)
    described = {**settings, "windows": head.windows, "report": report}
    (out / f"{stem}.json").write_text(json.dumps(described, indent=1, ensure_ascii=False) + "\n")
    return model


def graph_of(head: Head, settings: dict[str, object], small: bool = True) -> onnx.ModelProto:
    """The head as ONNX; `small`: weights stored as halves where that loses nothing."""
    nodes, constants, here = [helper.make_node("Flatten", ["x"], ["flat"])], [], "flat"
    for number, (weight, bias) in enumerate(head.layers):
        names = f"weight{number}", f"bias{number}"
        constants.append(numpy_helper.from_array(bias, names[1]))
        packed = halves(weight) if small else None
        if packed is None:
            constants.append(numpy_helper.from_array(weight, names[0]))
        else:
            constants.append(numpy_helper.from_array(packed, f"{names[0]}{HALF}"))
            nodes.append(helper.make_node("Cast", [f"{names[0]}{HALF}"], [names[0]], to=TensorProto.FLOAT))
        nodes.append(helper.make_node("Gemm", [here, *names], [f"layer{number}"], transB=1))
        here = f"layer{number}"
        if number < len(head.layers) - 1:
            nodes.append(helper.make_node("Relu", [here], [f"relu{number}"]))
            here = f"relu{number}"
    nodes.append(helper.make_node("Sigmoid", [here], ["score"]))
    graph = helper.make_graph(
        nodes,
        "head",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, head.windows, 96])],
        [helper.make_tensor_value_info("score", TensorProto.FLOAT, [1, 1])],
        constants,
    )
    opsets = [helper.make_opsetid("", _OPSET)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION, producer_name="everpaw")
    for key, value in settings.items():
        model.metadata_props.add(key=key, value=str(value))
    onnx.checker.check_model(model)
    return model


def onnx_scores(path: Path, windows: Floats) -> Floats:
    """(B, T, 96) -> (B,) by the robot's own reader."""
    head, found = WakeHead(path), []
    for window in windows:
        found.append([head.step(row) for row in window][-1])
    return np.array(found, np.float32)


def tflite_scores(path: Path, windows: Floats) -> Floats:
    """(B, T, 96) -> (B,) by the TFLite library of pyopen-wakeword."""
    from pyopen_wakeword import OpenWakeWord

    word = OpenWakeWord.from_model(path)
    if not word.interpreter:
        raise TrainingError(f"{path} is not read by pyopen-wakeword; report this")
    found = []
    for window in np.ascontiguousarray(windows, np.float32):
        size, score = C.c_size_t(window.nbytes), C.c_float()
        word.lib.TfLiteTensorCopyFromBuffer(word.input_tensor, window.ctypes.data_as(C.c_void_p), size)
        word.lib.TfLiteInterpreterInvoke(word.interpreter)
        word.lib.TfLiteTensorCopyToBuffer(word.output_tensor, C.byref(score), C.c_size_t(4))
        found.append(score.value)
    return np.array(found, np.float32)


def write_card(head: Path, name: str, threshold: float, plan: Plan, report: dict[str, object]) -> Path:
    """The card goes to `cards/` beside the head's folder; its path."""
    cards = head.parent.parent / "cards"
    cards.mkdir(parents=True, exist_ok=True)
    kind = "stop" if name == "stop" else "wake"
    clips: dict[str, int] = report["clips"]  # type: ignore[assignment]
    figures = {key: value for key, value in report.items() if key.startswith(("missed_", "fired_"))}
    text = _CARD.format(
        name=name,
        kind=kind,
        seed=report["seed"],
        minutes=report["minutes"],
        threshold=threshold,
        patience=plan.patience,
        refractory_s=plan.refractory_s,
        made="\n".join(f"| {key} | {value} |" for key, value in clips.items()),
        real=_REAL if report["real_data"] else "None; every clip is synthetic.\n",
        owner=_OWNER if report["recordings"] else "",
        names_each=report["names_each"],
        figures="\n".join(f"| {key} | {value:.4f} |" for key, value in figures.items()),
    )
    path = cards / f"{kind}.md"
    path.write_text(text)
    return path


_CARD = """# Head "{name}"

Says every 80 ms how likely "{name}" has just ended, from openWakeWord speech embeddings. It hears a name at
{threshold:.4f} or more for {patience} steps in a row, and not again within {refractory_s:g} s.
Weights are stored as halves and computed with in float32, in both files.

Command (seed {seed}; {minutes} minutes, without what the making of clips took that the cache already held):

    python -m training.wake --name "{name}" --out runtime/starter/{kind} --seed {seed}

Licence: Apache-2.0, as the rest of the repository. The embedding networks are not part of it; they come with
pyopen-wakeword (Apache-2.0).

## Clips it was trained on

Synthetic speech by espeak-ng (all English accents and variants), flite, festival and SVOX Pico, with
warped formants, pitch and rate, invented rooms and noises; `name` holds the name, `owner` is its owner
saying it, the others do not hold it.

| kind | clips |
|---|---|
{made}

### Real recordings

{real}{owner}
## Figures on voices it was not trained on

Shares of clips; the threshold was chosen on these same clips, so they flatter. Names: {names_each} clean and
{names_each} in kitchen noise at 10 dB. The picture beside this card shows the other thresholds.

| figure | value |
|---|---|
{figures}
"""
_REAL = """Negatives: LibriSpeech train-clean-100 (CC BY 4.0), Speech Commands v0.01 (CC BY 4.0), Mycroft
Precise community data (public domain), a quarter of the speakers of each. Noise: Picovoice benchmark kitchen
noise (Apache-2.0). Texts to speak: GoEmotions (Apache-2.0), CLINC150 (CC BY 3.0). No recording of the name
itself.
"""
_OWNER = "The owner's recordings of the name.\n"
