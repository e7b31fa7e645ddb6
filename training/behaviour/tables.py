"""The pet's own sentences as tables for any checkpoint: `python -m training.behaviour.tables --out DIR`.

`train.tsv`: sentences of the grammar and paraphrases, each as it is and once in a polite or asking frame,
orders denied, and what is out of scope; `held_out.tsv`: paraphrases and out-of-scope sentences that are only
measured on, the same that the starter's small classifier is measured on (training/behaviour/starter.py).
"""

import argparse
import os
import sys
from pathlib import Path

import numpy as np

from runtime import starter
from runtime.cli import status_of
from runtime.mind.behaviour import NEGATIONS
from runtime.mind.conversation import MEMORY_INTENTS
from runtime.mind.grammar import Grammar
from training.data.wordings import Pair, dress, gather, negations
from training.school.examples import OUT_OF_SCOPE


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="training.behaviour.tables", description="The pet's own sentences.")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--grammar", type=Path, default=starter.FOLDER / "grammar.yaml")
    parser.add_argument("--outside", type=int, default=4_000, help="out-of-scope sentences to learn at most")
    parser.add_argument("--seed", type=int, default=7)
    args = parser.parse_args(argv)
    root = os.environ.get("EVERPAW_DATA")
    rng = np.random.default_rng(args.seed)
    found = gather(Grammar.load(args.grammar), Path(root) if root else None, rng)
    own = [pair for pair in (*found.train, *found.paraphrases) if pair[1] not in MEMORY_INTENTS]
    exempt = {label for text, label in own if NEGATIONS.intersection(text.split())}
    outside = [found.out_of_scope[int(i)] for i in rng.permutation(len(found.out_of_scope))[: args.outside]]
    outside += negations(own, exempt, rng, len(outside) // 8 + 40)
    dressed = [(dress(text, rng), label) for text, label in own]
    learned = [*own, *dressed, *((text, OUT_OF_SCOPE) for text in outside)]
    held_out = [*found.held_out, *((text, OUT_OF_SCOPE) for text in found.held_out_oos)]
    args.out.mkdir(parents=True, exist_ok=True)
    for name, pairs in (("train", learned), ("held_out", held_out)):
        (args.out / f"{name}.tsv").write_text(_table(pairs), encoding="utf-8")
    print(f"{len(learned)} to learn, {len(held_out)} held out in {args.out}", file=sys.stderr)
    return 0


def _table(pairs: list[Pair]) -> str:
    return "".join(f"{text}\t{label}\n" for text, label in dict.fromkeys(pairs))


if __name__ == "__main__":
    sys.exit(status_of(lambda: main(sys.argv[1:])))
