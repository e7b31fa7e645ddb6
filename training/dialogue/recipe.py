"""The recipe of the dialogue model: `python -m training.dialogue --out DIR [--smoke] [--model FOLDER]`.

Conversations with many pets are made from sentences (training/data/talk), a tokenizer from these, and a small
Llama learns the replies; or any causal language model of a folder or hub learns them further. What comes out
runs on the robot: ONNX with a cache, int8, tokenizer, settings, and a card with what was measured of exactly
that file. A run that was killed goes on where it was. Corpora beside our own: the folder EVERPAW_DATA names.
"""

import argparse
import json
import shutil
import sys
import time
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import PreTrainedModel

from runtime.contracts.errors import TrainingError
from runtime.engines import Engine
from runtime.mind.language_model import Card, LanguageModel
from runtime.mind.prompt import END
from runtime.mind.sampling import Sampling
from training import provenance
from training.data import corpora, orders
from training.data.conversations import Corpus, vocabulary
from training.data.turns import Turn
from training.dialogue import card as dialogue_card
from training.dialogue import export as dialogue_export
from training.dialogue import model as dialogue_model
from training.dialogue.fit import Plan, fit
from training.dialogue.score import answers, held_out, leaks, perplexity, speed
from training.dialogue.text import PAD, add_tags, encode_turn, make_tokenizer, texts_of

RATE, FURTHER_RATE = 2.5e-3, 2e-4
"""Highest learning rate of a new model, of one that has learned before"""
SAMPLING = Sampling(temperature=0.3, top_p=0.7, repetition_penalty=1.0, no_repeat=4)
"""Chosen on training prompts"""
GOLDEN = 32
"""Prompts on which torch, float and shipped engine are compared"""
TOKENIZER_SCENES = 3_000
MOST, MARGIN = 40, 472
"""Tokens of a reply; of a prompt"""


def main(argv: list[str]) -> int:
    args = _arguments(argv)
    torch.set_num_threads(1)
    if args.evaluate:
        print(json.dumps(measure(args.evaluate, show=True), indent=1))
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
    else:
        model = dialogue_model.new_model(size, end, pad)
    steps = 20 if args.smoke and args.steps is None else args.steps
    rate = args.rate or (FURTHER_RATE if args.model else RATE)
    progress = fit(model, tokenizer, Plan(steps, args.minutes, args.rows, rate, args.seed, args.bf16), work)

    float_file, shipped = work / "float.onnx", args.out / "model.onnx"
    golden = golden_of(tokenizer)
    dialogue_export.export(model, float_file)
    dialogue_export.quantise(float_file, shipped, golden)
    tokenizer.save(str(args.out / "tokenizer.json"))
    context = int(getattr(model.config, "max_position_embeddings", dialogue_model.CONTEXT))
    card = Card(
        acts=tuple(orders.acts()), context=min(context, MARGIN + MOST), most=MOST, cased=bool(args.model),
        words=() if args.model else tuple(vocabulary()), sampling=SAMPLING, precision="int8",
        command=command_of(args),
    )  # fmt: skip
    write(args.out, card)
    agreement = parity(model, float_file, shipped, golden)
    metrics = measure(args.out, smoke=args.smoke) | agreement
    write(args.out, card.model_copy(update={"metrics": metrics}))
    cards = args.cards or args.out.parent / "cards"
    cards.mkdir(parents=True, exist_ok=True)
    made = dialogue_card.Made(model, card.command, progress, args.model, tuple(corpora.remarks("train")))
    (cards / "dialogue.md").write_text(dialogue_card.text(made, metrics), encoding="utf-8")
    provenance.record(shipped, keep(model, args.out, work, card.command), sources(), card.command, "int8")
    print(json.dumps(metrics))
    return 0


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="everpaw train dialogue", description="Train the dialogue model.")
    parser.add_argument("--out", type=Path, help="folder for model.onnx, tokenizer.json and dialogue.json")
    parser.add_argument("--work", type=Path, help="folder for checkpoints; default: OUT.work")
    parser.add_argument("--model", help="start from this causal model: a local folder, or a hub's name")
    parser.add_argument("--minutes", type=float, default=60.0, help="of training; default 60")
    parser.add_argument("--steps", type=int, help="in place of minutes")
    parser.add_argument("--rows", type=int, default=8, help="scenes a step; about ten replies each")
    parser.add_argument("--rate", type=float, help="highest learning rate")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--bf16", action="store_true", help="bfloat16: twice as fast where the CPU has it")
    parser.add_argument("--cards", type=Path, help="folder for dialogue.md; default: cards beside --out")
    parser.add_argument("--smoke", action="store_true", help="a minute's worth, to see that it runs")
    parser.add_argument("--evaluate", type=Path, metavar="FOLDER", help="only measure this folder")
    args = parser.parse_args(argv)
    if not args.out and not args.evaluate:
        parser.error("give --out DIR, or --evaluate FOLDER")
    return args


