"""What a finished head does on sound it was never trained or tuned on, streamed as the runtime streams.

    EVERPAW_DATA=... python -m training.wake.report runtime/starter/wake/hey_buddy.onnx [--json]

Names missed: on held-out synthetic voices, and on people where EVERPAW_DATA/wake holds the name; clean and in
kitchen noise at 10 dB. False accepts with their hours, on real recordings: the report half of the negatives,
read sentences, orders, cats and dogs, other names. Every share has its 95 % interval, every rate its 95 %
bound. In the same run: pocketsphinx keyword spotting, its threshold chosen on the same recordings as ours,
and the official alexa head.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import soundfile

from runtime.audio.heads import WakeHead
from runtime.audio.wake import WakeDetector
from runtime.contracts.audio import SAMPLE_RATE_HZ, AudioBlock, Samples
from runtime.contracts.errors import EverpawError
from runtime.intervals import wilson
from runtime.speech.asr import Recogniser
from training.data import augment, noise, speech, voices
from training.data.voices import Floats
from training.wake.clips import mandarin_voices
from training.wake.real import real_negatives
from training.wake.rivals import Spotter
from training.wake.texts import is_mandarin

_BLOCK = 320
_PAD = np.zeros(SAMPLE_RATE_HZ, np.int16)
Figures = dict[str, object]
_SOONEST_S = -0.4
"""A hit so long before the end of the word may be meant for it"""
Listener = Callable[[Sequence[Samples]], list[int]]
"""Clips in, number of fires in each out"""


class Hit(Protocol):
    @property
    def t_s(self) -> float: ...


class Detector(Protocol):
    """Hears a word in a stream."""

    def step(self, block: AudioBlock) -> Sequence[Hit]: ...

    def reset(self) -> None: ...


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m training.wake.report", description="Measure a head.")
    parser.add_argument("head", type=Path)
    parser.add_argument("--clips", type=int, default=300, help="held-out synthetic clips for each condition")
    parser.add_argument("--no-rivals", action="store_true", help="leave out pocketsphinx and alexa")
    parser.add_argument(
        "--witness", type=Path, metavar="ASR", help="with the second witness, a recogniser's folder"
    )
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args(argv)
    try:
        figures = measure(args.head, args.clips, not args.no_rivals, args.witness)
    except EverpawError as error:
        print(f"everpaw: {error}", file=sys.stderr)
        return 1
    lines = [f"{key}: {value}" for key, value in figures.items()]
    print(json.dumps(figures) if args.json else "\n".join(lines))
    return 0


def measure(head: Path, clips: int, rivals: bool, asr: Path | None = None) -> Figures:
    """All figures; the ones on recordings only where EVERPAW_DATA is set."""
    name = WakeHead(head).settings.name
    detector = WakeDetector([head], witnesses=Recogniser(asr, None).name_spotter if asr else None)
    figures: Figures = {"name": name}
    for label, snr_db in (("clean", np.inf), ("10db", 10.0)):
        for key, value in synthetic(detector, name, clips, snr_db).items():
            figures[f"{key}_synthetic_{label}"] = value
    if not is_mandarin(name):
        figures |= in_a_sentence(detector, name, clips // 2)
    root = os.environ.get("EVERPAW_DATA")
    if not root:
        return figures
    people, strangers = people_saying(Path(root), name), recordings(Path(root), name)
    figures |= on_recordings(lambda sounds: [len(stream(detector, s)) for s in sounds], people, strangers)
    if not rivals:
        return figures
    spotter = Spotter(name)
    chosen = spotter.threshold([_read(Path(p)) for p in real_negatives("choose", name)])

    def spotted(sounds: Sequence[Samples]) -> list[int]:
        return [int(fired) for fired in spotter.fired([np.pad(s, SAMPLE_RATE_HZ) for s in sounds], chosen)]

    theirs = {"threshold": chosen, **on_recordings(spotted, people, strangers)}
    figures |= {f"pocketsphinx_{key}": value for key, value in theirs.items()}
    return figures | official(Path(root), strangers)


def synthetic(detector: Detector, name: str, clips: int, snr_db: float) -> Figures:
    """Share of names missed, and milliseconds from the word's end to the hit."""
    rng = np.random.default_rng(99)
    delays_ms, missed = [], 0
    among = mandarin_voices(True) if is_mandarin(name) else voices.voices(held_out=True)
    for _ in range(clips):
        sound = speech.spoken(voices.plan(name, voices.choose(among, rng), rng))
        lead = int(rng.uniform(0.5, 1.5) * SAMPLE_RATE_HZ)
        hits = stream(detector, _in_room(np.pad(sound, (lead, SAMPLE_RATE_HZ)), rng, snr_db))
        end_s = (lead + len(sound) - 160) / SAMPLE_RATE_HZ
        timely = [hit.t_s - end_s for hit in hits if _SOONEST_S < hit.t_s - end_s < 1.0]
        missed += not timely
        delays_ms += [1000 * timely[0]] if timely else []
    figures: Figures = {"missed": share(missed, clips)}
    if delays_ms:
        middle, late = np.quantile(delays_ms, [0.5, 0.95])
        figures |= {"delay_ms_p50": round(float(middle)), "delay_ms_p95": round(float(late))}
    return figures


