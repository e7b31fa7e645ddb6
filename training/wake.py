"""Train a wake head, or the stop word's, from the typed name alone.

    python -m training.wake --name "hey buddy" --out runtime/starter/wake
    python -m training.wake --name stop --out runtime/starter/stop

Synthetic people say the name among other words, in many rooms; other synthetic people say everything
else, near misses above all. With EVERPAW_DATA set, real speech that may be trained on joins the
negatives. A small network on the runtime's own speech embeddings learns the difference; the windows it
gets wrong are shown to it again. The threshold is chosen on voices and recordings it never saw. Written:
NAME.onnx with threshold, patience and refractory time in its metadata, NAME.json, a model card. The
TFLite twin for Home Assistant is to come beside them.
"""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from runtime.contracts.errors import EverpawError, TrainingError
from training import wake_clips
from training.data import voices
from training.data.workers import spread
from training.wake_clips import Clip, Order, Words, real_negatives, real_orders, split_orders
from training.wake_export import save_head, write_card

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is made and how long it is looked at; saved beside the head."""

    windows: int
    patience: int
    refractory_s: float
    sentence_fires: float
    """Share of ordinary synthetic sentences that may fire when the threshold is chosen"""
    real_fires: float
    """Share of real recordings and animals that may"""
    early_s: float
    """The name counts as over this long before its marked end"""
    late_s: float
    names: int = 3000
    near: int = 2600
    talk: int = 3000
    orders: int = 1300
    noises: int = 150
    animals: int = 250
    real_copies: int = 4
    choose: int = 320
    """Held-out clips of each kind to choose the threshold on"""
    rounds: int = 4
    steps: int = 450
    """Training steps a round; hard negatives are looked for between rounds"""


WAKE = Plan(16, patience=2, refractory_s=1.5, sentence_fires=0.005, real_fires=0.0, early_s=0.04, late_s=0.32)
# a stop too many costs a moment, a stop too few may cost more
STOP = Plan(10, patience=1, refractory_s=0.8, sentence_fires=0.01, real_fires=0.01, early_s=0.10, late_s=0.32)
SMOKE = {"names": 48, "near": 32, "talk": 32, "orders": 16, "noises": 4, "animals": 4, "real_copies": 0}
SMOKE |= {"choose": 16, "rounds": 2, "steps": 40}


def main(argv: Sequence[str] | None = None) -> int:
    args = _arguments(argv)
    try:
        train(args.name, args.out, args.seed, args.smoke, args.workers)
    except EverpawError as error:
        print(f"everpaw: {error}", file=sys.stderr)
        return 1
    return 0


def train(name: str, out: Path, seed: int, smoke: bool = False, workers: int = 2) -> Path:
    """Make the head for `name` in folder `out`; its path. TrainingError where the name cannot be spoken."""
    started = time.monotonic()
    name = " ".join(name.lower().split())
    check_name(name)
    for line in voices.missing():
        say(line)
    plan = STOP if name == "stop" else WAKE
    plan = Plan(**(asdict(plan) | SMOKE)) if smoke else plan
    words = wake_clips.words_for(name)

    # data: train on most voices, choose the threshold on the held-out ones
    orders = {"train": training_orders(plan, name, seed), "choose": choosing_orders(plan, name, seed)}
    clips = dict(
        zip(orders, (gather(words, todo, workers, what) for what, todo in orders.items()), strict=True)
    )

    # model
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    data = Windows(clips["train"], plan)
    model = Head(plan.windows, data.embeddings)
    fit(model, data, plan, seed)

    # threshold, report, files
    threshold, report = choose_threshold(model, clips["choose"], plan)
    report |= {"seed": seed, "minutes": round((time.monotonic() - started) / 60, 1), "plan": asdict(plan)}
    report |= {
        "clips": count(clips["train"]),
        "real_data": bool(os.environ.get("EVERPAW_DATA")),
        "smoke": smoke,
    }
    path = save_head(model, out, name, threshold, plan.patience, plan.refractory_s, report)
    write_card(path, name, report)
    say(f"{path}: threshold {threshold:.3f}, {report['minutes']} minutes")
    return path


def check_name(name: str) -> None:
    """TrainingError for an empty, wordless or endless name, before any work is done."""
    letters = sum(c.isalpha() for c in name)
    if letters < 2 or len(name) > 40:
        raise TrainingError(f"the name {name!r} cannot be trained; give one to four words with letters")
    first = voices.voices()[0]
    voices.synthesize(name, first, np.random.default_rng(0))


def training_orders(plan: Plan, name: str, seed: int) -> list[Order]:
    real = real_orders(real_negatives("train", name), plan.real_copies, seed) if plan.real_copies else []
    return [
        *split_orders("name", plan.names, seed),
        *split_orders("near", plan.near, seed),
        *split_orders("talk", plan.talk, seed),
        *split_orders("order", plan.orders, seed),
        *split_orders("noise", plan.noises, seed),
        *split_orders("animal", plan.animals, seed),
        *real,
    ]


def choosing_orders(plan: Plan, name: str, seed: int) -> list[Order]:
    """Held-out voices, clean and at 10 dB, and real speech of other people than those trained on."""
    real = real_orders(real_negatives("choose", name), 1, seed) if plan.real_copies else []
    return [
        *split_orders("name", plan.choose, seed, held_out=True, snr_db=float("inf")),
        *split_orders("name", plan.choose, seed, held_out=True, snr_db=10.0),
        *split_orders("near", plan.choose, seed, held_out=True),
        *split_orders("talk", 2 * plan.choose, seed, held_out=True),
        *split_orders("order", plan.choose, seed, held_out=True),
        *split_orders("animal", plan.choose // 2, seed + 1),
        *real,
    ]


def gather(words: Words, orders: list[Order], workers: int, what: str) -> list[Clip]:
    """Make all clips in worker processes, with a line of progress now and then."""
    clips: list[Clip] = []
    told = time.monotonic()
    for done, made in enumerate(spread(partial(wake_clips.make, words), orders, workers), 1):
        clips += made
        if time.monotonic() - told > 10 or done == len(orders):
            told = time.monotonic()
            say(f"{what}: {done} of {len(orders)} batches, {len(clips)} clips")
    return clips


class Windows:
    """Every window a head sees in the clips: where it ends, and whether the name has just ended there."""

    def __init__(self, clips: Sequence[Clip], plan: Plan) -> None:
        silence = wake_clips.embed(np.zeros(1280, np.int16))
        past = np.repeat(silence, plan.windows - 1, axis=0)
        self.embeddings: Floats = np.concatenate([p for c in clips for p in (past, c.embeddings)])  # (N, 96)
        self._reach = np.arange(-plan.windows + 1, 1)
        ends, labels, real, at = [], [], [], 0
        for clip in clips:
            steps = len(clip.embeddings)
            ends.append(at + len(past) + np.arange(steps))
            labels.append(label(clip, plan))
            real.append(np.full(steps, clip.kind == "real"))
            at += len(past) + steps
        self.ends, self.labels = np.concatenate(ends), np.concatenate(labels)
        self.real = np.concatenate(real)

    def take(self, which: npt.NDArray[np.int64]) -> torch.Tensor:
        """(B, T, 96) for indices into `ends`."""
        return torch.from_numpy(self.embeddings[self.ends[which][:, None] + self._reach])


def label(clip: Clip, plan: Plan) -> npt.NDArray[np.int8]:
    """1 just after the name, 0 far from it, -1 (not looked at) between."""
    after_s = (np.arange(len(clip.embeddings)) + 1) * 0.08 - clip.end_s
    labels = np.zeros(len(after_s), np.int8)
    if np.isfinite(clip.end_s):
        labels[(after_s > -0.25) & (after_s < plan.late_s + 0.5)] = -1
        labels[(after_s >= -plan.early_s) & (after_s <= plan.late_s)] = 1
    return labels


class Head(nn.Module):
    """[B, T, 96] -> [B, 1] probability: normalise, two layers, one score."""

    def __init__(self, windows: int, embeddings: Floats) -> None:
        super().__init__()
        self.register_buffer("mean", torch.from_numpy(embeddings.mean(axis=0)))
        self.register_buffer("scale", torch.from_numpy(1.0 / (embeddings.std(axis=0) + 1e-3)))
        self.layers = nn.Sequential(
            nn.Flatten(),
            nn.Dropout(0.15),
            nn.Linear(96 * windows, 64),
            nn.LayerNorm(64),
            nn.ReLU(),
            nn.Dropout(0.3),
            nn.Linear(64, 64),
            nn.LayerNorm(64),
            nn.ReLU(),
            nn.Dropout(0.3),
            nn.Linear(64, 1),
        )

    def logits(self, windows: torch.Tensor) -> torch.Tensor:
        normal = (windows - self.mean) * self.scale  # (B, T, 96)
        return self.layers(normal)  # (B, 1)

    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(self.logits(windows))


def fit(model: Head, data: Windows, plan: Plan, seed: int) -> None:
    """Rounds of training; the negatives that scored highest are shown more often in the next.

    Not much more often: a head that gets every near miss of the training voices right has learnt those voices
    by heart and misses new people. Real recordings are shown only where they score high: the names are all
    synthetic, so a head that sees much real speech learns that real means no.
    """
    rng = np.random.default_rng(seed)
    names, negatives = np.flatnonzero(data.labels == 1), np.flatnonzero(data.labels == 0)
    others = np.flatnonzero((data.labels == 0) & ~data.real)
    hard = negatives
    total = plan.rounds * plan.steps
    optimiser = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=2e-3, total_steps=total)
    for number in range(plan.rounds):
        model.train()
        loss_sum = 0.0
        for _ in range(plan.steps):
            which = np.concatenate([rng.choice(names, 128), rng.choice(others, 256), rng.choice(hard, 32)])
            seen = data.take(which)
            seen = seen + torch.randn_like(seen)  # embeddings spread about 7
            wanted = torch.from_numpy(np.where(data.labels[which] == 1, 0.97, 0.005).astype(np.float32))
            loss = nn.functional.binary_cross_entropy_with_logits(model.logits(seen)[:, 0], wanted)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            loss_sum += float(loss.detach())
        scores = score(model, data, negatives)
        hard = negatives[np.argsort(-scores)[: max(512, len(negatives) // 33)]]
        wrong = float((scores > 0.5).mean())
        say(
            f"round {number + 1} of {plan.rounds}: loss {loss_sum / plan.steps:.3f}, "
            f"{wrong:.4%} of negatives wrong"
        )


@torch.no_grad()
def score(model: Head, data: Windows, which: npt.NDArray[np.int64] | None = None) -> Floats:
    """Probability of each window."""
    model.eval()
    which = np.arange(len(data.ends)) if which is None else which
    pieces = [model(data.take(which[i : i + 4096]))[:, 0].numpy() for i in range(0, len(which), 4096)]
    return np.concatenate(pieces)


def peaks(model: Head, clips: Sequence[Clip], plan: Plan) -> Floats:
    """Per clip the highest threshold at which it fires: names only around their end, others anywhere."""
    found = []
    for clip in clips:
        scores = score(model, Windows([clip], plan))
        runs = (
            np.lib.stride_tricks.sliding_window_view(scores, plan.patience).min(axis=1)
            if len(scores)
            else scores
        )
        after_s = (np.arange(len(runs)) + plan.patience) * 0.08 - clip.end_s
        if np.isfinite(clip.end_s):
            runs = runs[(after_s > -0.3) & (after_s < 0.9)]
        found.append(runs.max(initial=0.0))
    return np.array(found, np.float32)


def choose_threshold(model: Head, clips: Sequence[Clip], plan: Plan) -> tuple[float, dict[str, object]]:
    """The lowest threshold at which no more sentences, real recordings and animals fire than the plan allows.

    Clips that sound like the name are reported, not weighed: firing on some of them is the price of hearing
    everybody.
    """
    best = peaks(model, clips, plan)
    kinds = np.array([clip.kind for clip in clips])
    names, real = best[kinds == "name"], best[(kinds == "real") | (kinds == "animal")]
    sentences = best[(kinds == "talk") | (kinds == "order")]
    floors = [float(np.quantile(sentences, 1 - plan.sentence_fires))]
    floors += [float(np.quantile(real, 1 - plan.real_fires, method="higher")) + 1e-3]
    threshold = float(np.clip(max(floors), 0.5, 0.995))
    fired = {
        f"fired_{k}": float((best[kinds == k] >= threshold).mean()) for k in sorted(set(kinds) - {"name"})
    }
    half = len(names) // 2
    report: dict[str, object] = {
        "missed_clean": float((names[:half] < threshold).mean()),
        "missed_10db": float((names[half:] < threshold).mean()),
        "names_each": half,
        **fired,
    }
    say("held-out voices: " + ", ".join(f"{key} {value}" for key, value in report.items()))
    return threshold, report


def count(clips: Sequence[Clip]) -> dict[str, int]:
    kinds = [clip.kind for clip in clips]
    return {kind: kinds.count(kind) for kind in sorted(set(kinds))}


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m training.wake", description="Train a head from its name."
    )
    parser.add_argument(
        "--name", required=True, help='what is said, as in "hey buddy"; "stop" makes the stop head'
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for the head")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--smoke", action="store_true", help="a useless head in half a minute")
    parser.add_argument("--workers", type=int, default=2, help="processes that speak; 0: this one")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
