"""The recipe of the dialogue model: `everpaw train dialogue --out DIR [--model START [--lora RANK]]`.

Conversations with many pets are made from sentences (training/data/talk), a tokenizer from these, and a small
Llama learns the replies; or any causal language model of a folder or hub learns them further. What comes out
runs on the robot: ONNX with a cache, weights stored as int8, tokenizer, settings, and a card with what was
measured of exactly that file. A run that was killed goes on where it was. Corpora beside our own: the folder
EVERPAW_DATA names.
"""

import argparse
import json
import math
import shutil
import sys
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import PreTrainedModel

from runtime.contracts.errors import TrainingError
from runtime.mind.language_model import Card, LanguageModel
from runtime.mind.prompt import END
from runtime.mind.sampling import Sampling
from training import provenance
from training.data import corpora, orders
from training.data.conversations import Corpus, vocabulary
from training.dialogue import adapters, measuring
from training.dialogue import card as dialogue_card
from training.dialogue import export as dialogue_export
from training.dialogue import model as dialogue_model
from training.dialogue.fit import Plan, fit
from training.dialogue.text import PAD, add_tags, make_tokenizer, special_tokens, texts_of

RATE, FURTHER_RATE, LORA_RATE = 2.5e-3, 2e-4, 1e-3
"""Highest learning rate of a new model, of one that has learned before, of adapters beside it"""
SAMPLING = Sampling(temperature=0.3, top_p=0.7, repetition_penalty=1.0, no_repeat=4)
"""Chosen on training prompts"""
TOKENIZER_SCENES = 3_000
ROWS = 8
"""Scenes a step"""
MOST, MARGIN = 40, 472
"""Tokens of a reply; of a prompt"""


def main(argv: list[str]) -> int:
    args = _arguments(argv)
    torch.set_num_threads(1)
    if args.evaluate:
        print(json.dumps(measuring.measure(args.evaluate, args.prompts, show=True), indent=1))
        return 0

    work = args.work or args.out.with_name(f"{args.out.name}.work")
    work.mkdir(parents=True, exist_ok=True)
    args.out.mkdir(parents=True, exist_ok=True)
    size = dialogue_model.SMOKE if args.smoke else dialogue_model.Size()
    tokenizer = tokenizer_of(
        args.model, work, args.seed, size.vocabulary, 60 if args.smoke else TOKENIZER_SCENES
    )
    end, pad = tokenizer.token_to_id(END), tokenizer.token_to_id(PAD)

    torch.manual_seed(args.seed)
    if args.model:
        model = dialogue_model.pretrained(args.model, tokenizer.get_vocab_size())
        known = _borrowed(args.model).get_vocab()
        new = [tag for tag in special_tokens(orders.acts()) if tag not in known]
        dialogue_model.begin_tags(model, tokenizer, new)
    else:
        model = dialogue_model.new_model(size, end, pad)
    steps = 20 if args.smoke and args.steps is None else args.steps
    context = int(getattr(model.config, "max_position_embeddings", dialogue_model.CONTEXT))
    card = Card(
        acts=tuple(orders.acts()), context=min(context, MARGIN + MOST), most=MOST, cased=bool(args.model),
        words=() if args.model else tuple(vocabulary()), sampling=SAMPLING, precision="int8",
        command=command_of(args),
    )  # fmt: skip
    before = start_of(model, tokenizer, card, work / "start", args) if args.model else {}
    torch.manual_seed(args.seed)  # whether the start was measured now or before
    adapted = adapters.attach(model, args.lora, tokenizer, orders.acts()) if args.lora else None
    rate = args.rate or (LORA_RATE if args.lora else FURTHER_RATE if args.model else RATE)
    plan = Plan(steps, args.minutes, args.rows, rate, args.seed, args.bf16, args.penalty)
    progress = fit(model, tokenizer, plan, work)
    if adapted:
        model = adapters.merge(adapted)

    float_file, shipped = work / "float.onnx", args.out / "model.onnx"
    golden = measuring.golden_of(tokenizer)
    dialogue_export.export(model, float_file)
    way = dialogue_export.quantise(float_file, shipped, golden)
    tokenizer.save(str(args.out / "tokenizer.json"))
    write(args.out, card)
    agreement = measuring.parity(model, float_file, shipped, golden)
    metrics = measuring.measure(args.out, args.prompts, args.smoke) | agreement | before
    write(args.out, card.model_copy(update={"metrics": metrics}))
    cards = args.cards or args.out.parent / "cards"
    cards.mkdir(parents=True, exist_ok=True)
    remarks = tuple(corpora.remarks("train"))
    made = dialogue_card.Made(
        model, card.command, progress, args.model, remarks, args.lora, args.penalty, way
    )
    (cards / "dialogue.md").write_text(dialogue_card.text(made, metrics), encoding="utf-8")
    sets = sources(args.penalty > 0)
    checkpoint = keep(model, args.out, work, sets, card.command)
    provenance.record(shipped, checkpoint, sets, card.command, "int8")
    print(json.dumps(metrics))
    return 0


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="everpaw train dialogue", description="Train the dialogue model.")
    parser.add_argument("--out", type=Path, help="folder for model.onnx, tokenizer.json and dialogue.json")
    parser.add_argument("--work", type=Path, help="folder for checkpoints; default: OUT.work")
    parser.add_argument("--model", help="start from this causal model: a local folder, or a hub's name")
    parser.add_argument("--lora", type=int, default=0, metavar="RANK", help="of --model learn adapters alone")
    parser.add_argument("--minutes", type=float, default=60.0, help="of training; default 60")
    parser.add_argument("--steps", type=int, help="in place of minutes")
    parser.add_argument("--rows", type=int, default=ROWS, help="scenes a step; about ten replies each")
    parser.add_argument("--rate", type=float, help="highest learning rate")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--bf16", action="store_true", help="bfloat16: twice as fast where the CPU has it")
    parser.add_argument(
        "--penalty", type=float, default=0.0, metavar="WEIGHT", help="of what must not be said; 0: none"
    )
    parser.add_argument("--prompts", type=int, help="measured of each set at most; default all")
    parser.add_argument("--cards", type=Path, help="folder for dialogue.md; default: cards beside --out")
    parser.add_argument("--smoke", action="store_true", help="a minute's worth, to see that it runs")
    parser.add_argument("--evaluate", type=Path, metavar="FOLDER", help="only measure this folder")
    args = parser.parse_args(argv)
    if not args.out and not args.evaluate:
        parser.error("give --out DIR, or --evaluate FOLDER")
    if args.lora < 0 or (args.lora and not args.model):
        parser.error(f"--lora {args.lora}: give a rank of 1 or more, and --model START")
    if not 0 <= args.penalty < math.inf:
        parser.error(f"--penalty {args.penalty:g}: give a weight of 0 or more")
    return args


