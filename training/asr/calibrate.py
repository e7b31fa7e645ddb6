"""How likely is it that a command was heard right? `python -m training.asr.calibrate runtime/starter/asr`.

A pet must do what it is told and leave alone what is none of its business. Fitted on commands, half of them
with its name, and as many sentences of no grammar, by held-out synthetic voices, each roughened at random.
The weights go into asr.json; `python -m training.asr --evaluate` measures them on other clips.
"""

import argparse
import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from runtime import starter
from runtime.contracts.errors import EverpawError
from runtime.mind.grammar import Grammar
from runtime.speech.asr import RIVALS, Recogniser
from runtime.speech.evidence import evidence
from runtime.whole import put
from training.asr.clips import held_out_clips
from training.asr.texts import PREFIXES, draw_texts

NAMES = ("hey buddy", "okay buddy")
COMMANDS_TO_OTHERS = 2.0
"""How much more often a pet is told a command than anything else; the calibration hears both alike"""
_SEED = 101


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
    for samples, _, intent in mixed_clips(grammar, clips, _SEED):
        sounds = recogniser.sounds(samples)
        sentences = recogniser.sentences(sounds, RIVALS)
        if not sentences:
            continue
        parse = grammar.parse(recogniser.without_names(sentences[0].text))
        rows.append(evidence(sounds.log_probs, sentences[0], recogniser.margin(sentences)))
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


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m training.asr.calibrate", description=__doc__.split("\n")[0]
    )
    parser.add_argument("asr", type=Path, help="folder of a recogniser; its asr.json gets the weights")
    parser.add_argument("--grammar", type=Path, default=starter.FOLDER / "grammar.yaml")
    parser.add_argument("--clips", type=int, default=600)
    args = parser.parse_args(argv)
    try:
        weights, bias = calibrate(args.asr, Grammar.load(args.grammar), args.clips)
    except EverpawError as error:
        print(f"everpaw: {error}", file=sys.stderr)
        return 1
    found = {"weights": [round(float(w), 4) for w in weights], "bias": round(bias, 4)}
    path = args.asr / "asr.json"
    settings = json.loads(path.read_text("utf-8")) | found
    put(path, (json.dumps(settings, separators=(",", ":")) + "\n").encode(), 0o644)
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
