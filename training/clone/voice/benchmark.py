"""How well the voice is made: `python -m training.clone.voice.benchmark [--seed N]`.

Calls of animals made by rule, of which all is known, in noise; and, where EVERPAW_DATA names recordings, real
barks and meows. How faint calls are dropped was settled with half of the real clips in view, so their figures
are slightly kind.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from runtime import starter
from runtime.intervals import Share
from runtime.speech.pitch import pitch_of
from runtime.speech.psola import Grains
from runtime.speech.sounds import MOOD_POINTS, SoundBank
from training.clone.voice import bank as banks
from training.clone.voice.denoise import denoised
from training.clone.voice.intake import look
from training.clone.voice.likeness import Recogniser
from training.clone.voice.segments import Segment, segments
from training.clone.voice.soundtrack import Signal
from training.clone.voice.synthetic import KINDS, Animal, animals, call, coloured, scene

OVERLAP = 0.5
"""A call counts as found where it and what was found share so much of what they cover together"""
_PAUSE = 6_400
Figures = dict[str, object]


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="training.clone.voice.benchmark", description=__doc__)
    parser.add_argument("--seed", type=int, default=2_000)
    parser.add_argument("--only", choices=SECTIONS, help="one part")
    parser.add_argument("--short", action="store_true", help="a fifth of everything")
    args = parser.parse_args(argv)
    for name, measure in SECTIONS.items():
        if args.only in (None, name):
            print(json.dumps({name: measure(args.seed, 1 if args.short else 5)}), flush=True)
    return 0


def noises(seed: int) -> dict[str, Signal]:
    """White, pink, brown; a kitchen with its clatter where that is there."""
    rng = np.random.default_rng(seed)
    made = {name: coloured(30, slope, rng) for name, slope in (("white", 0), ("pink", 1), ("brown", 2))}
    kitchen = _data() / "noise/kitchen.flac"
    return made | ({"kitchen": _read(kitchen)} if kitchen.is_file() else {})


def finding(seed: int, size: int) -> Figures:
    """F1 of the calls, by noise and signal-to-noise ratio."""
    figures: Figures = {}
    for name, noise in noises(seed).items():
        for snr_db in (10, 5, 0):
            hits = found = true = 0
            for i, animal in enumerate(animals(size, seed)):
                made = scene(animal, snr_db, noise, _rng(seed, i, snr_db))
                here = segments(made.heard)
                hits += matched(here, made.calls)
                found, true = found + len(here), true + len(made.calls)
            figures[f"{name} {snr_db} dB"] = {"f1": round(2 * hits / (found + true), 3), "calls": true}
    return figures


def matched(found: list[Segment], true: tuple[tuple[int, int], ...]) -> int:
    """How many calls were found, each by one segment."""
    free, hits = list(found), 0
    for start, end in true:
        best = max(free, key=lambda s: _overlap(s, start, end), default=None)
        if best is not None and _overlap(best, start, end) >= OVERLAP:
            free.remove(best)
            hits += 1
    return hits


def _overlap(s: Segment, start: int, end: int) -> float:
    return (min(end, s.end) - max(start, s.start)) / (max(end, s.end) - min(start, s.start))


def denoising(seed: int, size: int) -> Figures:
    """dB gained over the calls, beside noisereduce on the same."""
    peer = _peer()
    figures: Figures = {}
    for name, noise in noises(seed).items():
        for snr_db in (30, 20, 10, 5, 0):
            ours, theirs = [], []
            for i, animal in enumerate(animals(size, seed)):
                made = scene(animal, snr_db, noise, _rng(seed, i, snr_db))
                calls = [(s.start, s.end) for s in segments(made.heard)]
                gained = partial(_gained_db, made.clean, made.noise, made.active)
                ours.append(gained(denoised(made.heard, calls).samples))
                theirs += [gained(peer(made.heard))] if peer else []
            row = {"mean_db": round(float(np.mean(ours)), 1), "worst_db": round(min(ours), 1)}
            beside = {"noisereduce_mean_db": round(float(np.mean(theirs)), 1)} if theirs else {}
            figures[f"{name} {snr_db} dB"] = row | beside
    return figures


def _gained_db(clean: Signal, noise: Signal, active: npt.NDArray[np.bool_], made: Signal) -> float:
    before = float(np.sum(noise[active] ** 2))
    after = float(np.sum((made - clean)[active] ** 2))
    return 10 * float(np.log10(before / max(after, 1e-12)))


def _peer() -> Callable[[Signal], Signal] | None:
    try:
        import noisereduce
    except ImportError:
        return None
    return lambda samples: np.asarray(noisereduce.reduce_noise(y=samples, sr=16_000), np.float32)


def whose(seed: int, size: int) -> Figures:
    """Calls of ten clones: all different, and taken for the right animal by who knows other takes of it?"""
    ten = animals(10, seed)
    known = {
        a.name: [call(a, kind, _rng(seed, 1, i, n)) for kind in KINDS for n in range(12)]
        for i, a in enumerate(ten)
    }
    recogniser = Recogniser.of(known)
    right: dict[str, int] = dict.fromkeys(known, 0)
    heard: set[bytes] = set()
    for i, animal in enumerate(ten):
        sounds = _clone(animal, [_rng(seed, 2, i, n) for n in range(6)])
        for n in range(20 * size):
            samples = sounds.pick(KINDS[n % len(KINDS)], list(MOOD_POINTS)[n % len(MOOD_POINTS)])
            heard.add(samples.tobytes())
            right[animal.name] += (
                recogniser.whose(np.divide(samples, 32_768, dtype=np.float32)) == animal.name
            )
    again = [
        recogniser.whose(call(animal, kind, _rng(seed, 3, i, n))) == animal.name
        for i, animal in enumerate(ten)
        for kind in KINDS
        for n in range(4)
    ]
    return {
        "calls": 200 * size,
        "different": len(heard),
        "recognised": str(Share(sum(right.values()), 200 * size)),
        "worst animal": min(right.values()) / (20 * size),
        "fresh recordings of the animals themselves": str(Share(sum(again), len(again))),
    }


def _clone(animal: Animal, rngs: list[np.random.Generator]) -> SoundBank:
    """The bank of some recordings of an animal, as its robot plays it."""
    with tempfile.TemporaryDirectory(prefix="everpaw-") as scratch:
        recordings = []
        for kind in KINDS:
            calls = [np.pad(0.3 * call(animal, kind, rng), _PAUSE) for rng in rngs]
            path = Path(scratch) / f"{kind}.wav"
            samples = np.concatenate(calls)
            soundfile.write(path, samples + 1e-4 * rngs[0].standard_normal(len(samples)), 16_000)
            recordings.append(look(path, path.name, "dog"))
        banks.write(Path(scratch) / "bank", animal.name, "dog", recordings, "made by rule")
        return SoundBank(Path(scratch) / "bank/sounds", 1)


def pitching(seed: int, size: int) -> Figures:
    """Cents by which a moved call misses the pitch that was asked for; its cost as a share of real time."""
    missed, cost = [], []
    for i, animal in enumerate(animals(2 * size, seed)):
        for kind in ("whine", "howl", "meow", "bark"):
            samples = call(animal, kind, _rng(seed, 4, i, 0))
            hz = pitch_of(samples).hz
            for semitones in (-2, -1, 1, 2):
                began = time.perf_counter()
                moved = Grains.of(samples, hz).shifted(2 ** (semitones / 12), 1.0)
                cost.append((time.perf_counter() - began) / (len(moved) / 16_000))
                after = pitch_of(moved).hz[: len(hz)]
                before = hz[: len(after)]
                tone = (before > 0) & (after > 0)
                if tone.any():
                    off = 1_200 * np.log2(after[tone] / before[tone]) - 100 * semitones
                    missed.append(float(np.median(np.abs(off))))
    return {
        "median_cents": round(float(np.median(missed)), 1),
        "p95_cents": round(float(np.percentile(missed, 95)), 1),
        "n": len(missed),
        "share_of_real_time": round(float(np.median(cost)), 4),
    }


def deciding(seed: int, size: int) -> Figures:
    """Milliseconds from the decision to samples that can sound, in the starter's bank."""
    sounds = SoundBank(starter.load_pack().part("sounds"), seed)
    first: list[float] = []
    ready: list[float] = []
    for again in range(4 * size):
        for kind in sounds.kinds:
            for mood in MOOD_POINTS:
                began = time.perf_counter()
                sounds.pick(kind, mood)
                (ready if again else first).append(1e3 * (time.perf_counter() - began))
    return {
        "first_time_worst_ms": round(max(first), 1),
        "ready_p95_ms": round(float(np.percentile(ready, 95)), 1),
        "ready_worst_ms": round(max(ready), 1),
        "n": len(ready),
    }