def start_of(
    model: PreTrainedModel, tokenizer: Tokenizer, card: Card, folder: Path, args: argparse.Namespace
) -> dict[str, float]:
    """What the start's own replies are worth, as "before_..."; a run that goes on has measured it."""
    if not (folder / "dialogue.json").is_file() or not LanguageModel(folder).card.metrics:
        dialogue_export.export(model, folder / "model.onnx")
        tokenizer.save(str(folder / "tokenizer.json"))
        whole = card.model_copy(update={"precision": "fp32"})
        write(folder, whole)
        metrics = measuring.measure(folder, args.prompts, args.smoke, timed=False)
        write(folder, whole.model_copy(update={"metrics": metrics}))
    return {f"before_{name}": value for name, value in LanguageModel(folder).card.metrics.items()}


def sources(penalty: bool) -> dict[str, Path]:
    """What its sentences come from."""
    found = provenance.own("talk", "paraphrases.yaml", *(["unsaid.yaml"] if penalty else []))
    return found | provenance.corpora("text/clinc/train_val.json", "text/goemotions/train.tsv")


def keep(model: PreTrainedModel, out: Path, work: Path, sets: dict[str, Path], command: str) -> Path:
    """The trained model as a folder that `everpaw export` takes, with what it learned from."""
    folder = work / "model"
    model.save_pretrained(folder)
    provenance.write_in(folder, sets, command)
    for name in ("tokenizer.json", "dialogue.json"):
        shutil.copyfile(out / name, folder / name)
    return folder


def tokenizer_of(start: str | None, work: Path, seed: int, size: int, scenes: int) -> Tokenizer:
    """The one of this run if there is one; else of the model to start from, with our tags; else a new one."""
    path = work / "tokenizer.json"
    if path.is_file():
        return Tokenizer.from_file(str(path))
    if start:
        tokenizer = _borrowed(start)
        add_tags(tokenizer, orders.acts())
    else:
        corpus = Corpus("train", seed)
        texts = (text for _ in range(scenes) for text in texts_of(corpus.scene(14)))
        tokenizer = make_tokenizer(texts, orders.acts(), size)
    tokenizer.save(str(path))
    return tokenizer


def _borrowed(start: str) -> Tokenizer:
    from transformers import AutoTokenizer

    try:
        loaded = AutoTokenizer.from_pretrained(start, use_fast=True)
        return Tokenizer.from_str(loaded.backend_tokenizer.to_str())
    except (OSError, ValueError, AttributeError) as error:
        reason = str(error).splitlines()[0]
        raise TrainingError(f"{start} has no tokenizer.json that can be used ({reason}); add one") from error


def command_of(args: argparse.Namespace) -> str:
    """What to type for such a model; folders of one machine are left out."""
    start = f" --model {args.model}" if args.model else ""
    start += f" --lora {args.lora}" if args.lora else ""
    length = f" --steps {args.steps}" if args.steps else f" --minutes {args.minutes:g}"
    length += f" --rows {args.rows}" if args.rows != ROWS else ""
    length += f" --rate {args.rate:g}" if args.rate else ""
    half = " --bf16" if args.bf16 else ""
    half += f" --penalty {args.penalty:g}" if args.penalty else ""
    return f"python -m training.dialogue --out {args.out.name}{start}{length} --seed {args.seed}{half}"


def write(out: Path, card: Card) -> None:
    """dialogue.json, whole or not at all."""
    draft = out / "dialogue.json.new"
    draft.write_text(card.model_dump_json(indent=1) + "\n", encoding="utf-8")
    draft.replace(out / "dialogue.json")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
