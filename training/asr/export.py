"""From a trained network to a folder the robot can load: ONNX, and asr.json with a calibrated confidence."""

import io
import json
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

from runtime.mind.grammar import Grammar
from runtime.speech.evidence import EVIDENCE
from runtime.speech.features import MELS, describe
from runtime.speech.pronounce import ADDITIONS, DICTIONARY
from runtime.speech.units import UNITS
from training import provenance, stored
from training import weights as weights_file
from training.asr import lexicon, senones
from training.asr.acoustic import Acoustic
from training.asr.acoustic import Recogniser as Network
from training.asr.calibrate import NAMES, calibrate
from training.asr.texts import plain_sentences

if TYPE_CHECKING:
    from training.asr.recipe import Settings

FILLER_PENALTY = 2.0
BLANK_PENALTY = 1.0
"""Chosen on held-out synthetic orders and real single words, clean and at 12 and 6 dB: 1 to 3 are alike"""
_LEXICON_WORDS = 6_000


def ship(model: Acoustic, settings: "Settings", grammar: Grammar, out: Path, clips: int = 600) -> None:
    """Write model.onnx, then asr.json with a confidence fitted on `clips` held-out synthetic clips."""
    out.mkdir(parents=True, exist_ok=True)
    lexicon.write(out / DICTIONARY)
    (out / ADDITIONS).unlink(missing_ok=True)
    lexicon.write_additions(out, [*grammar.words, *" ".join(NAMES).split()])
    senones.senones().save(out)
    write_onnx(model, out / "model.onnx", {"task": "asr", "settings": json.dumps(asdict(settings))})
    write_settings(out, np.zeros(len(EVIDENCE)), 0.0)
    weights, bias = calibrate(out, grammar, clips)
    write_settings(out, weights, bias)
    sets = provenance.own("everyday.txt", "words.txt", "paraphrases.yaml")
    sets |= provenance.corpora("keywords", "negatives", "noise", "text/goemotions", "text/clinc")
    command = f"python -m training.asr --minutes {settings.minutes:g} --seed {settings.seed}"
    command += f" --start {settings.start}" if settings.start else ""
    checkpoint = weights_file.keep(model.state_dict(), weights_file.beside(out))
    provenance.record(out / "model.onnx", checkpoint, sets, command, "fp16")
    size = (out / "model.onnx").stat().st_size / 1e6
    print(f"asr: wrote {out} ({size:.1f} MB)", file=sys.stderr)


def write_onnx(model: Acoustic, path: Path, metadata: dict[str, str], half: bool = True) -> None:
    """`features` (1, T, MELS) -> `log_probs` (1, 2 ceil(T / 4), UNITS) and what the senones need.

    `half`: weights stored as halves.
    """
    network = Network(model).eval()
    buffer = io.BytesIO()
    # the older exporter: the newer one (torch 2.13) lets an LSTM take sound of the example's length alone
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
    senones.tell_densities(proto)
    if half:
        stored.halve(proto)
    for key, value in metadata.items():
        entry = proto.metadata_props.add()
        entry.key, entry.value = key, value
    onnx.save(proto, str(path))


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
        "blank_penalty": BLANK_PENALTY,
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


__all__: Sequence[str] = [
    "ship",
    "write_onnx",
    "write_settings",
]
