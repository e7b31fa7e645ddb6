"""From a trained network to a folder the robot can load: ONNX, and asr.json with a calibrated confidence."""

import io
import json
import math
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from runtime.mind.grammar import Grammar
from runtime.speech.asr import EVIDENCE, Recogniser, evidence, squeeze
from runtime.speech.features import MELS, describe
from runtime.speech.pronounce import ADDITIONS, DICTIONARY
from runtime.speech.units import UNITS
from training import provenance
from training import weights as weights_file
from training.asr import lexicon
from training.asr.acoustic import Acoustic
from training.asr.acoustic import Recogniser as Network
from training.asr.clips import held_out_clips
from training.asr.texts import PREFIXES, draw_texts, plain_sentences

if TYPE_CHECKING:
    from training.asr.recipe import Settings

NAMES = ("hey buddy", "okay buddy")
FILLER_PENALTY = 2.0
COMMANDS_TO_OTHERS = 2.0
"""How much more often a pet is told a command than anything else; the calibration hears both alike"""
_CALIBRATION_SEED = 101
_LEXICON_WORDS = 6_000
_LARGE = 100.0


def ship(model: Acoustic, settings: "Settings", grammar: Grammar, out: Path, clips: int = 600) -> None:
    """Write model.onnx, then asr.json with a confidence fitted on `clips` held-out synthetic clips."""
    out.mkdir(parents=True, exist_ok=True)
    lexicon.write(out / DICTIONARY)
    (out / ADDITIONS).unlink(missing_ok=True)
    lexicon.write_additions(out, [*grammar.words, *" ".join(NAMES).split()])
    write_onnx(model, out / "model.onnx", {"task": "asr", "settings": json.dumps(asdict(settings))})
    write_settings(out, np.zeros(len(EVIDENCE)), 0.0)
    weights, bias = calibrate(out, grammar, clips)
    write_settings(out, weights, bias)
    sets = provenance.own("everyday.txt", "words.txt", "paraphrases.yaml")
    sets |= provenance.corpora("keywords", "negatives", "noise", "text/goemotions", "text/clinc")
    command = f"python -m training.asr --minutes {settings.minutes:g} --seed {settings.seed}"
    checkpoint = weights_file.keep(model.state_dict(), weights_file.beside(out))
    provenance.record(out / "model.onnx", checkpoint, sets, command, "fp16")
    size = (out / "model.onnx").stat().st_size / 1e6
    print(f"asr: wrote {out} ({size:.1f} MB)", file=sys.stderr)


def write_onnx(model: Acoustic, path: Path, metadata: dict[str, str]) -> None:
    """`features` (1, T, MELS) -> `log_probs` (1, 2 ceil(T / 4), UNITS); weights stored in half precision."""
    network = Network(model).eval()
    buffer = io.BytesIO()
    # the older exporter, because the newer one cannot take a GRU apart
    torch.onnx.export(
        network,
        (torch.zeros(1, 203, MELS),),
        buffer,
        input_names=["features"],
        output_names=["log_probs"],
        dynamic_axes={"features": {1: "frames"}, "log_probs": {1: "steps"}},
        opset_version=17,
        dynamo=False,
    )
    proto = onnx.load_from_string(buffer.getvalue())
    halve(proto)
    for key, value in metadata.items():
        entry = proto.metadata_props.add()
        entry.key, entry.value = key, value
    onnx.save(proto, str(path))


