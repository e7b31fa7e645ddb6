"""Spoken sentences in bulk: many voices, worker processes, one seed for the texts, voices and rates.

The samples themselves are not bit-identical from run to run: espeak-ng carries its oscillators' state from
one utterance into the next, and which worker speaks what is a matter of luck.

espeak-ng speaks faster than a disk reads, so only the recorded voices (flite, festival) are cached: one file
an utterance, named by the hash of everything that shapes it, written whole or not at all.
"""

import hashlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from runtime.contracts.audio import Samples
from training.data import augment, voices
from training.data.voices import Floats, Utterance
from training.data.workers import spread

Clip = tuple[Samples, str, str]
"""Samples, the words spoken, the voice's id"""

_BATCH = 32


def cache_folder() -> Path:
    """`EVERPAW_CACHE`, else the user's cache folder."""
    base = os.environ.get("EVERPAW_CACHE") or os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "everpaw" / "speech"


def spoken(utterance: Utterance) -> Floats:
    """`voices.render` through the cache."""
    if utterance.voice.engine == "espeak":
        return voices.render(utterance)
    key = hashlib.sha256(repr(sorted(asdict(utterance).items())).encode()).hexdigest()
    path = cache_folder() / key[:2] / f"{key}.npy"
    try:
        return (np.load(path).astype(np.float32) / 32767.0).astype(np.float32)
    except (OSError, ValueError):  # not there, or cut short by a full disk: make it again
        sound = voices.render(utterance)
    _write_whole(path, to_int16(sound))
    return (to_int16(sound).astype(np.float32) / 32767.0).astype(np.float32)


def to_int16(sound: Floats) -> Samples:
    return (np.clip(sound, -1.0, 1.0) * 32767.0).astype(np.int16)


def clips(
    texts: Sequence[str],
    n: int,
    seed: int,
    held_out: bool = False,
    workers: int = 2,
    rough: float = 0.0,
) -> Iterator[Clip]:
    """`n` clips of texts drawn at random by voices drawn at random, in an order fixed by `seed`.

    `rough` is the level of `augment.roughen`, done in the workers; 0 leaves the clips as spoken. With
    `workers=0` everything happens in this process. Raises TrainingError where nothing can be spoken.
    """
    voices.voices(held_out)
    sizes = [min(_BATCH, n - start) for start in range(0, n, _BATCH)]
    jobs = [(tuple(texts), size, seed, i, held_out, rough) for i, size in enumerate(sizes)]
    for batch in spread(_batch, jobs, workers):
        yield from batch


def _batch(job: tuple[tuple[str, ...], int, int, int, bool, float]) -> list[Clip]:
    texts, size, seed, index, held_out, rough = job
    rng = np.random.default_rng([seed, index, int(held_out)])
    among = voices.voices(held_out)
    made = []
    for _ in range(size):
        text = texts[int(rng.integers(len(texts)))]
        voice = voices.choose(among, rng)
        sound = spoken(voices.plan(text, voice, rng))
        if rough > 0:
            sound = augment.roughen(sound, rng, rough)
        made.append((to_int16(sound), text, voice.id))
    return made


def _write_whole(path: Path, samples: Samples) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
        np.save(file, samples)
    os.replace(file.name, path)
