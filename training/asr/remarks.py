"""How much of what people say to each other is taken for a command? `python -m training.asr.remarks DIR`.

Read English of EVERPAW_DATA that no recogniser was trained on, cut where nobody speaks for a fifth of a
second. None of it is meant for a pet.
"""

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import soundfile

from runtime import starter
from runtime.contracts.audio import SAMPLE_RATE_HZ, Samples
from runtime.contracts.errors import EverpawError, TrainingError
from runtime.mind.grammar import Grammar
from runtime.speech.asr import Recogniser
from training.asr.calibrate import NAMES
from training.asr.score import Figure, share

_FRAME = SAMPLE_RATE_HZ // 100
_QUIET = 0.06
"""Of the level that a twentieth of the recording exceeds"""
_PAUSE, _SHORTEST, _LONGEST = 20, 30, 500
"""Frames"""
_AROUND = SAMPLE_RATE_HZ // 5


def stretches(samples: Samples) -> Iterator[Samples]:
    """What lies between pauses, 0.3 to 5 s of it, and a fifth of a second around."""
    window = np.ones(10 * _FRAME) / (10 * _FRAME)
    level = np.sqrt(np.convolve(samples.astype(np.float64) ** 2, window, "same")[::_FRAME])
    loud = np.flatnonzero(level > _QUIET * np.quantile(level, 0.95))
    for run in np.split(loud, np.flatnonzero(np.diff(loud) > _PAUSE) + 1) if len(loud) else ():
        begin, end = int(run[0]), min(int(run[-1]) + 1, int(run[0]) + _LONGEST)
        if end - begin >= _SHORTEST:
            yield samples[max(0, begin * _FRAME - _AROUND) : end * _FRAME + _AROUND]


def talk() -> list[Path]:
    """The recordings; TrainingError where there are none."""
    files = sorted((Path(os.environ.get("EVERPAW_DATA") or "nowhere") / "speech").glob("*.flac"))
    if not files:
        raise TrainingError("there is no talk to listen to; set EVERPAW_DATA to the corpora")
    return files


def measure(recogniser: Recogniser, sounds: Iterable[Samples]) -> dict[str, Figure]:
    """How many of `sounds` are taken for a command, and for which."""
    found = [next(iter(recogniser.recognise(sound)), None) for sound in sounds]
    taken = [best.text for best in found if best is not None and best.in_grammar]
    believed = [best is not None and best.in_grammar for best in found]
    return {"taken": share(believed), "for": dict(Counter(taken).most_common())}


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m training.asr.remarks", description=__doc__.split("\n")[0]
    )
    parser.add_argument("asr", type=Path, help="folder of a recogniser")
    parser.add_argument("--grammar", type=Path, default=starter.FOLDER / "grammar.yaml")
    args = parser.parse_args(argv)
    try:
        files = talk()
        recogniser = Recogniser(args.asr, Grammar.load(args.grammar), prefixes=NAMES)
    except EverpawError as error:
        print(f"everpaw: {error}", file=sys.stderr)
        return 1
    sounds = (sound for path in files for sound in stretches(soundfile.read(path, dtype="int16")[0]))
    print(json.dumps(measure(recogniser, sounds)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