def species(seed: int, size: int) -> Figures:
    """Real clips: the right species, and how many calls of use are in them."""
    folders = {"cat": _data() / "pets/cats", "dog": _data() / "pets/dogs"}
    if not all(folder.is_dir() for folder in folders.values()):
        return {"skipped": "EVERPAW_DATA names no folder with pets/"}
    figures: Figures = {}
    for name, folder in folders.items():
        seen = [look(path, path.name, name) for path in sorted(folder.glob("*.flac"))]
        figures[name] = {
            "right": str(Share(sum(r.species == name for r in seen), len(seen))),
            "taken for the other and said so": sum(any("sounds like a" in s for s in r.says) for r in seen),
            "usable calls": sum(len(r.taken) for r in seen),
            "clips with one": sum(r.good for r in seen),
        }
    return figures


SECTIONS: dict[str, Callable[[int, int], Figures]] = {
    "finding": finding,
    "denoising": denoising,
    "whose": whose,
    "pitching": pitching,
    "deciding": deciding,
    "species": species,
}


def _rng(*seed: int) -> np.random.Generator:
    return np.random.default_rng(list(seed))


def _data() -> Path:
    return Path(os.environ.get("EVERPAW_DATA", "/nowhere"))


def _read(path: Path) -> Signal:
    samples, _ = soundfile.read(path, dtype="float32")
    return np.asarray(samples, np.float32)


if __name__ == "__main__":
    sys.exit(main())