def halve(proto: onnx.ModelProto) -> None:
    """Store large weights as float16, cast back at load: half the file, the same arithmetic.

    Weights of large size (the Gaussians' coefficients) stay as they are: they need the digits.
    """
    graph = proto.graph
    casts = []
    for weight in list(graph.initializer):
        if weight.data_type != TensorProto.FLOAT or np.prod(weight.dims) < 1_000:
            continue
        name, values = weight.name, numpy_helper.to_array(weight)
        if np.abs(values).max() > _LARGE:
            continue
        small = numpy_helper.from_array(values.astype(np.float16), f"{name}.half")
        graph.initializer.remove(weight)
        graph.initializer.append(small)
        casts.append(helper.make_node("Cast", [small.name], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)


def write_settings(
    out: Path, weights: "np.ndarray", bias: float, front_end: Mapping[str, float] | None = None
) -> None:
    sentences = [sentence.split() for sentence in plain_sentences()]
    counts = Counter(word for sentence in sentences for word in sentence)
    words = {word: n for word, n in sorted(counts.most_common(_LEXICON_WORDS)) if n > 1}
    pairs = Counter(
        pair for sentence in sentences for pair in pairwise(sentence) if words.keys() >= set(pair)
    )
    settings = {
        "units": list(UNITS),
        "front_end": front_end or describe(),
        "filler_penalty": FILLER_PENALTY,
        "evidence": list(EVIDENCE),
        "weights": [round(float(w), 4) for w in weights],
        "bias": round(bias, 4),
        "threshold": 0.5,
        "words": words,
        "pairs": {
            " ".join(pair): n for pair, n in sorted(pairs.items()) if n > 1 and words.keys() >= {*pair}
        },
    }
    (out / "asr.json").write_text(json.dumps(settings, separators=(",", ":")) + "\n", encoding="utf-8")


def mixed_clips(grammar: Grammar, n: int, seed: int) -> list[tuple[np.ndarray, str, str | None]]:
    """(samples, text, intent or None) by held-out voices: half commands, half sentences of no grammar."""
    rng = np.random.default_rng(seed)
    commands = grammar.sentences(rng, n // 2)
    others = [
        t for t in draw_texts(grammar, [], 12 * n, seed) if grammar.parse(_bare(t)) is None and t.count(" ")
    ]
    said: list[tuple[str, str | None]] = []
    for (text, intent, _), other in zip(commands, others, strict=False):
        name = f"{PREFIXES[int(rng.integers(len(PREFIXES)))]} " if rng.random() < 0.5 else ""
        said += [(name + text, intent), (other, None)]
    clips = []
    for i, (text, intent) in enumerate(said):
        samples, _ = held_out_clips([text], 1, seed * 100_003 + i, float(rng.uniform(0.0, 1.0)))[0]
        clips.append((samples, text, intent))
    return clips


def _bare(text: str) -> str:
    for name in sorted(PREFIXES, key=len, reverse=True):
        text = text.removeprefix(f"{name} ")
    return text


def calibrate(asr_dir: Path, grammar: Grammar, clips: int) -> tuple[np.ndarray, float]:
    """Weights and bias of the probability that the grammar's best sentence means what was said."""
    recogniser = Recogniser(asr_dir, grammar, prefixes=NAMES)
    rows, right = [], []
    for samples, _, intent in mixed_clips(grammar, clips, _CALIBRATION_SEED):
        log_probs = squeeze(recogniser.log_probs(samples))
        sentences = recogniser.sentences(log_probs, 2)
        if not sentences:
            continue
        parse = grammar.parse(recogniser.without_names(sentences[0].text))
        rows.append(evidence(log_probs, sentences))
        right.append(parse is not None and parse.intent == intent)
    weights, bias = logistic(np.array(rows), np.array(right, dtype=float))
    return weights, bias + math.log(COMMANDS_TO_OTHERS)


def logistic(x: np.ndarray, y: np.ndarray, ridge: float = 1.0) -> tuple[np.ndarray, float]:
    """Ridge-penalised logistic regression by Newton's method."""
    design = np.column_stack([x, np.ones(len(x))])
    w = np.zeros(design.shape[1])
    penalty = ridge * np.diag([1.0] * x.shape[1] + [0.0])
    for _ in range(30):
        p = 1.0 / (1.0 + np.exp(-np.clip(design @ w, -30, 30)))
        slope = design.T @ (p - y) + penalty @ w
        bend = design.T @ (design * (p * (1 - p))[:, None]) + penalty + 1e-6 * np.eye(len(w))
        w = w - np.linalg.solve(bend, slope)
    return w[:-1], float(w[-1])


__all__: Sequence[str] = [
    "calibrate",
    "halve",
    "logistic",
    "mixed_clips",
    "ship",
    "write_onnx",
    "write_settings",
]
