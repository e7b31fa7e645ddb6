"""Cuts the microphone's stream into utterances. A pure stage: no clock, no queue; times are stream seconds.

Speech begins when three of four 32 ms chunks reach `start_probability`, and goes on while chunks reach the
lower `stay_probability`; it ends after `endpoint_silence_s` without one, or after what `be_patient` said of
this stretch: whoever follows the words knows sooner than a clock whether they are all. The stretch is
followed whether or not anybody listens: an utterance is let through when the pet listened at any moment
before its end, so a name at the beginning of a sentence opens the ears for the whole of it.
"""

from collections import deque
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from runtime.audio.vad import CHUNK_SAMPLES, Vad
from runtime.contracts.audio import SAMPLE_RATE_HZ, AudioBlock, Samples
from runtime.contracts.config import TurnSettings

__all__ = [
    "SpeechGrows",
    "SpeechOnset",
    "SpeechStarted",
    "TurnDetector",
    "TurnSettings",
    "Utterance",
    "VoiceActivity",
]

_ONSET_VOICED, _ONSET_CHUNKS = 3, 4
_MAYBE_CHUNKS = 6
_HARDLY, _MAYBE_SUM, _NONE_SUM = 0.05, 0.35, 0.1
"""Of the last chunks' probabilities, what is over the first, summed: from the second on a voice may have
begun, below the third there was none. Soft sounds ("look at me") are found late; each chunk helps a bit."""
_CHUNK_S = CHUNK_SAMPLES / SAMPLE_RATE_HZ
_TAIL_CHUNKS = 7
"""Of the silence after the last word, what is handed on"""

_FRESH_SILENCE_S = 0.2
_CLEAR_VOICE = 0.8
_MAYBE_VOICE = 0.3


@dataclass(frozen=True, slots=True)
class SpeechOnset:
    """What may be a voice, while the pet listens: enough to fall silent for it, not yet to call it speech."""

    at_s: float
    """Its first voiced moment"""


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """Somebody speaks to the listening pet, for `min_speech_s` already; an utterance follows."""

    at_s: float
    """Its first voiced moment"""


@dataclass(frozen=True, slots=True)
class SpeechGrows:
    """The utterance so far, for a recogniser that does not want to wait; silence at its end included."""

    samples: Samples
    """From the pre-roll on"""
    start_s: float
    now_s: float
    silence_s: float = 0.0
    """Since the last voiced moment"""


@dataclass(frozen=True, slots=True)
class Utterance:
    """A whole utterance: pre-roll, speech, and the first of the silence that ended it."""

    samples: Samples
    start_s: float
    """First voiced moment; `samples` begin up to `pre_roll_s` before it"""
    end_s: float
    """Last voiced moment, not the moment of the endpoint"""
    cut: bool
    """It reached `max_utterance_s`, or the stream ended; the rest, if any, is an utterance of its own"""


