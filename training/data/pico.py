"""SVOX Pico: two small voices recorded from women, one American, one British.

The library keeps its state in one engine a voice and process; it is Apache-2.0 and comes by pip.
"""

from functools import cache
from typing import Any

import numpy as np

from training.data.festival import Wave

VOICES = ("en-US", "en-GB")
RATE_HZ = 16_000


def pico_voices() -> tuple[str, ...]:
    """The English voices; () where the package is missing."""
    try:
        import ttspico  # noqa: F401
    except ImportError:
        return ()
    return VOICES


def pico(text: str, voice: str, rate: float, pitch: float) -> Wave:
    """`rate` 2 is twice as fast; `pitch` multiplies the voice's mean."""
    engine = _engine(voice)
    engine.rate = int(np.clip(100 * rate, 20, 500))
    engine.pitch = int(np.clip(100 * pitch, 50, 200))
    return np.frombuffer(engine.speak(text), np.int16), RATE_HZ


@cache
def _engine(voice: str) -> Any:
    import ttspico

    return ttspico.TtsEngine(voice)
