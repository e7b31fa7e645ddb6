"""Continual learning rehearsed: CLINC-150 with intents and wordings that only a pet's life would bring.

`python -m training.school.rehearsal train_val.json --out DIR` writes `old.json` (what a checkpoint learns
first), `lessons.jsonl` (of each new intent a share corrected by its owner, the rest said and never named; of
the old ones a share of new wordings, never named), `test.tsv` (the new intents' own dev sentences) and
`truth.tsv`. `--answer questions.tsv` fills in what an owner who knows the truth would.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np

from runtime.cli import status_of
from runtime.contracts.errors import TrainingError
from runtime.lessons.lesson import Lesson, Meaning
from training.data import corpora
from training.school import questions

Rows = list[tuple[str, str]]
NEW_WORDINGS = 0.2
"""Share of an old intent's sentences that the checkpoint does not learn first"""


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="training.school.rehearsal", description="New intents, held back.")
    parser.add_argument("corpus", type=Path, help="CLINC-150's file")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--intents", type=int, default=20, help="so many are new")
    parser.add_argument("--of", type=int, default=150, help="of so many in all")
    parser.add_argument("--told", type=float, default=0.2, help="share of their sentences the owner corrects")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--answer", type=Path, metavar="QUESTIONS", help="fill these in from truth.tsv")
    args = parser.parse_args(argv)
    if args.answer:
        return answer(args.answer, args.out / "truth.tsv")
    sets = corpora.clinc(args.corpus)
    rng = np.random.default_rng(args.seed)
    every = sorted({label for _, label in sets["train"]})
    names = [every[int(i)] for i in rng.permutation(len(every))][: args.of]
    if not 0 < args.intents < len(names):
        raise TrainingError(f"--intents {args.intents} of {len(names)} intents; give fewer, at least 1")
    new, known = set(names[: args.intents]), set(names[args.intents :])
    unseen = [row for row in sets["train"] if row[1] in known and rng.random() < NEW_WORDINGS]
    gone = {text for text, _ in unseen}
    old = sets | {
        "train": [row for row in sets["train"] if row[1] in known and row[0] not in gone],
        "val": [row for row in sets["val"] if row[1] in known],
    }
    taught = [row for row in sets["train"] if row[1] in new]
    args.out.mkdir(parents=True, exist_ok=True)
    lessons = [*told(taught, args.told, rng), *(_said(text) for text, _ in unseen)]
    _put(args.out / "old.json", json.dumps(old))
    _put(args.out / "lessons.jsonl", "".join(one.model_dump_json(by_alias=True) + "\n" for one in lessons))
    _put(args.out / "test.tsv", _table([row for row in sets["val"] if row[1] in new]))
    _put(args.out / "truth.tsv", _table([*taught, *unseen]))
    print(f"{len(new)} new intents, {len(lessons)} lessons: {sorted(new)}", file=sys.stderr)
    return 0


def told(rows: Rows, share: float, rng: np.random.Generator) -> list[Lesson]:
    """A turn each; a corrected one is put right in the words of another of its intent."""
    by_label: dict[str, list[str]] = {}
    for text, label in rows:
        by_label.setdefault(label, []).append(text)
    found = []
    for label, texts in sorted(by_label.items()):
        drawn = [texts[int(i)] for i in rng.permutation(len(texts))]
        n = round(share * len(drawn) / 2)
        for said, again in zip(drawn[:n], drawn[n : 2 * n], strict=True):
            meant = Meaning(text=f"no i meant {again}", intent=label)
            found.append(_said(said).model_copy(update={"label": "corrected", "meant": meant}))
        found += [_said(text) for text in drawn[2 * n :]]
    return found


def answer(path: Path, truth: Path) -> int:
    """Fills in the questions in place."""
    known = dict(line.split("\t") for line in truth.read_text(encoding="utf-8").splitlines())
    lines = path.read_text(encoding="utf-8").splitlines()
    filled = [
        known.get(line.rpartition("\t")[2], "") + line if line.startswith("\t") else line for line in lines
    ]
    _put(path, "\n".join(filled) + "\n")
    print(f"{len(questions.read([path]))} answers in {path}", file=sys.stderr)
    return 0


def _said(text: str) -> Lesson:
    return Lesson(heard=text, clear=1.0, belief=1.0)


def _table(rows: Rows) -> str:
    return "".join(f"{text}\t{label}\n" for text, label in rows)


def _put(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(status_of(lambda: main(sys.argv[1:])))
