"""Speak the demo's owner: `everpaw train demo-voice --out runtime/demo/voice`.

The voice is held out of every training set, and was chosen among those that the starter hears and understands
best.
"""

import argparse
from pathlib import Path

import numpy as np
import soundfile

from runtime.contracts.audio import SAMPLE_RATE_HZ
from runtime.contracts.errors import TrainingError
from runtime.demo.script import load_script
from training.data.voices import Utterance, render, voices

VOICE = "espeak:en-us+m7"


def main(argv: list[str]) -> int:
    """Write one FLAC a line of the demo's script."""
    parser = argparse.ArgumentParser(prog="everpaw train demo-voice", description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args(argv)
    speaker = next((v for v in voices(held_out=True) if v.id == VOICE), None)
    if speaker is None:
        raise TrainingError(f"voice {VOICE} is not installed; type: pip install 'everpaw[voice]'")
    args.out.mkdir(parents=True, exist_ok=True)
    for line in load_script():
        sound = render(Utterance(line.text, speaker, rate=1.0, pitch=1.0))
        level = 0.25 / max(float(np.abs(sound).max()), 1e-6)
        silence = np.zeros(SAMPLE_RATE_HZ // 10, np.float32)
        clip = np.concatenate([silence, sound * level, silence])
        soundfile.write(args.out / line.clip, clip, SAMPLE_RATE_HZ, subtype="PCM_16")
        print(f"{line.clip}  {len(clip) / SAMPLE_RATE_HZ:.2f} s")
    return 0