def in_a_sentence(detector: Detector, name: str, clips: int) -> Figures:
    """Share of names missed when an order follows without a pause (stop: "stop it", "please stop")."""
    rng = np.random.default_rng(98)
    among, missed = voices.voices(held_out=True), 0
    tails = (" sit down", " come here", " lie down", " turn left", " good boy")
    stops = ("stop it", "please stop", "buddy stop", "stop now")
    texts = stops if name == "stop" else [name + t for t in tails]
    for i in range(clips):
        sound = speech.spoken(voices.plan(texts[i % len(texts)], voices.choose(among, rng), rng))
        missed += not stream(detector, _in_room(np.pad(sound, SAMPLE_RATE_HZ), rng, np.inf))
    return {"missed_in_sentence_synthetic": share(missed, clips)}


def people_saying(root: Path, name: str) -> list[Samples]:
    """Real recordings of the name: `wake/`, and `keywords/` for the single words there."""
    files = sorted((root / "wake" / name.replace(" ", "_")).glob("*.flac"))
    return [_read(path) for path in files or sorted((root / "keywords" / name).glob("*.flac"))]


def recordings(root: Path, name: str) -> dict[str, list[Samples]]:
    """Sets that hold no such name and that no training has seen."""
    own = {name.replace(" ", "_"), name}
    files = {"negatives_report_half": [Path(p) for p in real_negatives("report", name)]}
    for folder in ("speech", "commands", "pets", "wake", "wake_fixtures"):
        found = sorted((root / folder).rglob("*.flac"))
        files[folder] = [p for p in found if not own & {p.parent.name, p.stem}]
    return {label: [_read(path) for path in paths] for label, paths in files.items() if paths}


def on_recordings(
    listen: Listener, people: Sequence[Samples], strangers: dict[str, list[Samples]]
) -> Figures:
    """Names missed, clean and in noise, and false accepts."""
    figures: Figures = {}
    if people:
        rng = np.random.default_rng(97)
        noisy = [_in_room(_float(s), rng, 10.0) for s in people]
        for label, sounds in (("clean", people), ("10db", noisy)):
            missed = sum(fires == 0 for fires in listen(sounds))
            figures[f"missed_people_{label}"] = share(missed, len(sounds))
    total, hours = 0, 0.0
    for label, sounds in strangers.items():
        fires, length_h = sum(listen(sounds)), sum(map(len, sounds)) / SAMPLE_RATE_HZ / 3600
        figures[f"fires_{label}"] = rate(fires, length_h)
        total, hours = total + fires, hours + length_h
    return {**figures, "fires_in_all": rate(total, hours)}


def official(root: Path, strangers: dict[str, list[Samples]]) -> Figures:
    """The official alexa head on its own clip and on the same strangers, its threshold openWakeWord's 0.5."""
    head, own = root / "openwakeword" / "alexa_v0.1.onnx", root / "wake_fixtures" / "alexa.flac"
    if not head.is_file() or not own.is_file():
        return {}
    detector = WakeDetector([head])
    others = {label: sounds for label, sounds in strangers.items() if label != "wake_fixtures"}
    found = on_recordings(lambda sounds: [len(stream(detector, s)) for s in sounds], [], others)
    hit = f"{len(stream(detector, _read(own)))} of 1 clip"
    return {"alexa_own_clip": hit} | {f"alexa_{key}": value for key, value in found.items()}


def stream(detector: Detector, samples: Samples) -> list[Hit]:
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
    samples, _ = soundfile.read(path, dtype="int16")
    return samples


def _float(samples: Samples) -> Floats:
    return samples.astype(np.float32) / 32768.0


def share(events: int, trials: int) -> str:
    """`3/150 = 2.0 % (0.7..5.7)`: with Wilson's 95 % interval."""
    low, high = wilson(events, trials)
    return f"{events}/{trials} = {100 * events / trials:.1f} % ({100 * low:.1f}..{100 * high:.1f})"


def rate(events: int, hours: float) -> str:
    """`0 in 0.42 h (at most 7.1 an hour)`: with the rate at which so few would be luck, once in twenty."""
    bound = poisson_bound(events) / max(hours, 1e-9)
    return f"{events} in {hours:.3f} h (at most {bound:.1f} an hour)"


def poisson_bound(events: int) -> float:
    """Largest mean that still gives so few events once in twenty."""
    low, high = 0.0, 20.0 + 3.0 * events
    for _ in range(60):
        mean = (low + high) / 2
        terms = np.cumprod([1.0, *(mean / k for k in range(1, events + 1))])
        low, high = (mean, high) if np.exp(-mean) * terms.sum() > 0.05 else (low, mean)
    return low


if __name__ == "__main__":
    sys.exit(main())
