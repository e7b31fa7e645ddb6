"""What the robot needs beside a fine-tuned network: the dictionary, asr.json, a calibrated confidence."""

from pathlib import Path

import numpy as np

from runtime.mind.grammar import Grammar
from runtime.speech.asr import RAW_SOUND
from runtime.speech.evidence import EVIDENCE
from runtime.speech.pronounce import ADDITIONS, DICTIONARY
from training.asr import lexicon
from training.asr.calibrate import NAMES, calibrate
from training.asr.export import write_settings

__all__ = ["RAW_SOUND", "complete"]


def complete(out: Path, grammar: Grammar | None, clips: int) -> None:
    """With a grammar, how far its sentences are believed is fitted on `clips` held-out synthetic ones.

    Without one every sentence is believed, until a pack's own grammar is calibrated.
    """
    lexicon.write(out / DICTIONARY)
    (out / ADDITIONS).unlink(missing_ok=True)
    words = grammar.words if grammar else []
    lexicon.write_additions(out, [*words, *" ".join(NAMES).split()])
    write_settings(out, np.zeros(len(EVIDENCE)), 0.0, RAW_SOUND)
    if grammar:
        write_settings(out, *calibrate(out, grammar, clips), RAW_SOUND)
