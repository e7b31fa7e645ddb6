"""`everpaw eval behaviour|mood CHECKPOINT DATA`: figures of a checkpoint, or of several that vote.

For mood CHECKPOINT may be a pack's own reader (`runtime/starter/reader`), which names one feeling a text.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np

from runtime.contracts.errors import TrainingError
from runtime.mind.grammar import normalise
from runtime.mind.reader import FEELINGS, Reader
from training.school import checkpoint, confidence, examples, judging, pictures
from training.school.judging import Judge


def main(argv: list[str]) -> int:
    task, *rest = argv
    parser = argparse.ArgumentParser(
        prog=f"everpaw eval {task}", description="Figures of a checkpoint on sentences it did not learn."
    )
    parser.add_argument("checkpoint", type=Path, help=f"folder of `everpaw train {task}`")
    parser.add_argument(
        "data", type=Path, help="a file of texts and labels, or a corpus' own validation part"
    )
    parser.add_argument(
        "--with", dest="others", type=Path, nargs="+", default=[], help="more checkpoints: an ensemble"
    )
    parser.add_argument(
        "--misheard", type=float, default=0.0, metavar="SHARE", help="so many words wrong, 0..1"
    )
    parser.add_argument("--plot", type=Path, help="picture of what is taken for what")
    parser.add_argument("--json", action="store_true", help="one object on stdout")
    args = parser.parse_args(rest)
    if task == "mood" and (args.checkpoint / "reader.json").is_file():
        _tell(read_by(args.checkpoint, args.data), True, args.json)
        return 0

    loaded = [checkpoint.load(folder, task) for folder in (args.checkpoint, *args.others)]
    card = loaded[0].card
    if any(other.card.labels != card.labels for other in loaded):
        raise TrainingError("the checkpoints have other labels than each other; give those of one data set")
    data = card.settings["data"]
    found = examples.read(args.data, "validation")
    reported = examples.tidy(found, data["clean"], data["scrub"], data["language"]).examples
    judge = Judge(reported, card.labels, card.several)
    examples.targets_of(reported, card.labels, args.data)
    texts = judge.texts
    if args.misheard:
        texts, rate = judging.misheard(reported, args.misheard, reported)
        print(f"word error rate: {rate:.3f}", file=sys.stderr)
    shares = np.mean([one.shares(texts) for one in loaded], axis=0)
    if card.several:
        thresholds = np.mean([one.card.thresholds for one in loaded], axis=0)
        figures = judge.multiple(shares, list(thresholds))
    else:
        threshold = float(np.mean([one.card.threshold for one in loaded]))
        figures = judge.single(shares, threshold)
        if args.plot:
            taken = confidence.taken(shares, threshold, judge.outside is not None)
            pictures.confusion(judge.targets.numpy(), taken, judge.labels, args.plot)
    _tell(figures, card.several, args.json)
    return 0


def read_by(folder: Path, data: Path) -> judging.Figures:
    """Of a pack's reader, on the sentences that a checkpoint would be measured on."""
    reported = examples.tidy(examples.read(data, "validation"), True, True, "").examples
    judge = Judge(reported, list(FEELINGS), True)
    examples.targets_of(reported, FEELINGS, data)
    reader = Reader(folder)
    feelings = [reader.read(normalise(text)).feeling for text in judge.texts]
    return judge.multiple(np.array([[float(name == one) for name in FEELINGS] for one in feelings]),
                          [0.5] * len(FEELINGS))  # fmt: skip


def _tell(figures: judging.Figures, several: bool, as_json: bool) -> None:
    if as_json:
        print(json.dumps(figures))
        return
    for name, value in judging.row_of(figures, several).items():
        print(f"{name}: {value}")
