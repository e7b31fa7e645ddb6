"""Train the starter's recogniser: text in, synthetic speech, a small CTC network, ONNX out.

    python -m training.asr --out runtime/starter/asr          # 36 minutes on two cores, then calibration
    python -m training.asr --out /tmp/asr --smoke             # under a minute, learns nothing much
    python -m training.asr --out DIR --start runtime/starter/asr --minutes 60   # goes on, mostly in noise
    python -m training.asr --evaluate runtime/starter/asr     # the figures of the model card
    everpaw train asr --model FOLDER ...                      # fine-tunes another: training.ctc.recipe

One process makes speech while this one learns from it. The schedule is tied to `--minutes` of wall clock;
a run that was killed goes on from its last checkpoint (`--work`), with the time it had left.
"""

import argparse
import copy
import json
import math
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
import yaml

from runtime.mind.grammar import Grammar
from runtime.speech.units import UNITS, decode, greedy
from training.asr.acoustic import Acoustic
from training.asr.batches import loss_of
from training.asr.clips import NOISY_DB, Clip, Mixture, Pool, hear, held_out_clips, sounds
from training.asr.error_rates import edits
from training.asr.rebuild import recogniser
from training.asr.texts import draw_texts
from training.data.speech import cache_folder

STARTER = Path(__file__).parents[2] / "runtime" / "starter"
PARAPHRASES = Path(__file__).parents[1] / "data" / "paraphrases.yaml"


@dataclass(frozen=True, slots=True)
class Settings:
    """`learning_rate` is the peak; `frames_a_batch` counts 10 ms frames, padding included."""

    minutes: float = 36.0
    seed: int = 7
    dim: int = 256
    layers: int = 2
    learning_rate: float = 1.2e-3
    warmup: float = 0.025
    start: str = ""
    """Folder of a shipped recogniser to go on from"""
    noisy: float = 0.0
    real: float = 0.2
    aligned_steps: int = 100
    """First steps, which learn the Gaussians' alignment before CTC finds its own"""
    frames_a_batch: int = 6_000
    draw: int = 768
    """Clips between two looks at the clock"""
    ema: float = 0.998
    texts: int = 60_000
    validation: int = 240
    validate_every_s: float = 180.0
    save_every_s: float = 120.0
    threads: int = 1


SMOKE = Settings(
    minutes=0.25, dim=48, layers=2, texts=200, draw=64, validation=8, validate_every_s=8.0, save_every_s=5.0,
    frames_a_batch=3_000,
)  # fmt: skip

NOISY = {"learning_rate": 6e-4, "aligned_steps": 0, "noisy": 0.7, "real": 0.3}
"""What `--start` changes: the network knows the sounds, and learns to hear them in noise"""


def free_wordings(path: Path = PARAPHRASES) -> list[str]:
    """The training half of the free wordings of the intents."""
    table = yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else {}
    return [str(text) for part in table.values() if isinstance(part, dict) for text in part.get("train", [])]


def rate_at(progress: float, settings: Settings) -> float:
    """One cycle over the wall clock: up, then down along a cosine."""
    if progress < settings.warmup:
        return settings.learning_rate * max(0.02, progress / settings.warmup)
    fallen = (progress - settings.warmup) / (1 - settings.warmup)
    return settings.learning_rate * (0.004 + 0.996 * 0.5 * (1 + math.cos(math.pi * min(1.0, fallen))))


@torch.no_grad()
def sound_errors(model: Acoustic, clips: Sequence[tuple[np.ndarray, list[str]]]) -> float:
    """Greedy sound error rate on (what was heard, sounds)."""
    model.eval()
    wrong = total = 0
    for heard, said in clips:
        log_probs = model(torch.from_numpy(heard)[None])
        wrong += edits(said, greedy(log_probs[0].numpy()))
        total += len(said)
    return wrong / max(1, total)


