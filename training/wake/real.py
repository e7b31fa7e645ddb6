"""Real recordings for a head: which may be trained on, choose the threshold, or only report; the owner's own.

The split is by speaker and committed (`data/wake_split.tsv`), so that every head is measured on the same
people. Half of the speakers only report; of the other half most train and the rest choose the threshold.
"""

import hashlib
import os
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from runtime.contracts.audio import SAMPLE_RATE_HZ
from runtime.contracts.errors import TrainingError

Floats = npt.NDArray[np.float32]
Part = Literal["train", "choose", "report"]
SPLIT = Path(__file__).parents[1] / "data" / "wake_split.tsv"
_SOUNDS = {".wav", ".flac", ".ogg", ".mp3"}
_SHORTEST_S, _LONGEST_S = 0.2, 6.0
_QUIETEST = 1e-3


def real_negatives(part: Part, name: str) -> list[str]:
    """Recordings that may be trained on (EVERPAW_DATA), those of `name` left out; empty where it is unset."""
    root = os.environ.get("EVERPAW_DATA")
    if not root:
        return []
    paths = [p for folder in ("negatives", "keywords") for p in sorted((Path(root) / folder).rglob("*.flac"))]
    return [str(p) for p in paths if part_of(speaker(p)) == part and p.parent.name != name]


def speaker(path: Path) -> str:
    """Who speaks: each collection writes it into the file's name its own way."""
    if path.parents[1].name == "keywords":
        return path.name.split("_")[0]
    if path.stem.startswith("notwakeword"):  # this collection does not say; one phrase a person
        return path.stem
    return path.name.split("-")[0]


def part_of(who: str) -> Part:
    """The committed list's answer; for people it does not know, by their name's hash."""
    return split().get(who) or _drawn(who)


@cache
def split() -> dict[str, Part]:
    rows = (line.split("\t") for line in SPLIT.read_text(encoding="utf-8").splitlines())
    return dict(rows)  # type: ignore[arg-type]


def _drawn(who: str) -> Part:
    draw = hashlib.sha256(who.encode()).digest()[0]
    return "report" if draw < 128 else ("choose" if draw < 176 else "train")


def owners_recordings(folder: Path) -> list[Floats]:
    """The name as its owner says it, one recording a file, any rate; silence at both ends cut off.

    TrainingError for a folder without sound files, and for a recording that is empty, too long for one name
    or no sound at all, with its path.
    """
    paths = recording_paths(folder)
    if not paths:
        raise TrainingError(f"{folder} holds no recordings (.wav, .flac, .ogg, .mp3); record the name there")
    return [_recording(path) for path in paths]


def recording_paths(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*") if p.suffix.lower() in _SOUNDS)


def _recording(path: Path) -> Floats:
    try:
        samples, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    except (OSError, soundfile.SoundFileError) as error:
        raise TrainingError(f"{path} cannot be read ({error}); record it again or take it out") from error
    sound = np.asarray(samples.mean(axis=1), np.float32)
    if rate_hz != SAMPLE_RATE_HZ and len(sound):
        sound = soxr.resample(sound, rate_hz, SAMPLE_RATE_HZ, quality="HQ")
    if np.abs(sound).max(initial=0.0) < _QUIETEST:
        raise TrainingError(f"{path} is silent; record the name closer to the microphone or take it out")
    sound = spoken_part(sound)
    length_s = len(sound) / SAMPLE_RATE_HZ
    if not _SHORTEST_S <= length_s <= _LONGEST_S:
        raise TrainingError(
            f"{path} holds {length_s:.1f} s of sound; one recording is one name, "
            f"{_SHORTEST_S} to {_LONGEST_S:g} s; cut it or take it out"
        )
    return (0.5 * sound / np.abs(sound).max()).astype(np.float32)


def spoken_part(sound: Floats, floor_db: float = -26.0, margin_s: float = 0.03) -> Floats:
    """From the first to the last 20 ms that stand within `floor_db` of the loudest."""
    frame = SAMPLE_RATE_HZ // 50
    frames = np.pad(sound, (0, -len(sound) % frame)).reshape(-1, frame)
    level = np.sqrt((frames**2).mean(axis=1))
    loud = np.flatnonzero(level > level.max() * 10 ** (floor_db / 20))
    margin = int(margin_s * SAMPLE_RATE_HZ)
    return sound[max(0, loud[0] * frame - margin) : (loud[-1] + 1) * frame + margin]
