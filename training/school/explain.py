"""`everpaw explain behaviour|mood CHECKPOINT TEXT`, and with `--worst DATA` what small changes do to it.

CHECKPOINT is a folder of the school, or a pack's own classifier (`runtime/starter/behaviour`).
"""

import argparse
import json
import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

from runtime.contracts.errors import TrainingError
from runtime.mind.grammar import normalise
from training.data import cleaning
from training.data.wordings import paraphrases
from training.school import attributions, examples, splits, worst
from training.school.attributions import Model
from training.school.examples import Example

OWN = Path("paraphrases.yaml")
"""`--worst` without data: the held-out sentences that stand in the repository"""
_VOCABULARY = 200
"""Most frequent words that another may be replaced by"""


def main(argv: list[str]) -> int:
    args = _arguments(argv)
    model = attributions.open_model(args.checkpoint, args.task)
    if args.worst:
        return _worst(args, model)
    words = cleaning.normalise(args.text or "").split()
    if not words:
        raise TrainingError("there are no words to explain; give a sentence, or --worst DATA")
    if args.to and args.to not in model.labels:
        raise TrainingError(f"--to {args.to!r} is no label of it; known: {model.labels[:8]}...")
    told = explain(model, words, args)
    print(json.dumps(told) if args.json else "\n".join(lines(told)))
    return 0


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="everpaw explain",
        description="Why a sentence was taken for what it was, and what would change it.",
    )
    parser.add_argument("task", choices=("behaviour", "mood"))
    parser.add_argument("checkpoint", type=Path, help="folder of `everpaw train`, or of a pack's classifier")
    parser.add_argument("text", nargs="?", help="a sentence")
    parser.add_argument("--to", default="", metavar="LABEL", help="what change would make it this?")
    parser.add_argument("--edits", type=int, default=2, help="words dropped or replaced at most; default 2")
    parser.add_argument("--words", type=Path, help="file of words or sentences that replacements come from")
    parser.add_argument(
        "--worst", type=Path, nargs="?", const=OWN, metavar="DATA",
        help="how far right answers fall by small changes; without DATA, of the pet's own held-out sentences",
    )  # fmt: skip
    parser.add_argument("--limit", type=int, default=300, help="sentences of --worst; default 300")
    parser.add_argument("--tries", type=int, default=8, help="times each is misheard; default 8")
    parser.add_argument("--synonyms", type=Path, default=worst.SYNONYMS, help="a line a group of words")
    parser.add_argument("--out", type=Path, help="folder for report.html and report.json of --worst")
    parser.add_argument("--json", action="store_true", help="one object on stdout")
    return parser.parse_args(argv)


def explain(model: Model, words: list[str], args: argparse.Namespace) -> dict[str, Any]:
    """What it is taken for, each word's part in that, the smallest change that turns it."""
    shares = model.shares([" ".join(words)])
    [taken] = model.decisions(shares)
    label = model.labels[int(shares[0].argmax())]
    told: dict[str, Any] = {
        "text": " ".join(words), "taken_for": sorted(taken), "likeliest": label,
        "share": round(float(shares[0].max()), 4), "words": words,
        "left_out": [round(v, 4) for v in attributions.left_out(model, words, label)],
    }  # fmt: skip
    if model.loaded is not None:
        parts, rest = attributions.integrated_gradients(model.loaded, words, label)
        told |= {"integrated_gradients": [round(v, 3) for v in parts], "unexplained": round(rest, 3)}
    change = attributions.counterfactual(model, words, vocabulary(model, args.words), args.edits, args.to)
    told["change"] = None if change is None else asdict(change) | {"became": sorted(change.became)}
    return told


def lines(told: dict[str, Any]) -> list[str]:
    """For people."""
    found = [f"taken for: {', '.join(told['taken_for']) or 'nothing'}"
             f" (likeliest {told['likeliest']}, {100 * told['share']:.0f} %)"]  # fmt: skip
    gradients = told.get("integrated_gradients")
    found.append(f"{'word':16}{'left out':>10}" + (f"{'gradients':>12}" if gradients else ""))
    for i, word in enumerate(told["words"]):
        more = f"{gradients[i]:+12.2f}" if gradients else ""
        found.append(f"{word:16}{100 * -told['left_out'][i]:+9.0f} %{more}")
    change = told["change"]
    if change is None:
        return [*found, "no change so small turns it"]
    became, edits = ", ".join(change["became"]) or "nothing", "; ".join(change["edits"])
    return [*found, f"turns to {became} ({100 * change['share']:.0f} %): {change['text']}  [{edits}]"]


def vocabulary(model: Model, path: Path | None) -> list[str]:
    """Words to replace others by: of `path`, else of what the checkpoint learned, else ours."""
    if path is not None:
        try:
            texts = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise TrainingError(f"{path} cannot be read ({error}); give a file of words") from error
    else:
        texts = [text for text, _ in paraphrases("train")]
        learned = model.loaded.card.settings["data"]["train"] if model.loaded else None
        if learned and Path(learned).exists():
            texts = [example.text for example in examples.read(Path(learned), "train")]
    counts = Counter(word for text in texts for word in normalise(text).split())
    return [word for word, _ in counts.most_common(_VOCABULARY)]


def _worst(args: argparse.Namespace, model: Model) -> int:
    if args.out is None:
        raise TrainingError("--worst writes a report; give --out DIR")
    pairs = [(text, label or examples.OUT_OF_SCOPE) for text, label in paraphrases("held_out")]
    own = [Example(text, (label,)) for text, label in pairs if label in model.labels]
    read = own if args.worst == OWN else examples.read(args.worst, "validation")
    found = examples.tidy(read, True, False, "").examples
    examples.targets_of(found, model.labels, args.worst)
    some: list[Example] = found
    if args.limit and args.limit < len(found):
        some = splits.split(found, args.limit / len(found), 7)[1]
    told = [
        worst.stand(model, some, kind, way)
        for kind, way in worst.ways(found, args.tries, args.synonyms).items()
    ]
    facts = {"checkpoint": str(args.checkpoint), "data": examples.digest(some), "tries": args.tries}
    worst.tell(told, f"{args.task}: the worst of small changes", facts, args.out)
    for one in told:
        print(f"{one.kind}: " + ", ".join(f"{name} {cell}" for name, cell in worst.row_of(one).items()))
        for flip in one.flips[:3]:
            print(f"  {flip.text!r} > {flip.changed!r}: {flip.meant} > {flip.became}", file=sys.stderr)
    return 0
