"""Fine-tune any CTC recogniser of transformers (wav2vec2, HuBERT, WavLM, ...) for this pet and its people.

    everpaw train asr --model FOLDER --speech RECORDINGS --out DIR       # a folder with transcripts.tsv
    everpaw train asr --model FOLDER --grammar G.yaml --out DIR          # from text alone: synthetic people
    everpaw train asr --model DIR/checkpoint --speech MINE --lora 8 --remember OTHERS --out DIR2

It answers with the 39 sounds that the robot's decoder reads, so that any grammar of English words works
afterwards; with `--letters` in the letters of the texts, for other languages. The last line above adapts
to one person and shows what was forgotten of the others. Written: model.onnx (it eats plain sound and was
checked against torch), the checkpoint to go on from, what the robot needs beside it, and report.json last.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from runtime.contracts.errors import TrainingError
from runtime.mind.grammar import Grammar
from training.asr.error_rates import Rate
from training.ctc import alphabet as alphabets
from training.ctc import model as networks
from training.ctc.alphabet import Alphabet
from training.ctc.export import write_onnx
from training.ctc.fit import Length, fit
from training.ctc.robot import RAW_SOUND, complete
from training.ctc.score import errors, listener
from training.ctc.speech import Spoken, recorded, sentences_of, split, synthetic

_SMOKE = Length(steps=6, batch=4)
_CHECKED = 4
"""Clips on which file and torch are compared"""


def main(argv: Sequence[str] | None = None) -> int:
    args = _arguments(argv)
    learn, aside = _takes(args)
    alphabet = _alphabet(args, [*learn, *aside])
    length = Length(args.epochs, args.steps, args.batch, args.rate, seed=args.seed, bf16=args.bf16)
    length = _SMOKE if args.smoke else length
    torch.manual_seed(args.seed)

    model = networks.opened(args.model, alphabet, args.dropout, args.mask_time, args.mask_mels)
    others = recorded(args.remember) if args.remember else []
    knows = _knows(args.model, alphabet)
    before = _errors(model, alphabet, aside, others) if knows else {}
    networks.freeze(model, args.freeze, args.top)
    learner = networks.adapted(model, args.lora) if args.lora else model
    _say(
        f"{len(learn)} clips to learn from, {len(aside)} aside; {networks.learning(learner):,} weights learn"
    )

    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "report.json").unlink(missing_ok=True)
    work = args.work or args.out.with_name(f"{args.out.name}.work")
    fit(learner, model, alphabet, learn, aside, length, work)

    model = networks.merged(learner)
    after = _errors(model, alphabet, aside, others)
    for name, found in after.items():
        _say(f"{name}: {found}" + (f", before {before[name]}" if name in before else ""))
    model.save_pretrained(args.out / "checkpoint")
    alphabet.save(args.out / "checkpoint")
    alphabet.save(args.out)
    columns = list(range(len(alphabet.labels)))
    clips = [take.samples for take in (aside or learn)[:_CHECKED]]
    gap = write_onnx(model, columns, args.out / "model.onnx", clips)
    if alphabet.kind == "sounds":
        grammar = Grammar.load(args.grammar) if args.grammar else None
        complete(args.out, grammar, clips=20 if args.smoke else 400)
    report = {
        "start": args.model, "units": alphabet.kind, "front_end": RAW_SOUND, "length": asdict(length),
        "freeze": args.freeze, "lora": args.lora, "clips": len(learn), "onnx_gap_nats": round(gap, 5),
        "before": _plain(before), "after": _plain(after),
    }  # fmt: skip
    (args.out / "report.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(report["after"]))
    return 0


def _takes(args: argparse.Namespace) -> tuple[list[Spoken], list[Spoken]]:
    """(to learn from, aside): recordings by other people, or sentences by voices kept aside."""
    if args.speech:
        return split(recorded(args.speech), args.aside, args.seed)
    texts = sentences_of(Grammar.load(args.grammar), 4 * args.clips, args.seed)
    learn = synthetic(texts, args.clips, args.seed, False, 1.0, args.workers)
    return learn, synthetic(texts, max(8, args.clips // 10), args.seed + 1, True, 0.5, args.workers)


def _alphabet(args: argparse.Namespace, takes: Sequence[Spoken]) -> Alphabet:
    if args.keep_letters:
        if not networks.is_local(args.model):
            raise TrainingError(f"--keep-letters needs a local folder with vocab.json, not {args.model!r}")
        config = json.loads((Path(args.model) / "config.json").read_text(encoding="utf-8"))
        return alphabets.letters_of_start(Path(args.model), int(config.get("pad_token_id") or 0))
    return alphabets.letters_of([take.text for take in takes]) if args.letters else alphabets.sounds()


def _knows(start: str, alphabet: Alphabet) -> bool:
    """Whether the start has learned these very labels, so that its head is kept."""
    path = Path(start) / "vocab.json"
    if not path.is_file():
        return False
    table = json.loads(path.read_text(encoding="utf-8"))
    return {label or "[PAD]": i for i, label in enumerate(alphabet.labels)} == table


def _errors(
    model: Any, alphabet: Alphabet, aside: Sequence[Spoken], others: Sequence[Spoken]
) -> dict[str, Rate]:
    """Of what was kept aside, and of what is to be remembered: a rise there is what was forgotten."""
    listen = listener(model)
    found = {f"{name} wrong": rate for name, rate in errors(listen, alphabet, aside).items()} if aside else {}
    if others:
        found |= {f"{name} wrong, others": rate for name, rate in errors(listen, alphabet, others).items()}
    return found


def _plain(found: dict[str, Rate]) -> dict[str, dict[str, float]]:
    return {name: {k: round(v, 2) for k, v in asdict(rate).items()} for name, rate in found.items()}


def _say(line: str) -> None:
    print(f"asr: {line}", file=sys.stderr, flush=True)


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="everpaw train asr --model FOLDER", description="Fine-tune a CTC recogniser of transformers."
    )
    parser.add_argument("--model", required=True, help="local folder of the start, or a hub's name")
    parser.add_argument("--out", type=Path, required=True)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--speech", type=Path, help="folder of recordings with transcripts.tsv")
    source.add_argument("--grammar", type=Path, help="sentences of this grammar, said by synthetic people")
    parser.add_argument("--clips", type=int, default=4_000, help="synthetic clips of the grammar")
    parser.add_argument("--aside", type=float, default=0.2, help="share of recordings kept aside, by speaker")
    parser.add_argument("--remember", type=Path, help="recordings of others: what is forgotten of them?")
    parser.add_argument("--letters", action="store_true", help="answer with the letters of the texts")
    parser.add_argument("--keep-letters", action="store_true", help="answer with the start's own letters")
    parser.add_argument("--freeze", choices=("none", "features", "all_but_top", "head"), default="features")
    parser.add_argument("--top", type=int, default=2, help="layers that learn under all_but_top")
    parser.add_argument("--lora", type=int, default=0, metavar="RANK", help="learn low-rank adapters only")
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--mask-time", type=float, default=0.05, help="SpecAugment: share of time hidden")
    parser.add_argument("--mask-mels", type=float, default=0.0, help="SpecAugment: share of features hidden")
    parser.add_argument("--epochs", type=float, default=20.0)
    parser.add_argument("--steps", type=int, default=0, help="in place of epochs")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--rate", type=float, default=3e-4, help="highest learning rate")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument(
        "--bf16", action="store_true", help="bfloat16: twice as fast where the machine has it"
    )
    parser.add_argument("--work", type=Path, help="folder for checkpoints; default: OUT.work")
    parser.add_argument("--workers", type=int, default=2, help="processes that speak; 0: this one")
    parser.add_argument("--smoke", action="store_true", help="six steps, to see that it runs")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
