"""Real people's speech to learn from (EVERPAW_DATA): single words with labels, and talk that has none.

Talk without a transcript is transcribed by pocketsphinx with its own language model: mostly right, and where
it is wrong, near in sound. It is done once and kept in the cache.
"""

import hashlib
import json
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import soundfile

from runtime.contracts.audio import SAMPLE_RATE_HZ, Samples
from runtime.speech.units import encode
from training.asr import sphinx
from training.asr.lexicon import pronouncer
from training.data.speech import cache_folder

_MOST_WORDS = 8
_MARGIN = SAMPLE_RATE_HZ // 50


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """One word of a recording, its units, and where it lies in samples."""

    text: str
    units: tuple[int, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Recording:
    """A real voice saying words in a row."""

    samples: Samples
    words: tuple[SpokenWord, ...]
    speaker: str

    def part(self, rng: np.random.Generator) -> tuple[Samples, list[int], str]:
        """(samples, units, text) of one to eight words in a row."""
        count = int(rng.integers(1, min(_MOST_WORDS, len(self.words)) + 1))
        first = int(rng.integers(0, len(self.words) - count + 1))
        chosen = self.words[first : first + count]
        begin, end = max(0, chosen[0].start - _MARGIN), chosen[-1].end + _MARGIN
        text = " ".join(word.text for word in chosen)
        return self.samples[begin:end], [unit for word in chosen for unit in word.units], text


def keywords(held_out: bool) -> list[Recording]:
    """Single words by real people (EVERPAW_DATA/keywords); one speaker in five is kept aside."""
    files = _files("keywords/*/*.flac")
    aside = set(sorted({_speaker(file) for file in files})[::5])
    return [
        _keyword(soundfile.read(file, dtype="int16")[0], file)
        for file in files
        if (_speaker(file) in aside) == held_out
    ]


def _keyword(samples: Samples, file: Path) -> Recording:
    text = file.parent.name
    word = SpokenWord(text, tuple(encode(pronouncer().must(text)[0])), 0, len(samples))
    return Recording(samples, (word,), _speaker(file))


def _speaker(file: Path) -> str:
    return file.name.split("_")[0]


@cache
def talk() -> tuple[Recording, ...]:
    """Sentences that are nobody's wake word (EVERPAW_DATA/negatives), as far as pocketsphinx understood."""
    files = _files("negatives/*/*.flac")
    if not files or not sphinx.installed():
        return ()
    takes = [soundfile.read(file, dtype="int16")[0] for file in files]
    key = hashlib.sha256(b"".join(take.tobytes() for take in takes)).hexdigest()[:16]
    kept = cache_folder().parent / f"talk-{key}.json"
    if not kept.is_file():
        kept.parent.mkdir(parents=True, exist_ok=True)
        draft = kept.with_suffix(".part")
        draft.write_text(json.dumps(sphinx.dictate(takes)))
        draft.replace(kept)
    heard = json.loads(kept.read_text())
    found = []
    for file, take, words in zip(files, takes, heard, strict=True):
        spoken = tuple(
            SpokenWord(text, tuple(encode(way.split())), start, end) for text, way, start, end in words
        )
        if spoken:
            found.append(Recording(take, spoken, file.stem))
    return tuple(found)


def _files(pattern: str) -> list[Path]:
    base = os.environ.get("EVERPAW_DATA")
    return sorted(Path(base).glob(pattern)) if base else []
