"""People for the benches: the lines they say, their voices, and where exactly a spoken word ends.

The voices are espeak-ng variants that no model of the starter pack was trained on.
"""

import tomllib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from runtime.contracts.audio import SAMPLE_RATE_HZ, Samples
from runtime.contracts.config import Settings
from runtime.speech.tts import EspeakVoice, Manner

VARIANTS = ("en-us+paul", "en-us+steph", "en-gb-x-rp+david")
_MANNERS = {"calm": Manner(pitch=50, range=50, rate=160, volume=100)}
_PEAK = 8_000
"""int16; a person at arm's length"""
_FRAME = 80
"""5 ms"""
_END_DB = 35.0
"""A word has ended where the sound stays so far under its loudest 5 ms"""


class Said(Settings):
    text: str
    meant: str | None = None
    """Intent; None for words of no command"""


class Lines(Settings):
    """`lines.toml`."""

    command: Annotated[tuple[Said, ...], Field(min_length=30)]
    question: Annotated[tuple[Said, ...], Field(min_length=30)]


@dataclass(frozen=True, slots=True)
class Spoken:
    """A line as one person said it."""

    line: Said
    samples: Samples
    end: int
    """Index of the first sample after the last word"""

    @property
    def start(self) -> int:
        """Index of the first sample of the first word."""
        return acoustic_span(self.samples)[0]


def load_lines() -> Lines:
    """What the benches say."""
    return Lines.model_validate(tomllib.loads((Path(__file__).parent / "lines.toml").read_text("utf-8")))


def acoustic_span(samples: Samples) -> tuple[int, int]:
    """(first sample, first sample after) of what is heard in `samples`, to 5 ms; (0, 0) for silence."""
    whole = len(samples) // _FRAME * _FRAME
    peaks = np.abs(samples[:whole].astype(np.int32)).reshape(-1, _FRAME).max(axis=1)
    if not len(peaks) or not peaks.max():
        return 0, 0
    loud = np.flatnonzero(peaks > peaks.max() * 10 ** (-_END_DB / 20))
    return int(loud[0]) * _FRAME, (int(loud[-1]) + 1) * _FRAME


class People:
    """Speaks lines, each time by the next of the voices."""

    def __init__(self, voices: list[EspeakVoice]) -> None:
        self._voices = voices
        self._next = 0

    def begin_with(self, number: int) -> None:
        """The next line is spoken by this voice, counted round and round."""
        self._next = number

    def begin_anew(self, number: int) -> None:
        """The same, and every voice speaks as if it had said nothing yet."""
        self.begin_with(number)
        for voice in self._voices:
            voice.begin_anew()

    def say(self, line: Said) -> Spoken:
        """`line` at a person's loudness, with a tenth of a second of silence around it."""
        voice = self._voices[self._next % len(self._voices)]
        self._next += 1
        samples = voice.speak(line.text, "calm").astype(np.float32)
        samples *= _PEAK / max(1.0, float(np.abs(samples).max()))
        silence = np.zeros(SAMPLE_RATE_HZ // 10, np.int16)
        clip = np.concatenate([silence, samples.astype(np.int16), silence])
        return Spoken(line, clip, acoustic_span(clip)[1])


@contextmanager
def people() -> Iterator[People]:
    """All voices started, and ended with the block; AudioError where espeak-ng is missing."""
    with ExitStack() as stack:
        yield People([stack.enter_context(EspeakVoice(variant, _MANNERS)) for variant in VARIANTS])
