"""Cuts the microphone's stream into utterances. A pure stage: no clock, no queue; times are stream seconds.

Speech begins when three of four 32 ms chunks reach `start_probability`, and goes on while chunks reach the
lower `stay_probability`; it ends after `endpoint_silence_s` without one. The stretch is followed whether or
not anybody listens: an utterance is let through when the pet listened at any moment before its end, so a
name at the beginning of a sentence opens the ears for the whole of it.
"""

from collections import deque
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from runtime.audio.vad import CHUNK_SAMPLES, Vad
from runtime.contracts.audio import SAMPLE_RATE_HZ, AudioBlock, Samples
from runtime.contracts.config import TurnSettings

__all__ = ["SpeechGrows", "SpeechStarted", "TurnDetector", "TurnSettings", "Utterance", "VoiceActivity"]

_ONSET_VOICED, _ONSET_CHUNKS = 3, 4
_CHUNK_S = CHUNK_SAMPLES / SAMPLE_RATE_HZ


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """Somebody speaks to the listening pet, for `min_speech_s` already; an utterance follows."""

    at_s: float
    """Its first voiced moment"""


@dataclass(frozen=True, slots=True)
class SpeechGrows:
    """The utterance so far, for a recogniser that does not want to wait."""

    samples: Samples
    """From the pre-roll on"""
    start_s: float
    now_s: float


@dataclass(frozen=True, slots=True)
class Utterance:
    """A whole utterance: pre-roll, speech, and the silence that ended it."""

    samples: Samples
    start_s: float
    """First voiced moment; `samples` begin up to `pre_roll_s` before it"""
    end_s: float
    """Last voiced moment, not the moment of the endpoint"""
    cut: bool
    """It reached `max_utterance_s`, or the stream ended; the rest, if any, is an utterance of its own"""


TurnEvent = SpeechStarted | SpeechGrows | Utterance


class VoiceActivity(Protocol):
    """What `Vad` offers; given 512 samples, `step` answers with one (end_sample, probability)."""

    def step(self, samples: Samples) -> list[tuple[int, float]]: ...

    def reset(self) -> None: ...


@dataclass(slots=True)
class _Speech:
    """The stretch of speech under way; positions and lengths in samples of the stream."""

    chunks: list[Samples]
    start: int
    end: int
    voiced: int
    heard: bool = False
    announced: bool = False
    grown: int = 0
    """Length when last reported"""

    def so_far(self) -> Samples:
        return np.concatenate(self.chunks)


class TurnDetector:
    """`step` one block at a time, in order, of any size; `reset` before another stream."""

    def __init__(self, settings: TurnSettings | None = None, vad: VoiceActivity | None = None) -> None:
        self._settings = settings or TurnSettings()
        self._vad = vad or Vad()
        self._rest: Samples = np.zeros(0, np.int16)
        self._speech: _Speech | None = None
        self._pre_roll_chunks = round(self._settings.pre_roll_s / _CHUNK_S)
        self._before: deque[tuple[Samples, bool]] = deque(maxlen=self._pre_roll_chunks + _ONSET_CHUNKS)
        self._now = 0
        """Samples of the stream seen by the VAD"""

    def step(self, block: AudioBlock, listening: bool, *, deaf: bool = False) -> list[TurnEvent]:
        """What this block brought, in order.

        `deaf`: the pet itself is speaking. Nothing counts as speech, and none of it is kept as pre-roll.
        """
        waiting = np.concatenate([self._rest, block.samples])
        whole = len(waiting) // CHUNK_SAMPLES * CHUNK_SAMPLES
        self._now = block.start_sample - len(self._rest)
        self._rest = waiting[whole:]
        if deaf:
            self._forget()
        events: list[TurnEvent] = []
        for chunk in waiting[:whole].reshape(-1, CHUNK_SAMPLES):
            [(_, probability)] = self._vad.step(chunk)
            self._now += CHUNK_SAMPLES
            if not deaf:
                events += self._chunk(chunk, probability, listening)
        return events

    def finish(self) -> list[TurnEvent]:
        """The stream ended: the utterance under way, if there is one."""
        events = self._emit(self._speech, cut=True) if self._speech else []
        self._forget()
        return events

    def reset(self) -> None:
        """As new: the same blocks give the same events again."""
        self._vad.reset()
        self._rest = np.zeros(0, np.int16)
        self._forget()

    def _forget(self) -> None:
        self._speech = None
        self._before.clear()

    def _chunk(self, chunk: Samples, probability: float, listening: bool) -> list[TurnEvent]:
        if self._speech is None:
            self._wait(chunk, probability >= self._settings.start_probability)
        else:
            self._follow(self._speech, chunk, probability >= self._settings.stay_probability)
        if self._speech is None:
            return []
        self._speech.heard |= listening
        return self._report(self._speech)

    def _wait(self, chunk: Samples, voiced: bool) -> None:
        """Nobody speaks yet: keep the pre-roll, look for an onset."""
        self._before.append((chunk, voiced))
        recent = [v for _, v in self._before][-_ONSET_CHUNKS:]
        if sum(recent) < _ONSET_VOICED:
            return
        since_onset = len(recent) - recent.index(True)
        chunks = [c for c, _ in self._before][-(since_onset + self._pre_roll_chunks) :]
        start = self._now - since_onset * CHUNK_SAMPLES
        self._speech = _Speech(chunks, start, self._now, sum(recent) * CHUNK_SAMPLES)
        self._before.clear()

    def _follow(self, speech: _Speech, chunk: Samples, voiced: bool) -> None:
        speech.chunks.append(chunk)
        if voiced:
            speech.end = self._now
            speech.voiced += CHUNK_SAMPLES

    def _report(self, speech: _Speech) -> list[TurnEvent]:
        silence = self._now - speech.end
        if silence >= _samples(self._settings.endpoint_silence_s):
            self._speech = None
            # The silence that ended this one may hold the first breath of the next.
            self._before.extend((chunk, False) for chunk in speech.chunks[-(silence // CHUNK_SAMPLES) :])
            return self._emit(speech, cut=False)
        if self._now - speech.start >= _samples(self._settings.max_utterance_s):
            self._speech = _Speech([], self._now, self._now, 0)
            return self._emit(speech, cut=True)
        return self._growth(speech)

    def _growth(self, speech: _Speech) -> list[TurnEvent]:
        voiced_now = speech.end == self._now
        if not (speech.heard and voiced_now and self._long_enough(speech)):
            return []
        events: list[TurnEvent] = []
        if not speech.announced:
            speech.announced = True
            events.append(SpeechStarted(_seconds(speech.start)))
        length = self._now - speech.start
        if length - speech.grown >= _samples(self._settings.grow_step_s):
            speech.grown = length
            events.append(SpeechGrows(speech.so_far(), _seconds(speech.start), _seconds(self._now)))
        return events

    def _emit(self, speech: _Speech, *, cut: bool) -> list[TurnEvent]:
        if not (speech.heard and self._long_enough(speech)):
            return []
        whole = Utterance(speech.so_far(), _seconds(speech.start), _seconds(speech.end), cut)
        return [whole] if speech.announced else [SpeechStarted(whole.start_s), whole]

    def _long_enough(self, speech: _Speech) -> bool:
        return speech.voiced >= _samples(self._settings.min_speech_s)


def _seconds(samples: int) -> float:
    return samples / SAMPLE_RATE_HZ


def _samples(seconds: float) -> int:
    return round(seconds * SAMPLE_RATE_HZ)
