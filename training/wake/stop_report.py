"""What the robot does with "stop!": both witnesses together, streamed as the runtime streams.

    EVERPAW_DATA=... python -m training.wake.stop_report [--at-rest] [--json]

On the move a suspicion is enough, at rest it takes more (`runtime.audio.stop`); beside it, in the same run
and on the same sound, the head alone. Misses are counted on held-out synthetic voices and on people, false
halts on recordings that no training has seen, with 95 % intervals as in `wake_report`.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from runtime import starter
from runtime.audio.stop import AT_REST, ON_THE_MOVE, Care, StopHit
from runtime.audio.wake import WakeDetector
from runtime.contracts.audio import SAMPLE_RATE_HZ, AudioBlock, Samples
from runtime.contracts.config import TurnSettings, WakeSettings
from runtime.contracts.errors import EverpawError
from runtime.ears import Ears, EarSettings
from runtime.pace import Pace
from runtime.speech.asr import STOP_WORD, Recogniser
from training.wake import report as wake_report
from training.wake.report import Detector, Figures, stream

SAY_EVERY_S = 15.0


class StopEars:
    """The robot's ears, asked for stops alone."""

    def __init__(self, pack_folder: Path | None = None, *, care: Care) -> None:
        pack = starter.load_pack(pack_folder)
        spotter = Recogniser(pack.part("asr"), None).stop_spotter()
        stops = pack.files("stop", ".onnx")
        self._ears = Ears(EarSettings([], stops, WakeSettings(), TurnSettings(), spotter))
        self._care = care

    def step(self, block: AudioBlock) -> list[StopHit]:
        noticed = self._ears.step(block, care=self._care)
        return [one for one in noticed if isinstance(one, StopHit)]

    def reset(self) -> None:
        self._ears.reset()


class Meter:
    """Says on stderr, now and then, how much of the sound was heard and how long the rest will take."""

    def __init__(self, total_s: float) -> None:
        self._total_s, self._heard_s = total_s, 0.0
        self._pace, self._said_s = Pace(total_s), time.monotonic()

    def heard(self, sound_s: float) -> None:
        self._heard_s += sound_s
        now_s = time.monotonic()
        if now_s - self._said_s < SAY_EVERY_S:
            return
        self._said_s = now_s
        heard = f"heard {self._heard_s / 60:.0f} of {self._total_s / 60:.0f} minutes"
        print(f"{heard}, {self._pace.left(self._heard_s)}", file=sys.stderr, flush=True)


def measure(detector: Detector, clips: int) -> Figures:
    """Misses and delays on synthetic voices; with EVERPAW_DATA, people missed and false halts."""
    figures: Figures = {}
    for label, snr_db in (("clean", np.inf), ("10db", 10.0)):
        for key, value in wake_report.synthetic(detector, STOP_WORD, clips, snr_db).items():
            figures[f"{key}_synthetic_{label}"] = value
    figures |= wake_report.in_a_sentence(detector, STOP_WORD, clips // 2)
    root = os.environ.get("EVERPAW_DATA")
    if not root:
        return figures

    people = wake_report.people_saying(Path(root), STOP_WORD)
    strangers = wake_report.recordings(Path(root), STOP_WORD)
    lengths = [len(sound) for sounds in (people, people, *strangers.values()) for sound in sounds]
    meter = Meter(sum(lengths) / SAMPLE_RATE_HZ)

    def fires(sounds: Sequence[Samples]) -> list[int]:
        found = []
        for sound in sounds:
            found.append(len(stream(detector, sound)))
            meter.heard(len(sound) / SAMPLE_RATE_HZ)
        return found

    return figures | wake_report.on_recordings(fires, people, strangers)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m training.wake.stop_report", description='Measure "stop!".'
    )
    parser.add_argument("--pack", type=Path, help="folder of a pack; the starter where not given")
    parser.add_argument("--at-rest", action="store_true", help="the pet neither moves nor speaks")
    parser.add_argument("--clips", type=int, default=100, help="held-out synthetic clips for each condition")
    parser.add_argument("--no-head", action="store_true", help="leave out the head alone")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args(argv)
    try:
        ears = StopEars(args.pack, care=AT_REST if args.at_rest else ON_THE_MOVE)
        figures = measure(ears, args.clips)
        if not args.no_head:
            head = WakeDetector(starter.load_pack(args.pack).files("stop", ".onnx"))
            figures |= {f"head_alone_{key}": value for key, value in measure(head, args.clips).items()}
    except EverpawError as error:
        print(f"everpaw: {error}", file=sys.stderr)
        return 1
    print(
        json.dumps(figures) if args.json else "\n".join(f"{key}: {value}" for key, value in figures.items())
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