class Run:
    """Everything that a checkpoint holds."""

    def __init__(self, settings: Settings) -> None:
        torch.manual_seed(settings.seed)
        self.settings = settings
        self.model = Acoustic(len(UNITS), settings.dim, settings.layers)
        if settings.start:
            self.model = recogniser(Path(settings.start) / "model.onnx").acoustic
        self.average = copy.deepcopy(self.model)
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), lr=1e-4, weight_decay=0.01, betas=(0.9, 0.98)
        )
        self.step, self.elapsed_s, self.best = 0, 0.0, math.inf

    def update(self, clips: Sequence[Clip], rng: np.random.Generator, progress: float) -> float:
        self.model.train()
        for group in self.optimizer.param_groups:
            group["lr"] = rate_at(progress, self.settings)
        with torch.autocast("cpu", torch.bfloat16):
            loss = loss_of(self.model, clips, rng, aligned=self.step < self.settings.aligned_steps)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 2.0)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.step += 1
        keep = min(self.settings.ema, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for slow, fast in zip(self.average.parameters(), self.model.parameters(), strict=True):
                slow.lerp_(fast, 1 - keep)
        return float(loss.detach())

    def save(self, path: Path) -> None:
        state = {
            "settings": asdict(self.settings), "step": self.step,
            "elapsed_s": self.elapsed_s, "best": self.best,
            "model": self.model.state_dict(), "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }  # fmt: skip
        torch.save(state, path.with_suffix(".part"))
        path.with_suffix(".part").replace(path)

    def resume(self, path: Path) -> None:
        """Go on from `path` where it was made with the same settings."""
        if not path.exists():
            return
        state = torch.load(path, weights_only=True)
        if state["settings"] != asdict(self.settings):
            print(f"asr: {path} was made with other settings; starting anew", file=sys.stderr)
            return
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.elapsed_s, self.best = state["step"], state["elapsed_s"], state["best"]
        print(f"asr: going on at step {self.step}, {self.elapsed_s / 60:.1f} min in", file=sys.stderr)


def train(settings: Settings, grammar: Grammar, work: Path) -> Acoustic:
    """The averaged model at the end of the budget, or earlier once it has stopped getting better."""
    work.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(settings.threads)
    rng = np.random.default_rng(settings.seed)
    run = Run(settings)
    run.resume(work / "checkpoint.pt")
    texts = draw_texts(grammar, free_wordings(), settings.texts, settings.seed)
    unseen = draw_texts(grammar, [], settings.validation, settings.seed + 1)
    snr_db = NOISY_DB if settings.noisy else None
    spoken = held_out_clips(unseen, len(unseen), settings.seed, 0.5, snr_db)
    aside = [(hear(samples), decode(sounds(text))) for samples, text in spoken]
    budget_s = settings.minutes * 60
    begun = time.monotonic() - run.elapsed_s
    saved = checked = run.elapsed_s
    stale = 0
    with Pool(texts, settings.seed + run.step, Mixture(settings.real, settings.noisy)) as pool:
        while run.elapsed_s < budget_s and stale < 6:
            for clips in pool.batches(settings.frames_a_batch, settings.draw):
                loss = run.update(clips, rng, run.elapsed_s / budget_s)
                run.elapsed_s = time.monotonic() - begun
                if run.elapsed_s >= budget_s:
                    break
            if run.elapsed_s - saved > settings.save_every_s:
                run.save(work / "checkpoint.pt")
                saved = run.elapsed_s
            note = ""
            if run.elapsed_s - checked > settings.validate_every_s:
                error = sound_errors(run.average, aside)
                stale = 0 if error < run.best - 1e-4 or run.elapsed_s < 0.6 * budget_s else stale + 1
                run.best, checked, note = min(run.best, error), run.elapsed_s, f", sounds wrong {error:.2%}"
            left = max(0.0, budget_s - run.elapsed_s) / 60
            print(
                f"asr: step {run.step}, {pool.made} clips,"
                f" loss {loss:.3f}{note}, {left:.1f} min left",
                file=sys.stderr, flush=True,
            )  # fmt: skip
    run.save(work / "checkpoint.pt")
    print(f"asr: sounds wrong on held-out voices {sound_errors(run.average, aside):.2%}", file=sys.stderr)
    return run.average


def main(argv: Sequence[str] | None = None) -> int:
    argv = sys.argv[1:] if argv is None else argv
    if any(word.split("=")[0] == "--model" for word in argv):
        from training.ctc.recipe import main as fine_tune

        return fine_tune(argv)
    parser = argparse.ArgumentParser(prog="python -m training.asr", description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, help="folder for model.onnx and asr.json")
    parser.add_argument("--evaluate", type=Path, metavar="DIR", help="measure the model in DIR instead")
    parser.add_argument("--model", help="fine-tune this CTC model; `--model FOLDER --help` tells more")
    parser.add_argument("--grammar", type=Path, default=STARTER / "grammar.yaml")
    parser.add_argument("--work", type=Path, help="folder for checkpoints (default: ~/.cache/everpaw/asr)")
    parser.add_argument(
        "--start", type=Path, metavar="DIR", help="go on from the recogniser in DIR, mostly in noise"
    )
    parser.add_argument("--minutes", type=float, help="wall clock for training")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--smoke", action="store_true", help="a tiny model, seconds of training")
    args = parser.parse_args(argv)
    grammar = Grammar.load(args.grammar)
    if args.evaluate:
        from training.asr.score import evaluate

        print(json.dumps(evaluate(args.evaluate, grammar), indent=1))
        return 0
    if not args.out:
        parser.error("give --out DIR or --evaluate DIR")
    changes = {name: value for name in ("minutes", "seed") if (value := getattr(args, name)) is not None}
    if args.start:
        changes |= {"start": str(args.start), **NOISY}
    settings = Settings(**{**asdict(SMOKE if args.smoke else Settings()), **changes})
    work = args.work or cache_folder().parent / "asr"
    model = train(settings, grammar, work)

    from training.asr.export import ship

    ship(model, settings, grammar, args.out, clips=20 if args.smoke else 600)
    return 0


if __name__ == "__main__":
    sys.exit(main())