TurnEvent = SpeechOnset | SpeechStarted | SpeechGrows | Utterance


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

    def so_far(self, silence: int) -> Samples:
        """All but the end of a long silence, in which a recogniser would only find words that are none."""
        surplus = max(0, silence // CHUNK_SAMPLES - _TAIL_CHUNKS)
        return np.concatenate(self.chunks[: len(self.chunks) - surplus])


class TurnDetector:
    """`step` one block at a time, in order, of any size; `reset` before another stream."""

    def __init__(self, settings: TurnSettings | None = None, vad: VoiceActivity | None = None) -> None:
        self._settings = settings or TurnSettings()
        self._vad = vad or Vad()
        self._rest: Samples = np.zeros(0, np.int16)
        self._speech: _Speech | None = None
        self._pre_roll_chunks = round(self._settings.pre_roll_s / _CHUNK_S)
        self._before: deque[tuple[Samples, bool]] = deque(maxlen=self._pre_roll_chunks + _ONSET_CHUNKS)
        self._maybe: deque[float] = deque(maxlen=_MAYBE_CHUNKS)
        """Probabilities of the last chunks"""
        self._told = False
        """The onset of what may become speech was told"""
        self._now = 0
        """Samples of the stream seen by the VAD"""
        self.voice_s = float("-inf")
        """Last moment that may have been a voice, whoever's it was and whether or not anybody listened"""
        self._patience: tuple[float, float | None, bool] = (-1.0, None, False)
        """Start of a stretch, the silence that ends it (seconds), and whether the pet acts on it already"""

    def be_patient(self, start_s: float, silence_s: float | None, acting: bool = False) -> None:
        """End the stretch that began at `start_s` after `silence_s` (None: as set); no other is touched.

        `acting`: the pet moves already, so only a clear voice prolongs the stretch; motors that start sound
        a little like one. May be called from any thread.
        """
        self._patience = (start_s, silence_s, acting)

    def step(
        self, block: AudioBlock, listening: bool, *, deaf: bool = False, masked: bool = False
    ) -> list[TurnEvent]:
        """What this block brought, in order.

        `deaf`: the pet itself is speaking. Nothing counts as speech, and none of it is kept as pre-roll.
        `masked`: what this block holds is mostly left over from the pet's own voice, and no speech.
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
            probability = 0.0 if masked else probability
            if probability >= _MAYBE_VOICE:
                self.voice_s = _seconds(self._now)
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
        self.voice_s = float("-inf")
        self._forget()

    def _forget(self) -> None:
        self._speech = None
        self._told = False
        self._maybe.clear()
        self._before.clear()

    def _chunk(self, chunk: Samples, probability: float, listening: bool) -> list[TurnEvent]:
        if self._speech is not None:
            self._follow(self._speech, chunk, probability >= self._stay_probability(self._speech))
            self._speech.heard |= listening
            return self._report(self._speech)
        self._maybe.append(max(0.0, probability - _HARDLY))
        self._wait(chunk, probability >= self._settings.start_probability)
        onset = self._onset() if listening else []
        begun = self._speech
        if begun is None:
            return onset
        begun.heard |= listening
        return [*onset, *self._report(begun)]

    def _onset(self) -> list[TurnEvent]:
        """Told once for what may become a stretch of speech."""
        if self._speech is not None:
            told, self._told = self._told, False
            return [] if told else [SpeechOnset(_seconds(self._speech.start))]
        suspicion = sum(self._maybe)
        if self._told or suspicion < _MAYBE_SUM:
            self._told &= suspicion >= _NONE_SUM
            return []
        self._told = True
        chunks = len(self._maybe) - next(i for i, p in enumerate(self._maybe) if p >= suspicion / 8)
        return [SpeechOnset(_seconds(self._now - chunks * CHUNK_SAMPLES))]

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
        self._maybe.clear()

    def _follow(self, speech: _Speech, chunk: Samples, voiced: bool) -> None:
        speech.chunks.append(chunk)
        if voiced:
            speech.end = self._now
            speech.voiced += CHUNK_SAMPLES

    def _report(self, speech: _Speech) -> list[TurnEvent]:
        silence = self._now - speech.end
        if silence >= _samples(self._endpoint_s(speech)):
            self._speech = None
            # The silence that ended this one may hold the first breath of the next.
            self._before.extend((chunk, False) for chunk in speech.chunks[-(silence // CHUNK_SAMPLES) :])
            return self._emit(speech, cut=False)
        if self._now - speech.start >= _samples(self._settings.max_utterance_s):
            self._speech = _Speech([], self._now, self._now, 0)
            return self._emit(speech, cut=True)
        return self._growth(speech)

    def _endpoint_s(self, speech: _Speech) -> float:
        start_s, silence_s, _ = self._patience
        if silence_s is None or start_s != _seconds(speech.start):
            return self._settings.endpoint_silence_s
        return silence_s

    def _stay_probability(self, speech: _Speech) -> float:
        start_s, _, acting = self._patience
        acts_on_it = acting and start_s == _seconds(speech.start)
        return _CLEAR_VOICE if acts_on_it else self._settings.stay_probability

    def _growth(self, speech: _Speech) -> list[TurnEvent]:
        if not (speech.heard and self._long_enough(speech)):
            return []
        events: list[TurnEvent] = []
        if not speech.announced:
            speech.announced = True
            events.append(SpeechStarted(_seconds(speech.start)))
        length, silence_s = self._now - speech.start, _seconds(self._now - speech.end)
        # The first moments of silence decide, so every one of them is shown.
        fresh = 0 < silence_s <= _FRESH_SILENCE_S
        if fresh or length - speech.grown >= _samples(self._settings.grow_step_s):
            speech.grown = length
            events.append(
                SpeechGrows(
                    speech.so_far(self._now - speech.end),
                    _seconds(speech.start),
                    _seconds(self._now),
                    silence_s,
                )
            )
        return events

    def _emit(self, speech: _Speech, *, cut: bool) -> list[TurnEvent]:
        if not (speech.heard and self._long_enough(speech)):
            return []
        samples = speech.so_far(self._now - speech.end)
        whole = Utterance(samples, _seconds(speech.start), _seconds(speech.end), cut)
        return [whole] if speech.announced else [SpeechStarted(whole.start_s), whole]

    def _long_enough(self, speech: _Speech) -> bool:
        return speech.voiced >= _samples(self._settings.min_speech_s)


def _seconds(samples: int) -> float:
    return samples / SAMPLE_RATE_HZ


def _samples(seconds: float) -> int:
    return round(seconds * SAMPLE_RATE_HZ)
