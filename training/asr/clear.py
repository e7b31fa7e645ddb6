"""How likely is it that free words were heard right? `python -m training.asr.clear runtime/starter/asr`.

A language model must not answer words that nobody said. Fitted on everyday sentences of no grammar (those of
the corpora that EVERPAW_DATA holds) by held-out synthetic voices, up to half as rough as in training; a
sentence counts as right with at most a quarter of its words wrong. The figures printed are of other sentences
than those fitted on.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from runtime.contracts.errors import TrainingError
from runtime.mind.grammar import Grammar
from runtime.speech.asr import Recogniser
from runtime.speech.evidence import clear_evidence
from training.asr.calibrate import NAMES, logistic
from training.asr.clips import held_out_clips
from training.asr.error_rates import edits
from training.asr.texts import open_sentences

MOST_WRONG = 0.25
ROUGH = 0.5
_SEED, _TEST_SEED = 303, 404


def sentences(grammar: Grammar, n: int, seed: int) -> list[str]:
    """`n` of three to nine words, none of the grammar."""
    found = [t for t in open_sentences() if 3 <= len(t.split()) <= 9 and grammar.parse(t) is None]
    if len(found) < n:
        raise TrainingError(
            f"{len(found)} everyday sentences, {n} are needed; set EVERPAW_DATA to the corpora"
        )
    return [str(text) for text in np.random.default_rng(seed).choice(found, n, replace=False)]


def heard(recogniser: Recogniser, texts: Sequence[str], seed: int) -> tuple[np.ndarray, np.ndarray]:
    """(evidence, 1 where right) of all texts of which anything was heard."""
    rng = np.random.default_rng(seed)
    rows, right = [], []
    for number, text in enumerate(texts):
        [(samples, _)] = held_out_clips([text], 1, seed * 100_003 + number, float(rng.uniform(0.0, ROUGH)))
        log_probs = recogniser.sounds(samples).log_probs
        free = recogniser.transcribe(log_probs)
        if free.text:
            rows.append(clear_evidence(log_probs, free))
            said = text.split()
            right.append(edits(said, free.text.split()) <= MOST_WRONG * len(said))
    return np.array(rows), np.array(right, dtype=float)


def fit(asr_dir: Path, grammar: Grammar, clips: int) -> dict[str, float | list[float]]:
    """What belongs into asr.json."""
    texts = sentences(grammar, clips + clips // 2, _SEED)
    recogniser = Recogniser(asr_dir, grammar, prefixes=NAMES)
    weights, bias = logistic(*heard(recogniser, texts[:clips], _SEED))
    rows, right = heard(recogniser, texts[clips:], _TEST_SEED)
    clear = 1 / (1 + np.exp(-(rows @ weights + bias)))
    for least in (0.5, 0.6, 0.7, 0.8):
        kept = clear >= least
        share = right[kept].mean() if kept.any() else float("nan")
        print(
            f"clear from {least}: {kept.mean():.0%} of {len(right)} sentences, {share:.0%} of these right"
            f" (of all {right.mean():.0%})",
            file=sys.stderr,
        )
    return {"clear_weights": [round(float(w), 4) for w in weights], "clear_bias": round(bias, 4)}


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m training.asr.clear", description=__doc__.split("\n")[0])
    parser.add_argument("asr", type=Path, help="folder of a recogniser; its asr.json gets the weights")
    parser.add_argument("--grammar", type=Path, default=Path("runtime/starter/grammar.yaml"))
    parser.add_argument("--clips", type=int, default=300)
    args = parser.parse_args(argv)
    found = fit(args.asr, Grammar.load(args.grammar), args.clips)
    path = args.asr / "asr.json"
    settings = json.loads(path.read_text("utf-8")) | found
    path.write_text(json.dumps(settings, separators=(",", ":")) + "\n", "utf-8")
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
