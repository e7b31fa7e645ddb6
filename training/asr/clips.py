"""Clips for the recogniser, made in a process of their own and kept in a pool that the trainer draws from.

Making speech and learning from it take about the same time, so they run side by side: the pool starts small
and grows, and new clips are taken first.
"""

import multiprocessing
import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch

from runtime.contracts.audio import SAMPLE_RATE_HZ, Samples
from runtime.contracts.errors import TrainingError
from runtime.speech.features import MELS, log_mel, normalise
from runtime.speech.units import encode
from training.asr import heard_speech
from training.asr.acoustic import Ears
from training.asr.align import align
from training.asr.heard_speech import Recording
from training.asr.lexicon import pronouncer
from training.data import augment, noise, voices
from training.data.speech import spoken, to_int16

_CHUNK = 32
_AHEAD = 8
_SILENT_SHARE = 0.01
NOISY_DB = (-2.0, 18.0)
"""Loud part of the speech over the noise, in a noisy place"""


@dataclass(frozen=True, slots=True)
class Mixture:
    """Shares of the clips: real people among all; those in a noisy place."""

    real: float = 0.2
    noisy: float = 0.0


@dataclass(frozen=True, slots=True)
class Clip:
    """`frames`: what the ears hear, (T, HEARD), in float16 to save memory. `units`: the sounds of `text`;
    `aligned`: the unit of every frame, (T,)."""

    frames: np.ndarray
    units: list[int]
    aligned: np.ndarray
    text: str
    voice: str


def speak(
    text: str,
    among: Sequence[voices.Voice],
    rng: np.random.Generator,
    rough: float,
    snr_db: tuple[float, float] | None = None,
) -> tuple[Samples, str]:
    """(samples, voice) of one synthetic clip between stretches of near silence."""
    while True:
        voice = voices.choose(among, rng)
        try:
            sound = spoken(voices.plan(text, voice, rng))
        except TrainingError:  # a voice that cannot say this text: ask another
            continue
        return to_int16(_place(augment.warp(sound, rng, rough), rng, rough, snr_db)), voice.id


def _place(
    sound: voices.Floats, rng: np.random.Generator, rough: float, snr_db: tuple[float, float] | None
) -> voices.Floats:
    """Give it a start and an end, sometimes cut into the first letters, then a room around it."""
    if rough > 0 and rng.random() < 0.05:
        sound = sound[int(rng.uniform(0.0, 0.06) * SAMPLE_RATE_HZ) :]
    before, after = (int(rng.uniform(0.02, 0.6) * SAMPLE_RATE_HZ) for _ in range(2))
    return augment.room(np.pad(sound, (before, after)), rng, rough, snr_db)


def _make(texts: list[str], real: list[Recording], rng: np.random.Generator, mixture: Mixture) -> Clip:
    kind = rng.random()
    level = float(rng.random()) ** 2
    snr_db = NOISY_DB if rng.random() < mixture.noisy else None
    if kind < _SILENT_SHARE:
        return _clip(to_int16(augment.room(0.1 * noise.stretch(24_000, rng), rng, level)), [], "", "noise")
    if real and kind < _SILENT_SHARE + mixture.real:
        take = real[int(rng.integers(len(real)))]
        samples, units, said = take.part(rng)
        sound = augment.warp(samples.astype(np.float32) / 32768.0, rng, level)
        return _clip(to_int16(_place(sound, rng, level, snr_db)), units, said, take.speaker)
    text = texts[int(rng.integers(len(texts)))]
    samples, voice = speak(text, voices.voices(), rng, level, snr_db)
    return _clip(samples, sounds(text), text, voice)


def _clip(samples: Samples, units: list[int], text: str, voice: str) -> Clip:
    heard = hear(samples)
    aligned = align(heard[:, MELS:], units).astype(np.int8)
    return Clip(heard.astype(np.float16), units, aligned, text, voice)


def hear(samples: Samples) -> np.ndarray:
    """What the trained part of the network gets, (T, HEARD)."""
    with torch.inference_mode():
        return _ears()(torch.from_numpy(normalise(log_mel(samples)))[None])[0].numpy()


@cache
def _ears() -> Ears:
    return Ears().eval()


def sounds(text: str) -> list[int]:
    """Units of `text`, every word said in its commonest way."""
    return [unit for word in text.split() for unit in encode(pronouncer().must(word)[0])]


def _one_thread() -> None:
    os.environ["OMP_NUM_THREADS"] = "1"
    torch.set_num_threads(1)


def _chunk(texts: list[str], seed: int, mixture: Mixture) -> list[Clip]:
    """One chunk of clips; runs in the pool's process."""
    rng = np.random.default_rng(seed)
    real = _real()
    return [_make(texts, real, rng, mixture) for _ in range(_CHUNK)]


@cache
def _real() -> list[Recording]:
    return [*heard_speech.talk(), *heard_speech.keywords(held_out=False)]


class Pool:
    """Clips made so far, at most `capacity`; older ones are overwritten at random.

    They are made in a process of their own, a few chunks ahead. espeak-ng dies of a rare text; then another
    process takes over and only the chunks under way are lost.
    """

    def __init__(
        self, texts: list[str], seed: int, mixture: Mixture = Mixture(), capacity: int = 80_000
    ) -> None:
        self._texts = texts
        self._mixture = mixture
        self._seed = seed
        self._clips: list[Clip] = []
        self._capacity = capacity
        self._rng = np.random.default_rng(seed)
        self._fresh: list[Clip] = []
        self._pending: deque[Future[list[Clip]]] = deque()
        self._asked = 0
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
            sample = [self._texts[i] for i in self._rng.integers(len(self._texts), size=_CHUNK)]
            self._pending.append(
                self._executor.submit(_chunk, sample, self._seed + self._asked, self._mixture)
            )
            self._asked += 1

    def batches(self, frames_a_batch: int, draw: int) -> Iterator[list[Clip]]:
        """One round: `draw` clips, new ones first, in batches of like length."""
        self._collect(at_least=draw)
        fresh, self._fresh = self._fresh[:draw], self._fresh[draw:]
        old = self._rng.integers(len(self._clips), size=draw - len(fresh))
        chosen = sorted(fresh + [self._clips[i] for i in old], key=lambda clip: len(clip.frames))
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
                self._ask()
            except BrokenProcessPool:
                self._executor.shutdown(wait=False)
                self._start()
                continue
            for clip in chunk:
                self._add(clip)

    def _add(self, clip: Clip) -> None:
        self.made += 1
        self._fresh.append(clip)
        if len(self._clips) < self._capacity:
            self._clips.append(clip)
        else:
            self._clips[int(self._rng.integers(self._capacity))] = clip


def held_out_clips(
    texts: list[str], n: int, seed: int, rough: float, snr_db: tuple[float, float] | None = None
) -> list[tuple[Samples, str]]:
    """`n` clips by voices never trained on; the texts in order, then over again."""
    rng, among = np.random.default_rng(seed), voices.voices(held_out=True)
    said = [texts[i % len(texts)] for i in range(n)]
    return [(speak(text, among, rng, rough, snr_db)[0], text) for text in said]


__all__ = ["NOISY_DB", "Clip", "Mixture", "Pool", "hear", "held_out_clips", "sounds", "speak"]
