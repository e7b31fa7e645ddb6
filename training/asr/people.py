"""Who is understood less well: orders by how high the voice is, and by the accent of a synthetic one.

Recordings do not say whether a woman or a man speaks; the pitch of the voice is measured instead.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from runtime.contracts.audio import Samples
from runtime.speech.pitch import pitch_of
from training.asr.clips import speak
from training.data import voices

SPEECH_HZ = (75.0, 350.0)
"""Where a person's pitch lies; what the tracker of animals' calls finds outside are hisses"""
LOW_HZ, HIGH_HZ = 150.0, 200.0


def height(samples: Samples) -> str:
    """ "low", "middle" or "high": by the median pitch of the voiced moments."""
    hz = pitch_of(samples.astype(np.float32) / 32768.0).hz
    inside = hz[(hz > SPEECH_HZ[0]) & (hz < SPEECH_HZ[1])]
    median = float(np.median(inside)) if len(inside) else 0.0
    return "low" if median < LOW_HZ else "middle" if median < HIGH_HZ else "high"


def grouped(names: Sequence[str], right: Sequence[bool]) -> dict[str, list[bool]]:
    """Name -> the answers of its group."""
    found: defaultdict[str, list[bool]] = defaultdict(list)
    for name, answer in zip(names, right, strict=True):
        found[name].append(answer)
    return dict(sorted(found.items()))


def accent(voice: voices.Voice) -> str:
    """As in "en-gb-scotland"; all that are no formant synthesiser speak American English."""
    return voice.name.split("+")[0] if voice.engine == "espeak" else "recorded American"


def said_in_accents(texts: Sequence[str], seed: int) -> Iterator[tuple[str, str, Samples]]:
    """(accent, text, sound): every text by a held-out voice of every accent, in quiet."""
    among: defaultdict[str, list[voices.Voice]] = defaultdict(list)
    for voice in voices.voices(held_out=True):
        among[accent(voice)].append(voice)
    rng = np.random.default_rng(seed)
    for name, group in sorted(among.items()):
        for text in texts:
            yield name, text, speak(text, group, rng, 0.0)[0]
