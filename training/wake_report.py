"""What a finished head does on sound it was never trained or tuned on, streamed as the runtime streams.

    EVERPAW_DATA=... python -m training.wake_report runtime/starter/wake/hey_buddy.onnx [--json]

Misses and delay on held-out synthetic voices; fires an hour, with the 95 % bound, on real recordings: the
report half of the negatives, read sentences, orders, cats and dogs. For the stop word also its ten real
recordings.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from runtime.audio.heads import WakeHead
from runtime.audio.wake import WakeDetector, WakeHit
from runtime.contracts.audio import SAMPLE_RATE_HZ, AudioBlock, Samples
from runtime.contracts.errors import EverpawError
from training import wake_clips
from training.data import augment, noise, speech, voices
from training.data.voices import Floats

_BLOCK = 320
_PAD = np.zeros(SAMPLE_RATE_HZ, np.int16)
Figures = dict[str, object]


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m training.wake_report", description="Measure a head.")
    parser.add_argument("head", type=Path)
    parser.add_argument("--clips", type=int, default=300, help="held-out synthetic clips for each condition")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args(argv)
    try:
        figures = measure(args.head, args.clips)
    except EverpawError as error:
        print(f"everpaw: {error}", file=sys.stderr)
        return 1
    print(
        json.dumps(figures) if args.json else "\n".join(f"{key}: {value}" for key, value in figures.items())
    )
    return 0


def measure(head: Path, clips: int) -> Figures:
    """All figures; the ones on recordings only where EVERPAW_DATA is set."""
    name = WakeHead(head).settings.name
    detector = WakeDetector([head])
    figures: Figures = {"name": name}
    for label, snr_db in (("clean", np.inf), ("10db", 10.0)):
        figures |= {
            f"{key}_{label}": value for key, value in synthetic(detector, name, clips, snr_db).items()
        }
    figures |= in_a_sentence(detector, name, clips // 2)
    root = os.environ.get("EVERPAW_DATA")
    if root:
        for label, files in recordings(Path(root), name).items():
            figures[label] = false_fires(detector, files)
    if root and name == "stop":
        figures["real_stop"] = recall(detector, sorted((Path(root) / "keywords" / "stop").glob("*.flac")))
    return figures


def synthetic(detector: WakeDetector, name: str, clips: int, snr_db: float) -> Figures:
    """Share of names missed, and milliseconds from the word's end to the hit."""
    rng = np.random.default_rng(99)
    among, delays_ms, missed = voices.voices(held_out=True), [], 0
    for _ in range(clips):
        sound = speech.spoken(voices.plan(name, voices.choose(among, rng), rng))
        lead = int(rng.uniform(0.5, 1.5) * SAMPLE_RATE_HZ)
        hits = stream(detector, _in_room(np.pad(sound, (lead, SAMPLE_RATE_HZ)), rng, snr_db))
        end_s = (lead + len(sound) - 160) / SAMPLE_RATE_HZ
        timely = [hit.t_s - end_s for hit in hits if -0.3 < hit.t_s - end_s < 1.0]
        missed += not timely
        delays_ms += [1000 * timely[0]] if timely else []
    figures: Figures = {"missed": f"{missed}/{clips}"}
    if delays_ms:
        figures |= {
            "delay_ms_p50": round(float(np.median(delays_ms))),
            "delay_ms_p95": round(_p95(delays_ms)),
        }
    return figures


def in_a_sentence(detector: WakeDetector, name: str, clips: int) -> Figures:
    """Share of names missed when an order follows without a pause (stop: "stop it", "please stop")."""
    rng = np.random.default_rng(98)
    among, missed = voices.voices(held_out=True), 0
    tails = (" sit down", " come here", " lie down", " turn left", " good boy")
    texts = (
        ["stop it", "please stop", "buddy stop", "stop now"] if name == "stop" else [name + t for t in tails]
    )
    for i in range(clips):
        sound = speech.spoken(voices.plan(texts[i % len(texts)], voices.choose(among, rng), rng))
        missed += not stream(detector, _in_room(np.pad(sound, SAMPLE_RATE_HZ), rng, np.inf))
    return {"missed_in_sentence": f"{missed}/{clips}"}


def recordings(root: Path, name: str) -> dict[str, list[Path]]:
    """Test-only sets; none of them holds the starter's names."""
    sets = {"negatives_report_half": [Path(p) for p in wake_clips.real_negatives("report", name)]}
    for folder in ("speech", "commands", "pets", "wake", "wake_fixtures"):
        sets[folder] = sorted((root / folder).rglob("*.flac"))
    return sets


def false_fires(detector: WakeDetector, files: Sequence[Path]) -> Figures:
    """Fires in a set that holds no name, the hours, and the rate at which so few would be luck (95 %)."""
    fired, samples = [], 0
    for path in files:
        sound = _read(path)
        samples += len(sound)
        fired += [path.name for _ in stream(detector, sound)]
    hours = samples / SAMPLE_RATE_HZ / 3600
    bound = _poisson_bound(len(fired)) / max(hours, 1e-9)
    return {
        "fires": len(fired),
        "hours": round(hours, 3),
        "at_most_an_hour": round(bound, 1),
        "files": fired[:8],
    }


def recall(detector: WakeDetector, files: Sequence[Path]) -> str:
    return f"{sum(bool(stream(detector, _read(path))) for path in files)}/{len(files)}"


def stream(detector: WakeDetector, samples: Samples) -> list[WakeHit]:
    """All hits in `samples` between a second of silence, from a fresh start; times from the first sample."""
    detector.reset()
    padded = np.concatenate([_PAD, samples, _PAD])
    blocks = (AudioBlock(padded[i : i + _BLOCK], i - len(_PAD)) for i in range(0, len(padded), _BLOCK))
    return [hit for block in blocks for hit in detector.step(block)]


def _in_room(sound: Floats, rng: np.random.Generator, snr_db: float) -> Samples:
    if np.isfinite(snr_db):
        sound = augment.mix(sound, noise.stretch(len(sound), rng, "kitchen"), snr_db)
    return speech.to_int16((0.5 * sound / np.abs(sound).max()).astype(np.float32))


def _read(path: Path) -> Samples:
    import soundfile

    samples, _ = soundfile.read(path, dtype="int16")
    return samples


def _p95(values: Sequence[float]) -> float:
    return float(np.quantile(values, 0.95))


def _poisson_bound(events: int) -> float:
    """Largest mean that still gives so few events once in twenty."""
    low, high = 0.0, 20.0 + 3.0 * events
    for _ in range(60):
        mean = (low + high) / 2
        terms = np.cumprod([1.0, *(mean / k for k in range(1, events + 1))])
        low, high = (mean, high) if np.exp(-mean) * terms.sum() > 0.05 else (low, mean)
    return low


if __name__ == "__main__":
    sys.exit(main())
