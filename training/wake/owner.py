"""A verifier from a few recordings of the owner: the pet answers to this voice alone.

    python -m training.wake.owner --head DIR/hey_buddy.onnx --recordings MINE

Linear discriminant analysis (Fisher, 1936) between the owner's windows, in many rooms, and those of hundreds
of synthetic people saying the same name; what differs within one voice counts for little. The threshold is
the one at which recordings that a verifier has not seen are still the owner, by leaving each out in turn.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from runtime.audio.heads import WakeHead
from runtime.audio.verifier import SUFFIX, Floats, Verifier, packed
from runtime.contracts.audio import SAMPLE_RATE_HZ
from runtime.contracts.errors import EverpawError, TrainingError
from runtime.intervals import Share
from training.data import augment, speech
from training.data.embeddings import embed
from training.data.workers import spread
from training.wake import clips as wake_clips
from training.wake.clips import Clip, embed_silence, split_orders
from training.wake.real import owners_recordings
from training.wake.texts import Words, words_for

FEWEST = 3
_COPIES, _OTHERS, _HELD_OUT = 24, 640, 160
_SHRINK = 0.3
"""How far the spread is taken for alike in all directions; a few hundred voices tell little of 1,536"""
_MISSED = 0.05
_EARLY_S, _LATE_S = 0.04, 0.32


@dataclass(frozen=True, slots=True)
class Fisher:
    """`weights` (D,) and `bias`: log odds of the owner, both alike likely."""

    weights: Floats
    bias: float

    def __call__(self, rows: Floats) -> Floats:
        return np.asarray(rows @ self.weights + self.bias, np.float32)


def fisher(owner: Floats, others: Floats) -> Fisher:
    """(N, D) windows of the owner and (M, D) of others, with one spread, shrunk towards a diagonal."""
    means = owner.mean(0), others.mean(0)
    centred = others - means[1]
    spread = centred.T.astype(np.float64) @ centred / len(others)
    diagonal = np.diag(spread).copy()
    spread *= 1.0 - _SHRINK
    spread[np.diag_indices(len(spread))] += _SHRINK * diagonal + 1e-3
    weights = np.linalg.solve(spread, (means[0] - means[1]).astype(np.float64))
    return Fisher(weights.astype(np.float32), float(-(means[0] + means[1]) @ weights / 2))


def windows_of(clips: Sequence[Clip], windows: int) -> Floats:
    """(N, windows * 96): the steps just after the name."""
    past = np.repeat(embed_silence(), windows - 1, axis=0)
    rows = []
    for clip in clips:
        whole = np.concatenate([past, clip.embeddings])
        after_s = (np.arange(len(clip.embeddings)) + 1) * 0.08 - clip.end_s
        for step in np.flatnonzero((after_s >= -_EARLY_S) & (after_s <= _LATE_S)):
            rows.append(whole[step : step + windows].ravel())
    return np.array(rows, np.float32)


def in_rooms(sound: Floats, seed: int) -> list[Clip]:
    """The recording as it is and in other rooms; the voice is left as it is."""
    rng, made = np.random.default_rng(seed), []
    for number in range(_COPIES):
        lead, trail = (int(rng.uniform(low, low + 0.6) * SAMPLE_RATE_HZ) for low in (0.2, 0.7))
        whole = np.pad(sound, (lead, trail))
        placed = whole if number == 0 else augment.room(whole, rng, float(rng.uniform(0.1, 1.0)))
        end_s = (lead + len(sound)) / SAMPLE_RATE_HZ
        made.append(Clip(embed(speech.to_int16(placed)), end_s, "owner", ""))
    return made


def train_verifier(head: Path, recordings: Path, seed: int = 7, workers: int = 2) -> Path:
    """Write NAME.owner.json beside `head`; its path. TrainingError for fewer than three recordings."""
    sounds = owners_recordings(recordings)
    if len(sounds) < FEWEST:
        raise TrainingError(
            f"{recordings} holds {len(sounds)} recordings; say the name {FEWEST} times or more"
        )
    wake_head = WakeHead(head)
    name, windows = wake_head.settings.name, wake_head.windows
    words = words_for(name)
    strangers = windows_of(others(words, _OTHERS, seed, False, workers), windows)
    takes = [windows_of(in_rooms(sound, seed + i), windows) for i, sound in enumerate(sounds)]
    unseen = np.concatenate([_without(i, takes, strangers)(take) for i, take in enumerate(takes)])
    verifier = fisher(np.concatenate(takes), strangers)
    floor = float(np.quantile(unseen, _MISSED))
    aside = verifier(windows_of(others(words, _HELD_OUT, seed, True, workers), windows))
    report = {
        "owner, recordings left out in turn, steps missed": str(
            Share(int((unseen < floor).sum()), len(unseen))
        ),
        "other voices taken for the owner, steps": str(Share(int((aside >= floor).sum()), len(aside))),
        "recordings": str(len(sounds)),
    }
    path = head.with_name(head.stem + SUFFIX)
    written = Verifier(
        name=name, windows=windows, weights=packed(verifier.weights), bias=verifier.bias,
        threshold=float(np.clip(1 / (1 + np.exp(-floor)), 1e-6, 1 - 1e-6)), report=report,
    )  # fmt: skip
    draft = path.with_suffix(".part")
    draft.write_text(written.model_dump_json(indent=1) + "\n", encoding="utf-8")
    draft.replace(path)
    return path


def others(words: Words, n: int, seed: int, held_out: bool, workers: int) -> list[Clip]:
    """Synthetic people saying the name, in their rooms."""
    orders = split_orders("name", n, seed, held_out)
    return [clip for made in spread(partial(wake_clips.make, words), orders, workers) for clip in made]


def _without(number: int, takes: Sequence[Floats], strangers: Floats) -> Fisher:
    return fisher(np.concatenate([t for i, t in enumerate(takes) if i != number]), strangers)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m training.wake.owner", description="Let a head answer to its owner's voice alone."
    )
    parser.add_argument("--head", type=Path, required=True, help="NAME.onnx")
    parser.add_argument(
        "--recordings", type=Path, required=True, help="the name as its owner says it, a file each"
    )
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args(argv)
    try:
        path = train_verifier(args.head, args.recordings, args.seed, args.workers)
    except EverpawError as error:
        print(f"everpaw: {error}", file=sys.stderr)
        return 1
    for what, figure in Verifier.load(path).report.items():
        print(f"{what}: {figure}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
