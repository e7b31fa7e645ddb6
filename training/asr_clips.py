"""Clips for the recogniser, made in a process of their own and kept in a pool that the trainer draws from.

Making speech and learning from it take about the same time, so they run side by side: the pool starts small
and grows, and new clips are taken first.
"""

import multiprocessing
import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from runtime.contracts.audio import SAMPLE_RATE_HZ, Samples
from runtime.contracts.errors import TrainingError
from runtime.speech.features import Frames, log_mel, normalise
from training.data import augment, noise, voices
from training.data.speech import spoken, to_int16

SHORT_LETTERS = 12
_CHUNK = 32
_AHEAD = 8
_FIRST_CHUNKS = 40
"""Short texts come first, for the first lessons"""
_REAL_SHARE, _SILENT_SHARE = 0.03, 0.01


@dataclass(frozen=True, slots=True)
class Clip:
    """`frames` are normalised, in float16 to save memory."""

    frames: np.ndarray
    text: str
    voice: str


@dataclass(frozen=True, slots=True)
class Recording:
    """A real voice saying one known text."""

    samples: Samples
    text: str
    speaker: str


def keyword_recordings(held_out: bool) -> list[Recording]:
    """Single words by real people (EVERPAW_DATA/keywords); one speaker in five is kept aside."""
    base = os.environ.get("EVERPAW_DATA")
    files = sorted((Path(base) / "keywords").glob("*/*.flac")) if base else []
    speakers = sorted({file.name.split("_")[0] for file in files})
    aside = set(speakers[::5])
    return [
        Recording(soundfile.read(file, dtype="int16")[0], file.parent.name, file.name.split("_")[0])
        for file in files
        if (file.name.split("_")[0] in aside) == held_out
    ]


def speak(text: str, held_out: bool, rng: np.random.Generator, rough: float) -> tuple[Samples, str]:
    """(samples, voice) of one synthetic clip between stretches of near silence."""
    among = voices.voices(held_out)
    while True:
        voice = voices.choose(among, rng)
        try:
            sound = spoken(voices.plan(text, voice, rng))
        except TrainingError:  # a voice that cannot say this text: ask another
            continue
        return to_int16(_place(augment.warp(sound, rng, rough), rng, rough)), voice.id


def _place(sound: voices.Floats, rng: np.random.Generator, rough: float) -> voices.Floats:
    """Give it a start and an end, sometimes cut into the first letters, then a room around it."""
    if rough > 0 and rng.random() < 0.05:
        sound = sound[int(rng.uniform(0.0, 0.06) * SAMPLE_RATE_HZ) :]
    before, after = (int(rng.uniform(0.02, 0.6) * SAMPLE_RATE_HZ) for _ in range(2))
    return augment.room(np.pad(sound, (before, after)), rng, rough)


def _make(texts: list[str], real: list[Recording], rng: np.random.Generator) -> Clip:
    kind = rng.random()
    level = float(rng.uniform(0.0, 1.2))
    if kind < _SILENT_SHARE:
        return _clip(to_int16(augment.room(0.1 * noise.stretch(24_000, rng), rng, level)), "", "noise")
    if real and kind < _SILENT_SHARE + _REAL_SHARE:
        take = real[int(rng.integers(len(real)))]
        sound = augment.warp(take.samples.astype(np.float32) / 32768.0, rng, 0.7 * level)
        return _clip(to_int16(_place(sound, rng, 0.7 * level)), take.text, take.speaker)
    text = texts[int(rng.integers(len(texts)))]
    samples, voice = speak(text, False, rng, level)
    return _clip(samples, text, voice)


def _clip(samples: Samples, text: str, voice: str) -> Clip:
    return Clip(normalise(log_mel(samples)).astype(np.float16), text, voice)


def _one_thread() -> None:
    os.environ["OMP_NUM_THREADS"] = "1"


def _chunk(texts: list[str], seed: int) -> list[Clip]:
    """One chunk of clips; runs in the pool's process."""
    rng = np.random.default_rng(seed)
    real = keyword_recordings(held_out=False)
    return [_make(texts, real, rng) for _ in range(_CHUNK)]


class Pool:
    """Clips made so far, at most `capacity`; older ones are overwritten at random.

    They are made in a process of their own, a few chunks ahead. espeak-ng dies of a rare text; then another
    process takes over and only the chunks under way are lost.
    """

    def __init__(self, texts: list[str], seed: int, *, short_first: bool, capacity: int = 80_000) -> None:
        self._texts = texts
        self._short = [text for text in texts if len(text) <= SHORT_LETTERS] or texts
        self._seed = seed
        self._clips: list[Clip] = []
        self._capacity = capacity
        self._rng = np.random.default_rng(seed)
        self._fresh: list[Clip] = []
        self._pending: deque[Future[list[Clip]]] = deque()
        self._asked = 0 if short_first else _FIRST_CHUNKS
        self.made = 0

    def __enter__(self) -> "Pool":
        self._start()
        return self

    def __exit__(self, *_: object) -> None:
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._executor = ProcessPoolExecutor(1, context, initializer=_one_thread)
        self._pending.clear()
        self._ask()

    def _ask(self) -> None:
        while len(self._pending) < _AHEAD:
            texts = self._short if self._asked < _FIRST_CHUNKS else self._texts
            sample = [texts[i] for i in self._rng.integers(len(texts), size=_CHUNK)]
            self._pending.append(self._executor.submit(_chunk, sample, self._seed + self._asked))
            self._asked += 1

    def batches(self, frames_a_batch: int, draw: int, longest: int) -> Iterator[list[Clip]]:
        """One round: `draw` clips of at most `longest` letters, new ones first, in batches of like length."""
        self._collect(at_least=draw)
        fresh = [clip for clip in self._fresh if len(clip.text) <= longest]
        fresh, self._fresh = fresh[:draw], fresh[draw:]
        fitting = [clip for clip in self._clips if len(clip.text) <= longest]
        old = self._rng.integers(len(fitting), size=draw - len(fresh))
        chosen = sorted(fresh + [fitting[i] for i in old], key=lambda clip: len(clip.frames))
        batches: list[list[Clip]] = [[]]
        for clip in chosen:
            if (len(batches[-1]) + 1) * len(clip.frames) > frames_a_batch and batches[-1]:
                batches.append([])
            batches[-1].append(clip)
        for i in self._rng.permutation(len(batches)):
            yield batches[i]

    def _collect(self, at_least: int) -> None:
        while len(self._clips) < at_least or (self._pending and self._pending[0].done()):
            try:
                chunk = self._pending.popleft().result()
            except BrokenProcessPool:
                self._executor.shutdown(wait=False)
                self._start()
                continue
            self._ask()
            for clip in chunk:
                self._add(clip)

    def _add(self, clip: Clip) -> None:
        self.made += 1
        self._fresh.append(clip)
        if len(self._clips) < self._capacity:
            self._clips.append(clip)
        else:
            self._clips[int(self._rng.integers(self._capacity))] = clip


def held_out_clips(texts: list[str], n: int, seed: int, rough: float) -> list[tuple[Samples, str]]:
    """`n` clips by voices never trained on; the texts in order, then over again."""
    rng = np.random.default_rng(seed)
    return [(speak(texts[i % len(texts)], True, rng, rough)[0], texts[i % len(texts)]) for i in range(n)]


__all__ = ["Clip", "Frames", "Pool", "Recording", "held_out_clips", "keyword_recordings", "speak"]
