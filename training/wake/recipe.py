"""Train a wake head, or the stop word's, from the typed name alone.

    everpaw train wake --name "hey buddy" --out runtime/starter/wake
    everpaw train stop --out runtime/starter/stop

First it says how confusable the name is. Then synthetic people say the name among other words, in many rooms;
other synthetic people say everything else, near misses above all. With EVERPAW_DATA set, real speech that may
be trained on joins the negatives; with --recordings, the owner's own voice joins the names. A small network
on the runtime's own speech embeddings learns the difference; the windows it gets wrong are shown to it again.
The threshold is chosen on voices and recordings it never saw. Written: NAME.onnx and NAME.tflite, equal, with
threshold, patience and refractory time in NAME.json and the ONNX metadata; a model card and a picture of
misses against false accepts.
"""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np
import torch

from runtime.audio.verifier import Verifier
from runtime.contracts.errors import EverpawError, TrainingError
from training import provenance, weights
from training.data import voices
from training.data.workers import spread
from training.wake import clips as wake_clips
from training.wake import words as wake_words
from training.wake.clips import Clip, Order, real_orders, split_orders
from training.wake.export import save_head, write_card
from training.wake.fit import fit
from training.wake.head import Head
from training.wake.mislabelled import doubtful
from training.wake.owner import train_verifier
from training.wake.plan import SMOKE, STOP, WAKE, Plan
from training.wake.real import owners_recordings, real_negatives
from training.wake.texts import Words, alike, is_mandarin, words_for
from training.wake.threshold import choose, draw


def main(argv: Sequence[str] | None = None) -> int:
    args = _arguments(argv)
    try:
        train(
            args.name, args.out, args.seed, args.smoke, args.workers, args.recordings, args.say,
            args.only_owner,
        )  # fmt: skip
    except EverpawError as error:
        print(f"everpaw: {error}", file=sys.stderr)
        return 1
    return 0


def train(
    name: str,
    out: Path,
    seed: int,
    smoke: bool = False,
    workers: int = 2,
    recordings: Path | None = None,
    spellings: Sequence[str] = (),
    only_owner: bool = False,
) -> Path:
    """Make the head for `name` in folder `out`; its path. TrainingError where the name cannot be spoken."""
    started = time.monotonic()
    name = " ".join(name.lower().split())
    check_name(name, spellings)
    if recordings:
        say(f"{len(owners_recordings(recordings))} recordings by the owner in {recordings}")
        for line in doubtful(name, recordings):
            say(line)
    for line in [*voices.missing(), *([] if is_mandarin(name) else wake_words.advice(name))]:
        say(line)
    plan = STOP if name == "stop" else WAKE
    plan = Plan(**(asdict(plan) | SMOKE)) if smoke else plan
    words = words_for(name, spellings)

    # data: train on most voices, choose the threshold on the held-out ones
    train_clips = gather(words, training_orders(plan, words, seed, recordings), workers, "train")
    choose_clips = gather(words, choosing_orders(plan, words, seed, recordings), workers, "choose")

    # model, threshold
    trained = fit(train_clips, plan, seed, say)
    head = trained.halved()
    threshold, shares, curve = choose(head, choose_clips, plan)
    say("held-out voices: " + ", ".join(f"{key} {share:.3f}" for key, share in shares.items()))

    # files
    minutes = round((time.monotonic() - started) / 60, 1)
    report: dict[str, object] = {**shares, "seed": seed, "minutes": minutes, "smoke": smoke}
    report |= {"names_each": plan.choose, "clips": count(train_clips), "plan": asdict(plan)}
    report |= {"real_data": bool(os.environ.get("EVERPAW_DATA")), "curve": curve.described()}
    report |= {"spellings": list(spellings), "recordings": recordings is not None}
    path = save_head(head, out, name, threshold, plan, report)
    card = write_card(path, name, threshold, plan, report)
    draw(curve, threshold, name, card.with_suffix(".png"))
    command = f'python -m training.wake --name "{name}" --seed {seed}' + (" --smoke" if smoke else "")
    keep_origin(trained, path, command, recordings)
    if only_owner and recordings:
        verifier = train_verifier(path, recordings, seed, workers)
        for what, figure in Verifier.load(verifier).report.items():
            say(f"{what}: {figure}")
    say(f"{path}: threshold {threshold:.3f}, {minutes} minutes")
    return path


def keep_origin(head: Head, path: Path, command: str, recordings: Path | None) -> None:
    """The weights as trained beside the head's folder, and where they come from beside the head."""
    state = {
        f"{what}{number}": torch.from_numpy(values)
        for number, layer in enumerate(head.layers)
        for what, values in zip(("weight", "bias"), layer, strict=True)
    }
    checkpoint = weights.keep(state, weights.beside(path.parent) / path.stem)
    sets = provenance.own("everyday.txt", "words.txt", "paraphrases.yaml", "wake_split.tsv")
    provenance.record(path, checkpoint, sets | _heard(recordings), command, "fp16")


