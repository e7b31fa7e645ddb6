"""What is learned from: recordings with transcripts, or the sentences of a grammar said by synthetic people.

A folder of recordings holds `transcripts.tsv`: file, tab, what is said in it. Any rate and any number of
channels will do. What cannot be right is an error that names the file: a second of sound for a paragraph of
text is a wrong transcript, and would teach nonsense.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from runtime.contracts.audio import SAMPLE_RATE_HZ
from runtime.contracts.errors import TrainingError
from runtime.mind.grammar import Grammar, normalise
from training.data import speech

Floats = npt.NDArray[np.float32]
LONGEST_S = 20.0
_FASTEST = 40
"""Letters a second; nobody talks as fast"""
_QUIETEST = 1e-3
TRANSCRIPTS = "transcripts.tsv"


@dataclass(frozen=True, slots=True)
class Spoken:
    """`samples`: 16 kHz mono, full scale 1.0."""

    samples: Floats
    text: str
    source: str
    """Speaker or voice; parts of a split share none"""


def recorded(folder: Path) -> list[Spoken]:
    """All recordings of `folder` with their texts, normalised. TrainingError names file and cure."""
    table = folder / TRANSCRIPTS
    if not table.is_file():
        raise TrainingError(
            f"{table} is not there; write one line a recording: its file, a tab, what is said"
        )
    found = [_take(folder, *row) for row in _rows(table)]
    if not found:
        raise TrainingError(f"{table} names no recording; write one line each: its file, a tab, what is said")
    return found


def _rows(table: Path) -> Iterator[tuple[str, str]]:
    try:
        lines = table.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise TrainingError(f"{table} is not UTF-8 ({error.reason}); convert it") from error
    for number, line in enumerate(lines, 1):
        name, tab, text = line.partition("\t")
        if not line.strip():
            continue
        if not tab or not normalise(text):
            raise TrainingError(
                f"{table}, line {number}: {line[:60]!r} needs a file, a tab and words; mend it"
            )
        yield name, normalise(text)


def _take(folder: Path, name: str, text: str) -> Spoken:
    path = next(
        (p for p in (folder / name, folder / f"{name}.flac", folder / f"{name}.wav") if p.is_file()), None
    )
    if path is None:
        raise TrainingError(
            f"{folder / name} is not there; take its line out of {TRANSCRIPTS} or add the file"
        )
    samples = read_sound(path)
    length_s = len(samples) / SAMPLE_RATE_HZ
    if length_s > LONGEST_S:
        raise TrainingError(f"{path} lasts {length_s:.0f} s; cut it into pieces of at most {LONGEST_S:.0f} s")
    if len(text) > _FASTEST * length_s:
        raise TrainingError(
            f"{path} lasts {length_s:.1f} s, too short for {text[:60]!r}; is it the right transcript, "
            f"and the file's sample rate what its head says?"
        )
    return Spoken(samples, text, path.stem.split("-")[0].split("_")[0])


def read_sound(path: Path) -> Floats:
    """16 kHz mono of any sound file; TrainingError where it is none, or silent."""
    try:
        sound, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    except (OSError, soundfile.SoundFileError) as error:
        raise TrainingError(f"{path} cannot be read ({error}); record it again or take it out") from error
    mono = np.asarray(sound.mean(axis=1), np.float32)
    if rate_hz != SAMPLE_RATE_HZ and len(mono):
        mono = np.asarray(soxr.resample(mono, rate_hz, SAMPLE_RATE_HZ, quality="HQ"), np.float32)
    if np.abs(mono).max(initial=0.0) < _QUIETEST:
        raise TrainingError(f"{path} is silent; record it again or take it out")
    return mono


def synthetic(
    texts: Sequence[str], n: int, seed: int, held_out: bool, rough: float, workers: int
) -> list[Spoken]:
    """`n` clips of `texts` by synthetic people, roughened up to `rough`."""
    made = speech.clips(texts, n, seed, held_out, workers, rough)
    return [Spoken(samples.astype(np.float32) / 32768.0, text, voice) for samples, text, voice in made]


def sentences_of(grammar: Grammar, n: int, seed: int) -> list[str]:
    return [text for text, _, _ in grammar.sentences(np.random.default_rng(seed), n)]


def split(takes: Sequence[Spoken], share: float, seed: int) -> tuple[list[Spoken], list[Spoken]]:
    """(to learn from, held out): by speaker where there are several, else by recording."""
    groups = sorted({take.source for take in takes})
    rng = np.random.default_rng(seed)
    if len(groups) > 2:
        aside = {groups[int(i)] for i in rng.permutation(len(groups))[: max(1, round(share * len(groups)))]}
        chosen = [take.source in aside for take in takes]
    else:
        picked = {int(i) for i in rng.permutation(len(takes))[: max(1, round(share * len(takes)))]}
        chosen = [i in picked for i in range(len(takes))]
    parts = [[t for t, c in zip(takes, chosen, strict=True) if c == want] for want in (False, True)]
    if not parts[0]:
        raise TrainingError(f"{len(takes)} recordings cannot be split; give two at least")
    return parts[0], parts[1]