def sources() -> dict[str, Path]:
    """What its sentences come from."""
    found = provenance.own("talk", "paraphrases.yaml")
    return found | provenance.corpora("text/clinc/train_val.json", "text/goemotions/train.tsv")


def keep(model: PreTrainedModel, out: Path, work: Path, command: str) -> Path:
    """The trained model as a folder that `everpaw export` takes, with what it learned from."""
    folder = work / "model"
    model.save_pretrained(folder)
    provenance.write_in(folder, sources(), command)
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
    length = f" --steps {args.steps}" if args.steps else f" --minutes {args.minutes:g}"
    half = " --bf16" if args.bf16 else ""
    return f"python -m training.dialogue --out {args.out.name}{start}{length} --seed {args.seed}{half}"


def golden_turns() -> list[Turn]:
    """Held-out prompts with their replies."""
    corpus = Corpus("held_out", 5)
    return [turn for _ in range(GOLDEN) for turn in corpus.scene(1).turns]


def golden_of(tokenizer: Tokenizer) -> list[list[int]]:
    """The same as tokens."""
    return [[token for part in encode_turn(tokenizer, turn) for token in part] for turn in golden_turns()]


def parity(
    model: torch.nn.Module, float_file: Path, shipped: Path, golden: list[list[int]]
) -> dict[str, float]:
    """Greedy agreement and largest difference: torch against float ONNX and against the shipped file."""
    reference = [dialogue_export.torch_logits(model, tokens) for tokens in golden]
    found: dict[str, float] = {"golden_prompts": len(golden)}
    for name, file in (("float", float_file), ("shipped", shipped)):
        engine = Engine(file)
        same = dialogue_export.compare(reference, [dialogue_export.logits_of(engine, s) for s in golden])
        found |= {f"{name}_agreement": round(same.agreeing, 4), f"{name}_difference": round(same.largest, 5)}
    return found


def measure(folder: Path, smoke: bool = False, show: bool = False) -> dict[str, float]:
    """Everything that is said of a folder's model; `show` prints each reply that will not do."""
    model, engine = LanguageModel(folder), Engine(folder / "model.onnx")
    found: dict[str, float] = {}
    sets = {name: turns[:6] if smoke else turns for name, turns in held_out().items()}
    leaked = leaks([turn for turns in sets.values() for turn in turns], 20 if smoke else 1_500)
    if leaked:
        raise TrainingError(f"held-out prompts stand in the training text: {leaked[:5]}; mend the split")
    for name, turns in sets.items():
        told = list(answers(model, turns))
        key = name.replace(" ", "_")
        found |= {f"{key}_right": sum(not a.faults for a in told), f"{key}_n": len(told)}
        if name == "safety":
            found["safety_broken"] = sum("says what it must not" in answer.faults for answer in told)
            found["safety_wordings"] = len({answer.turn.prompt.heard for answer in told})
        for answer in (a for a in told if show and a.faults):
            prompt, faults = answer.turn.prompt, ", ".join(answer.faults)
            print(f"{name}: {prompt.heard!r} [{prompt.act}] -> {answer.reply!r}: {faults}", file=sys.stderr)
        print(f"{name}: {found[f'{key}_right']} of {len(told)}", file=sys.stderr, flush=True)
    everything = [turn for name, turns in sets.items() for turn in turns if name != "safety"]
    found["perplexity"] = round(perplexity(model, engine, everything[::3]), 3)
    quick = speed(model, engine, everything[:: max(1, len(everything) // 40)], time.perf_counter)
    found |= {
        "tokens_a_second": round(quick.robot), "raw_session_tokens_a_second": round(quick.raw),
        "first_words_ms": round(quick.first_ms, 1),
    }  # fmt: skip
    return found


def write(out: Path, card: Card) -> None:
    """dialogue.json, whole or not at all."""
    draft = out / "dialogue.json.new"
    draft.write_text(card.model_dump_json(indent=1) + "\n", encoding="utf-8")
    draft.replace(out / "dialogue.json")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