def _heard(recordings: Path | None) -> dict[str, Path]:
    """What of real people and places it learned from, or took its texts from."""
    found = provenance.corpora("negatives", "keywords", "noise", "text/goemotions", "text/clinc")
    return found | ({"the owner's recordings": recordings} if recordings else {})


def check_name(name: str, spellings: Sequence[str]) -> None:
    """TrainingError for an empty, wordless, endless or unpronounceable name, before any work is done."""
    for text in (name, *spellings):
        if sum(c.isalpha() for c in text) < 2 or len(text) > 40:
            raise TrainingError(f"the name {text!r} cannot be trained; give one to four words with letters")
    first = voices.voices()[0]
    if not is_mandarin(name):
        wake_words.judge(name)
        voices.synthesize(name, first, np.random.default_rng(0))


def training_orders(plan: Plan, words: Words, seed: int, recordings: Path | None) -> list[Order]:
    real = (
        real_orders(real_negatives("train", words.name), plan.real_copies, seed) if plan.real_copies else []
    )
    return [
        *split_orders("name", plan.names, seed),
        *split_orders("near", plan.near, seed),
        *split_orders("talk", plan.talk, seed),
        *split_orders("order", plan.orders, seed),
        *split_orders("noise", plan.noises, seed),
        *split_orders("animal", plan.animals, seed),
        *owner_orders(recordings, plan.owner_copies, seed, held_out=False),
        *real,
    ]


def choosing_orders(plan: Plan, words: Words, seed: int, recordings: Path | None) -> list[Order]:
    """Held-out voices, clean and at 10 dB, and real speech of other people than those trained on."""
    real = real_orders(real_negatives("choose", words.name), 1, seed) if plan.real_copies else []
    return [
        *split_orders("name", plan.choose, seed, held_out=True, snr_db=float("inf")),
        *split_orders("name", plan.choose, seed, held_out=True, snr_db=10.0),
        *split_orders("near", plan.choose, seed, held_out=True),
        *split_orders("talk", 2 * plan.choose, seed, held_out=True),
        *split_orders("order", plan.choose, seed, held_out=True),
        *split_orders("animal", plan.choose // 2, seed + 1),
        *owner_orders(recordings, 1, seed, held_out=True),
        *real,
    ]


def owner_orders(recordings: Path | None, copies: int, seed: int, held_out: bool) -> list[Order]:
    """Three of four recordings train, in many rooms; every fourth is kept aside, as it is."""
    if recordings is None:
        return []
    snr_db = float("inf") if held_out else None
    return [Order("owner", copies, seed, held_out, snr_db, (str(recordings),))]


def gather(words: Words, orders: list[Order], workers: int, what: str) -> list[Clip]:
    """Make all clips in worker processes; negatives that hold the name are dropped."""
    clips: list[Clip] = []
    told = time.monotonic()
    for done, made in enumerate(spread(partial(wake_clips.make, words), orders, workers), 1):
        clips += made
        if time.monotonic() - told > 10 or done == len(orders):
            told = time.monotonic()
            say(f"{what}: {done} of {len(orders)} batches, {len(clips)} clips")
    texts = sorted({clip.text for clip in clips if clip.kind in {"talk", "order"}})
    same = {text for text, like in zip(texts, alike(words.name, texts), strict=True) if like}
    same |= {text for text in texts if any(word in text for word in words.banned)}
    return [clip for clip in clips if clip.kind not in {"talk", "order"} or clip.text not in same]


def count(clips: Sequence[Clip]) -> dict[str, int]:
    kinds = [clip.kind for clip in clips]
    return {kind: kinds.count(kind) for kind in sorted(set(kinds))}


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="everpaw train wake", description="Train a wake head from its name alone."
    )
    parser.add_argument(
        "--name", required=True, help='what is said, as in "hey buddy"; "stop" makes the stop head'
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for the head")
    parser.add_argument(
        "--recordings", type=Path, help="folder of recordings of the name by its owner, one name a file"
    )
    parser.add_argument(
        "--only-owner", action="store_true", help="of these recordings: the pet answers to that voice alone"
    )
    parser.add_argument(
        "--say",
        action="append",
        default=[],
        metavar="SPELLING",
        help="another way to write the name, for synthesisers that read it wrong; may be given again",
    )
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--smoke", action="store_true", help="a useless head in half a minute")
    parser.add_argument("--workers", type=int, default=2, help="processes that speak; 0: this one")
    args = parser.parse_args(argv)
    if args.only_owner and not args.recordings:
        parser.error("--only-owner needs --recordings DIR")
    return args


if __name__ == "__main__":
    sys.exit(main())
